"""What is usual for a datastream by the hour of the day: learned from its last days, and looked up for many at once.

The baseline of a day rests on whole days before it, the last of them being the day before yesterday: so it is known
before the day begins, late readings have had a day to come, and nothing that it judges is in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import nan
from zoneinfo import ZoneInfo

import numpy as np

from services.alerts.conditions.readings import Floats, Ints, Readings
from shared.time import to_microseconds

HOURS = 24
LAG = 1
"""Days between the last that a baseline rests on and the one that it is for."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual on `day` in `time_zone`, from the `over` days up to the day before yesterday.

    By hour of the day: `median` and `mad`, the median absolute deviation from it, in the stored unit (NaN where
    nothing is known); `readings` they rest on; `days` that had any.
    """

    day: date
    time_zone: str
    over: int
    median: tuple[float, ...]
    mad: tuple[float, ...]
    readings: tuple[int, ...]
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UsualHour:
    """One hour of a baseline."""

    hour: int
    median: float
    mad: float
    readings: int
    days: int


def first_day(day: date, over: int) -> date:
    """The first of the days that the baseline of `day` rests on."""
    return day - timedelta(days=over + LAG)


@lru_cache(maxsize=4096)
def local_hours(time_zone: str, day: date) -> tuple[int, ...]:
    """When the 24 hours of a day begin in a zone, and the day ends [us]; where clocks go forward one is empty."""
    zone = ZoneInfo(time_zone)
    begins = [datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in range(HOURS)]
    after = day + timedelta(days=1)
    ends = datetime(after.year, after.month, after.day, tzinfo=zone)
    return tuple(to_microseconds(moment) for moment in (*begins, ends))


def learn(readings: Readings, time_zone: str, day: date, over: int) -> Baseline:
    """The baseline of `day` from readings in order of time, of which only those of the days that it rests on count.

    Medians are the lower ones of an even number. What lies beyond the range counts as infinitely high: with half of
    an hour's readings there, nothing is known.
    """
    begins = [local_hours(time_zone, first_day(day, over) + timedelta(days=number))[:HOURS] for number in range(over)]
    ends = local_hours(time_zone, day - timedelta(days=LAG))[0]
    low, high = np.searchsorted(readings.time, [begins[0][0], ends])
    own = readings.take(slice(low, high))
    height = own.height()
    known = ~np.isnan(height)
    place = np.searchsorted(np.array(begins, np.int64).ravel(), own.time[known], side="right") - 1
    height, hour, which = height[known], place % HOURS, place // HOURS
    median, mad, count, days = [], [], [], []
    for number in range(HOURS):
        of_hour = hour == number
        usual = _median(height[of_hour])
        spread = _median(np.abs(height[of_hour] - usual)) if np.isfinite(usual) else nan
        median.append(usual if np.isfinite(spread) else nan)
        mad.append(spread if np.isfinite(spread) else nan)
        count.append(int(np.count_nonzero(of_hour)))
        days.append(len(np.unique(which[of_hour])))
    return Baseline(day, time_zone, over, tuple(median), tuple(mad), tuple(count), tuple(days))


def _median(values: Floats) -> float:
    if not len(values):
        return nan
    rank = (len(values) - 1) // 2
    return float(np.partition(values, rank)[rank])


class Usual:
    """Baselines of many datastreams, all over the same number of days. `median`, `mad`, ... are by row."""

    def __init__(self, baselines: Iterable[tuple[int, date, Baseline]] = ()) -> None:
        """Each with its datastream and the day that it serves for, which may be a later one than its own."""
        found = sorted(baselines, key=lambda each: each[:2])
        hours = [local_hours(baseline.time_zone, day) for _, day, baseline in found]
        self._ids, rank = np.unique(np.array([i for i, _, _ in found], np.int64), return_inverse=True)
        self._rank: Ints = np.repeat(rank, HOURS)
        self._begin = np.array([each[:HOURS] for each in hours], np.int64).reshape(-1)
        self._end = np.array([each[1:] for each in hours], np.int64).reshape(-1)
        self.median: Floats = np.array([baseline.median for _, _, baseline in found], np.float64).reshape(-1)
        self.mad: Floats = np.array([baseline.mad for _, _, baseline in found], np.float64).reshape(-1)
        self.readings: Ints = np.array([baseline.readings for _, _, baseline in found], np.int64).reshape(-1)
        self.days: Ints = np.array([baseline.days for _, _, baseline in found], np.int64).reshape(-1)
        self._origin = int(self._begin.min(initial=2**62))
        self._span = int(self._end.max(initial=self._origin)) - self._origin + 1
        # Rising over all rows, from one datastream to the next too.
        self._place: Ints = self._rank * self._span + (self._begin - self._origin)

    def find(self, ids: Ints, time: Ints) -> Ints:
        """The row of each datastream's hour at its time; -1 where none is known."""
        if not len(self._place):
            return np.full(len(ids), -1)
        rank = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        since = np.clip(time - self._origin, 0, self._span - 1)
        row = np.searchsorted(self._place, rank * self._span + since, side="right") - 1
        row = np.maximum(row, 0)
        known = (self._ids[rank] == ids) & (self._rank[row] == rank)
        known &= (self._begin[row] <= time) & (time < self._end[row])
        return np.where(known, row, -1)

    def hour(self, datastream_id: int, time: int) -> UsualHour | None:
        """What is usual for one datastream at one time."""
        (row,) = self.find(np.array([datastream_id]), np.array([time])).tolist()
        if row < 0:
            return None
        return UsualHour(
            row % HOURS, float(self.median[row]), float(self.mad[row]), int(self.readings[row]), int(self.days[row])
        )
