"""The life of an alarm after ISA-18.2 / IEC 62682. Pure: no clock, no database, no web framework."""

from services.alerts.lifecycle.alarm import (
    Alarm,
    Entry,
    Evidence,
    Subject,
    acknowledge,
    fall,
    open_alarm,
    reopen,
    restate,
    rise,
    settle,
    withdraw,
)
from services.alerts.lifecycle.response import Case
from services.alerts.lifecycle.transitions import Action, IllegalTransition, allowed, next_state

__all__ = [
    "Action",
    "Alarm",
    "Case",
    "Entry",
    "Evidence",
    "IllegalTransition",
    "Subject",
    "acknowledge",
    "allowed",
    "fall",
    "next_state",
    "open_alarm",
    "reopen",
    "restate",
    "rise",
    "settle",
    "withdraw",
]
