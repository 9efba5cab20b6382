"""Where the sun stands: enough for a stability estimate (about 0.3 degrees)."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def solar_elevation_deg(at: datetime, longitude: float, latitude: float) -> float:
    """Return the sun's elevation [deg] at an aware time and a WGS 84 place.

    Low-precision solar coordinates of the Astronomical Almanac (valid 1950-2050), as used by NOAA.

    Raises ValueError when `at` carries no offset: a naive time would move the sun by hours.
    """
    if at.tzinfo is None:
        raise ValueError("the time needs a UTC offset")
    days = (at.astimezone(UTC) - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400.0
    mean_longitude = math.radians((280.460 + 0.9856474 * days) % 360.0)
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360.0)
    ecliptic = mean_longitude + math.radians(1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    tilt = math.radians(23.439 - 4.0e-7 * days)
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    right_ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    sidereal_deg = (280.46061837 + 360.98564736629 * days + longitude) % 360.0
    hour_angle = math.radians(sidereal_deg) - right_ascension
    lat = math.radians(latitude)
    sine = math.sin(lat) * math.sin(declination) + math.cos(lat) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(min(max(sine, -1.0), 1.0)))
