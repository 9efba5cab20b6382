"""The HTTP face of the alerts service."""
