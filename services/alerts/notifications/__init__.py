"""Who is called when, and what a park says of that. Pure: no clock, no database, no web framework."""

from services.alerts.notifications.escalation import Call, Plan, Step, Waiting, next_call, note_call, plan
from services.alerts.notifications.flood import FloodRule
from services.alerts.notifications.policy import Policy

__all__ = ["Call", "FloodRule", "Plan", "Policy", "Step", "Waiting", "next_call", "note_call", "plan"]
