"""What is asked of devices: commands sent and followed to their result, and missing records asked for."""
