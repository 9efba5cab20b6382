"""The life of an alarm after ISA-18.2 / IEC 62682. Pure: no clock, no database, no web framework."""

from services.alerts.lifecycle.alarm import Alarm, Entry, Evidence, Step, Subject, Suppressor
from services.alerts.lifecycle.by_hand import acknowledge, assign, remark, reset, shelve, unshelve
from services.alerts.lifecycle.condition import fall, open_alarm, reopen, restate, rise, settle, withdraw
from services.alerts.lifecycle.habits import Habits
from services.alerts.lifecycle.hiding import Hold, fit, overshadow
from services.alerts.lifecycle.response import Case
from services.alerts.lifecycle.transitions import BY_HAND, Action, IllegalTransition, allowed, next_state

__all__ = [
    "BY_HAND",
    "Action",
    "Alarm",
    "Case",
    "Entry",
    "Evidence",
    "Habits",
    "Hold",
    "IllegalTransition",
    "Step",
    "Subject",
    "Suppressor",
    "acknowledge",
    "allowed",
    "assign",
    "fall",
    "fit",
    "next_state",
    "open_alarm",
    "overshadow",
    "remark",
    "reopen",
    "reset",
    "restate",
    "rise",
    "settle",
    "shelve",
    "unshelve",
    "withdraw",
]
