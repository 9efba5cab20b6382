from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.ingest.questions.days import midnights, split_hours


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_days_that_a_span_touches_are_whole() -> None:
    found = midnights(ZoneInfo("Asia/Shanghai"), utc(2026, 3, 1, 10), utc(2026, 3, 2, 16, 0, 1), 100)
    assert found == [utc(2026, 2, 28, 16), utc(2026, 3, 1, 16), utc(2026, 3, 2, 16), utc(2026, 3, 3, 16)]
    assert split_hours(found) == []


def test_a_span_from_midnight_to_midnight_has_no_day_more() -> None:
    assert len(midnights(ZoneInfo("Asia/Shanghai"), utc(2026, 3, 1, 16), utc(2026, 3, 3, 16), 100)) == 3


def test_only_the_first_days_of_a_long_span() -> None:
    found = midnights(ZoneInfo("UTC"), utc(2026, 3, 1), utc(2036, 3, 1), 2)
    assert found == [utc(2026, 3, 1), utc(2026, 3, 2), utc(2026, 3, 3)]


@pytest.mark.parametrize(("zone", "minute"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Australia/Darwin", 30)])
def test_midnights_in_the_middle_of_an_hour(zone: str, minute: int) -> None:
    found = midnights(ZoneInfo(zone), utc(2026, 3, 1, 12), utc(2026, 3, 2, 12), 100)
    assert [limit.minute for limit in found] == [minute] * len(found)
    assert split_hours(found) == [limit.replace(minute=0) for limit in found]


def test_days_of_23_and_25_hours() -> None:
    spring = midnights(ZoneInfo("Europe/Berlin"), utc(2026, 3, 29), utc(2026, 3, 29, 1), 100)
    autumn = midnights(ZoneInfo("Europe/Berlin"), utc(2026, 10, 25), utc(2026, 10, 25, 1), 100)
    assert [(b - a).total_seconds() / 3600 for a, b in (spring, autumn)] == [23, 25]
