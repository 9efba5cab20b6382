"""How an incident stands, from its alarms, and what of that is news."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.alerts.incidents.grouping import Member
from shared.levels import Colour
from shared.messages import IncidentChange, IncidentState

_COLOURS = list(Colour)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told of an incident. `colour` is the highest that stands, once none stands the highest that stood."""

    state: IncidentState
    colour: Colour
    peak_colour: Colour
    property_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    alarms: int
    active: int
    unacknowledged: int
    opened_at: datetime
    last_at: datetime


def standing_of(members: Iterable[Member]) -> Standing:
    """The sum of the members; there is at least one. The order does not matter."""
    known = list(members)
    peak = max(member.peak_rank for member in known)
    active = sum(member.active for member in known)
    return Standing(
        state=IncidentState.ACTIVE if active else IncidentState.SETTLED,
        colour=_COLOURS[(max(member.rank for member in known) or peak) - 1],
        peak_colour=_COLOURS[peak - 1],
        property_ids=tuple(sorted({member.property_id for member in known if member.property_id is not None})),
        station_ids=tuple(sorted({member.station_id for member in known})),
        alarms=sum(member.alarms for member in known),
        active=active,
        unacknowledged=sum(member.unacknowledged for member in known),
        opened_at=min(member.since for member in known),
        last_at=max(member.until for member in known),
    )


def changes(before: Standing | None, after: Standing) -> list[IncidentChange]:
    """What is news between two standings, in the order in which it is told; `before` is None for a new incident."""
    if before is None:
        opened = [IncidentChange.OPENED]
        return opened if after.active else [*opened, IncidentChange.SETTLED]
    found = {
        IncidentChange.RESUMED: before.state is IncidentState.SETTLED and after.state is IncidentState.ACTIVE,
        IncidentChange.GREW: after.alarms > before.alarms,
        IncidentChange.ESCALATED: after.peak_colour.rank > before.peak_colour.rank,
        IncidentChange.SETTLED: before.state is IncidentState.ACTIVE and after.state is IncidentState.SETTLED,
    }
    return [change for change, holds in found.items() if holds]
