"""Whether an alarm belongs to an incident: by time, gas, distance and wind.

No guide says how; the numbers are this system's defaults, for every park to change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import atan2, cos, degrees, hypot, radians
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_EARTH_M_PER_DEG = 111_195.0
"""Of latitude, on the sphere of 6371.0 km (IUGG mean radius): parks are small enough for a plane."""


class Grouping(BaseModel):
    """When alarms of one park belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet_s: float = Field(default=1800, gt=0, le=86_400, description="apart by more, alarms are of two events")
    longest_s: float = Field(
        default=86_400, gt=0, le=7 * 86_400, description="an alarm that stands longer draws no others to it"
    )
    near_m: float = Field(
        default=500, ge=0, le=50_000, description="this near the wind does not matter, nor whether the gas is the same"
    )
    reach_m: float = Field(default=5000, ge=0, le=50_000, description="farther apart, alarms are of two events")
    sector_deg: float = Field(
        default=45, gt=0, le=90, description="how far off the wind's axis one station may lie from another"
    )
    calm_m_s: float = Field(default=0.5, ge=0, le=5, description="below it the wind has no direction")
    most_alarms: int = Field(default=1000, ge=1, le=10_000, description="of one incident; then a new one begins")


@dataclass(frozen=True, slots=True)
class Place:
    """WGS 84 [degree]."""

    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Wind:
    """Where it comes from [degree clockwise from north] and how fast [m/s]."""

    from_deg: float
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An alarm that calls for attention. `property_id` is None for an alarm about a station, such as its silence."""

    station_id: str
    property_id: str | None
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """The alarms of an incident that are about one property of one station.

    `until` is when the last of them was raised or returned; `active_since` when the last that stands was raised.
    Colours by rank, `rank` of those that stand, 0 for none.
    """

    station_id: str
    property_id: str | None
    alarms: int
    active: int
    unacknowledged: int
    rank: int
    peak_rank: int
    since: datetime
    until: datetime
    active_since: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that is not closed."""

    id: UUID
    opened_at: datetime
    members: tuple[Member, ...]

    @property
    def alarms(self) -> int:
        """How many it has."""
        return sum(member.alarms for member in self.members)


def choose(
    newcomer: Newcomer,
    candidates: Iterable[Candidate],
    places: Mapping[str, Place],
    wind: Wind | None,
    rule: Grouping,
) -> UUID | None:
    """The incident that the alarm belongs to, None where it begins one.

    Of several: one of the same gas before one of another, the nearest station, the oldest incident. The order of
    `candidates` and of their members does not matter. Where a place is not known, time and gas decide; without wind,
    or in calm, the distance alone.
    """
    bonds = [
        (member.property_id != newcomer.property_id, distance, candidate.opened_at, candidate.id)
        for candidate in candidates
        if candidate.alarms < rule.most_alarms
        for member in candidate.members
        if (distance := _bond(newcomer, member, places, wind, rule)) is not None
    ]
    return min(bonds)[-1] if bonds else None


def _bond(
    newcomer: Newcomer, member: Member, places: Mapping[str, Place], wind: Wind | None, rule: Grouping
) -> float | None:
    """How far apart [m] they are, 0 where that is not known; None where they do not belong together."""
    if not _together_in_time(newcomer.raised_at, member, rule):
        return None
    if newcomer.property_id is None or member.property_id is None:
        # Stations that fall silent at the same time have lost the same thing, wherever they stand.
        return 0.0 if newcomer.property_id == member.property_id else None
    here, there = places.get(newcomer.station_id), places.get(member.station_id)
    same_gas = newcomer.property_id == member.property_id
    if newcomer.station_id == member.station_id:
        return 0.0
    if here is None or there is None:
        return 0.0 if same_gas else None
    east, north = _offset_m(there, here)
    distance = hypot(east, north)
    if distance <= rule.near_m:
        return distance
    if not same_gas or distance > rule.reach_m:
        return None
    if wind is None or wind.speed_m_s < rule.calm_m_s:
        return distance
    # Either of the two may stand nearer to the source.
    axis = (degrees(atan2(east, north)) - wind.from_deg) % 180.0
    in_sector = min(axis, 180.0 - axis) <= rule.sector_deg
    return distance if in_sector and distance <= wind.speed_m_s * rule.quiet_s else None


def _together_in_time(at: datetime, member: Member, rule: Grouping) -> bool:
    quiet, longest = timedelta(seconds=rule.quiet_s), timedelta(seconds=rule.longest_s)
    stands = member.active_since is not None and at - member.active_since <= longest
    return member.since - quiet <= at and (stands or at <= member.until + quiet)


def _offset_m(start: Place, end: Place) -> tuple[float, float]:
    """East and north [m]."""
    middle = radians((start.latitude + end.latitude) / 2)
    return (
        (end.longitude - start.longitude) * _EARTH_M_PER_DEG * cos(middle),
        (end.latitude - start.latitude) * _EARTH_M_PER_DEG,
    )
