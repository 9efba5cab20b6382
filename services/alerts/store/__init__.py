"""Every SQL statement of the alerts service."""
