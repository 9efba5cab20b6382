"""The period of a report: a day or a month of the park's own zone, and its parts."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

_HOUR = timedelta(hours=1)
Kind = Literal["daily", "monthly"]


@dataclass(frozen=True, slots=True)
class Period:
    """``limits`` [UTC] are where its parts begin, and its end: one more than there are parts."""

    kind: Kind
    name: str
    limits: tuple[datetime, ...]

    @property
    def start(self) -> datetime:
        """Its beginning [UTC]."""
        return self.limits[0]

    @property
    def end(self) -> datetime:
        """Its end [UTC], which is not in it."""
        return self.limits[-1]

    @property
    def parts(self) -> tuple[datetime, ...]:
        """Where its parts begin [UTC]."""
        return self.limits[:-1]

    @property
    def of_whole_hours(self) -> bool:
        """Whether every part begins with an hour of UTC."""
        return all(limit.minute == limit.second == 0 for limit in self.limits)

    @classmethod
    def of_day(cls, day: date, zone: ZoneInfo) -> Self:
        """A day in its hours, of which there are 23 or 25 where clocks are changed."""
        start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        hours = -((start - end) // _HOUR)
        return cls("daily", day.isoformat(), (*(start + step * _HOUR for step in range(hours)), end))

    @classmethod
    def of_month(cls, year: int, month: int, zone: ZoneInfo) -> Self:
        """A month in its days."""
        day = date(year, month, 1)
        limits = []
        while day.month == month:
            limits.append(midnight(day, zone))
            day += timedelta(days=1)
        return cls("monthly", f"{year:04d}-{month:02d}", (*limits, midnight(day, zone)))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins [UTC]."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
