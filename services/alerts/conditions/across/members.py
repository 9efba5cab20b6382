"""Whose readings a condition across stations is about, and where they stand."""

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians
from statistics import fmean

_EARTH_M_PER_DEG = 111_195.0
"""Of latitude, on the sphere of 6371.0 km (IUGG mean radius): parks are small enough for a plane."""
_NEAR_M = 1.0
"""Two places that are nearer than this have no direction from one another."""
MOST_MEMBERS = 200
"""Datastreams of one rule."""


@dataclass(frozen=True, slots=True)
class Member:
    """A datastream whose readings count. `limit` is what they are divided by in a sum of ratios."""

    datastream_id: int
    station_id: str
    property_id: str
    longitude: float
    latitude: float
    limit: float = 1.0


@dataclass(frozen=True, slots=True)
class Weather:
    """The datastreams that tell the wind, as the directions that it comes from [degree] and its speeds [m/s]."""

    directions: tuple[int, ...] = ()
    speeds: tuple[int, ...] = ()


def bearing_deg(start: tuple[float, float], end: tuple[float, float]) -> float | None:
    """From one place (longitude, latitude) towards another, clockwise from north; None where they are the same."""
    middle = radians((start[1] + end[1]) / 2)
    east = (end[0] - start[0]) * _EARTH_M_PER_DEG * cos(middle)
    north = (end[1] - start[1]) * _EARTH_M_PER_DEG
    return degrees(atan2(east, north)) % 360.0 if hypot(east, north) > _NEAR_M else None


def middle_of(members: tuple[Member, ...]) -> tuple[float, float]:
    """The middle (longitude, latitude) of the stations, each counted once."""
    places = {member.station_id: (member.longitude, member.latitude) for member in members}
    if not places:
        return 0.0, 0.0
    return fmean(place[0] for place in places.values()), fmean(place[1] for place in places.values())
