"""Conditions: when is a level reached, when is it left. Pure: no clock, no database, no web framework."""

from services.alerts.conditions.checkpoint import Unreadable, from_bytes, to_bytes
from services.alerts.conditions.columns import Columns
from services.alerts.conditions.evaluation import Outcome, evaluate
from services.alerts.conditions.levels import NEVER, Edge, Level, LevelRule, LevelState, quiet, step
from services.alerts.conditions.measures import RAW, Measure
from services.alerts.conditions.readings import Readings, Sample
from services.alerts.conditions.silence import SilenceRule, is_silent
from services.alerts.conditions.track import Change, Track, Verdict

__all__ = [
    "NEVER",
    "RAW",
    "Change",
    "Columns",
    "Edge",
    "Level",
    "LevelRule",
    "LevelState",
    "Measure",
    "Outcome",
    "Readings",
    "Sample",
    "SilenceRule",
    "Track",
    "Unreadable",
    "Verdict",
    "evaluate",
    "from_bytes",
    "is_silent",
    "quiet",
    "step",
    "to_bytes",
]
