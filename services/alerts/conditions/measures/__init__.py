"""Measures: what is made of the readings of a datastream before they are compared with the levels of a rule."""

from services.alerts.conditions.measures.baseline import BaselineDeviation
from services.alerts.conditions.measures.deviation import Deviation
from services.alerts.conditions.measures.measure import COVERAGE, MOST_IN_WINDOW, RAW, Measure
from services.alerts.conditions.measures.plausible import Implausible
from services.alerts.conditions.measures.rank import NOfM, Percentile
from services.alerts.conditions.measures.rate import RateOfChange
from services.alerts.conditions.measures.series import Series
from services.alerts.conditions.measures.still import Stuck
from services.alerts.conditions.measures.window import Maximum, Mean

__all__ = [
    "COVERAGE",
    "MOST_IN_WINDOW",
    "RAW",
    "BaselineDeviation",
    "Deviation",
    "Implausible",
    "Maximum",
    "Mean",
    "Measure",
    "NOfM",
    "Percentile",
    "RateOfChange",
    "Series",
    "Stuck",
]
