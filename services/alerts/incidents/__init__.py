"""Which alarms are of one event, and what is to be said of it. Pure: no clock, no database, no web framework."""

from services.alerts.incidents.grouping import Candidate, Grouping, Member, Newcomer, Place, Wind, choose
from services.alerts.incidents.standing import Standing, changes, standing_of

__all__ = [
    "Candidate",
    "Grouping",
    "Member",
    "Newcomer",
    "Place",
    "Standing",
    "Wind",
    "changes",
    "choose",
    "standing_of",
]
