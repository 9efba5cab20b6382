"""Days of a park: from midnight to midnight in its own zone, which need not be whole hours from UTC."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def midnights(zone: ZoneInfo, start: datetime, end: datetime, most: int) -> list[datetime]:
    """The limits [UTC] of the days that the span ``start <= t < end`` touches, of the first ``most`` of them at most.

    There is one limit more than there are days.
    """
    first = start.astimezone(zone).date()
    limits = [_midnight(zone, first)]
    while limits[-1] < end and len(limits) <= most:
        limits.append(_midnight(zone, first + len(limits) * _DAY))
    return limits


def split_hours(limits: list[datetime]) -> list[datetime]:
    """The hours of UTC that a midnight lies in the middle of."""
    floors = (limit.replace(minute=0, second=0, microsecond=0) for limit in limits)
    return [floor for floor, limit in zip(floors, limits, strict=True) if floor != limit]


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
