"""The wind at some instants, from the park's own stations."""

from collections.abc import Mapping, Sequence

import numpy as np

from services.alerts.conditions.across.members import Weather
from services.alerts.conditions.readings import Bools, Floats, Ints, Readings

STEADY = 0.5
"""Length of the mean of unit vectors under which directions contradict each other too much to have a mean."""


def wind_from(samples: Mapping[int, Readings], weather: Weather, instants: Ints, mean: int, calm: float) -> Floats:
    """Where the wind comes from [degree clockwise from north] at each instant; NaN in calm and where nobody tells.

    The mean of unit vectors of all directions in the `mean` microseconds up to the instant; speeds in m/s are a plain
    mean. Without any speed the direction counts alone.
    """
    time, degrees = _together(samples, weather.directions)
    radians = np.deg2rad(degrees)
    north, east = _means(time, np.cos(radians), instants, mean), _means(time, np.sin(radians), instants, mean)
    speed = _means(*_together(samples, weather.speeds), instants, mean)
    known = (np.hypot(north, east) >= STEADY) & ~(speed < calm)
    return np.where(known, np.rad2deg(np.arctan2(east, north)) % 360.0, np.nan)


def in_sector(bearing: Floats, axis: Floats, half_width: float) -> Bools:
    """Whether a bearing is no farther than `half_width` off an axis, all in degrees; never where one is NaN."""
    off = np.abs((bearing - axis + 180.0) % 360.0 - 180.0)
    return np.asarray(off <= half_width, np.bool_)


def _together(samples: Mapping[int, Readings], ids: Sequence[int]) -> tuple[Ints, Floats]:
    found = [samples[i] for i in ids if i in samples]
    time = np.concatenate([readings.time for readings in found]) if found else np.zeros(0, np.int64)
    value = np.concatenate([readings.value for readings in found]) if found else np.zeros(0)
    kept = np.isfinite(value)
    order = np.argsort(time[kept], kind="stable")
    return time[kept][order], value[kept][order]


def _means(time: Ints, value: Floats, instants: Ints, mean: int) -> Floats:
    total = np.concatenate([[0.0], np.cumsum(value)])
    first, end = (np.searchsorted(time, at, side="right") for at in (instants - mean, instants))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total[end] - total[first]) / (end - first), np.float64)
