"""What readings mean: units, flags, times, averages. Pure."""
