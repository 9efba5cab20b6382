"""Conditions across stations: one value of the readings of several, under levels as those of one datastream."""

from services.alerts.conditions.across.checkpoint import from_bytes, to_bytes
from services.alerts.conditions.across.condition import AcrossCondition
from services.alerts.conditions.across.difference import UpwindDifference
from services.alerts.conditions.across.group import Group, Kept, by_datastream
from services.alerts.conditions.across.k_of_n import KOfN
from services.alerts.conditions.across.members import MOST_MEMBERS, Member, Weather
from services.alerts.conditions.across.ratios import SumOfRatios

__all__ = [
    "MOST_MEMBERS",
    "AcrossCondition",
    "Group",
    "KOfN",
    "Kept",
    "Member",
    "SumOfRatios",
    "UpwindDifference",
    "Weather",
    "by_datastream",
    "from_bytes",
    "to_bytes",
]
