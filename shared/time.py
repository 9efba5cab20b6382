"""Time at the edge: the one place that reads the clock, and ISO 8601 in and out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The wall clock. Domain code takes `now` as an argument instead of calling this."""
    return datetime.now(UTC)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z of an aware `moment`; exact, unlike a float of seconds."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The inverse of `to_microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a `Z`, as every service prints it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset from UTC, such as 2026-03-01T08:00:00+08:00")
    if not 2 <= moment.year <= 9998:
        raise ValueError("a time from year 2 to 9998: others cannot be told in every zone, nor reckoned with")
    return moment.astimezone(UTC)


UtcDatetime = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(iso, when_used="json")]
"""A time that must come with an offset, is held in UTC and is printed with a `Z`."""
