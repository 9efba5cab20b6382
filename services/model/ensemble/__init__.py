"""What is not known exactly, and what follows for the footprint: pure, no I/O, no clock."""
