"""The alerts service: evaluates rules in event time and runs the life of every alarm."""
