"""Conditions: when is a level reached, when is it left. Pure: no clock, no database, no web framework."""

from services.alerts.conditions.document import fingerprint, from_document, to_document
from services.alerts.conditions.levels import NEVER, Edge, Level, LevelRule, LevelState, Sample, quiet, step
from services.alerts.conditions.silence import SilenceRule, is_silent
from services.alerts.conditions.track import Change, Track, Verdict

__all__ = [
    "NEVER",
    "Change",
    "Edge",
    "Level",
    "LevelRule",
    "LevelState",
    "Sample",
    "SilenceRule",
    "Track",
    "Verdict",
    "fingerprint",
    "from_document",
    "is_silent",
    "quiet",
    "step",
    "to_document",
]
