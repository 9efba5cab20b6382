"""Who is called when, and what a park says of that. Pure: no clock, no database, no web framework."""

from services.alerts.notifications.policy import Policy

__all__ = ["Policy"]
