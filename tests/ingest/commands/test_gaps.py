from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.commands.gaps import (
    Span,
    datastreams_of,
    expected,
    interval_of,
    last_record,
    merged,
    missing,
    pieces,
    without,
)
from services.ingest.registry.snapshot import Stream
from tests.ingest.devices import device

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def times(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


def span(begin: float, end: float) -> Span:
    return Span(*times(begin, end))


@pytest.mark.parametrize(
    ("minutes", "cadence", "interval"),
    [
        ((0, 1, 2, 3, 4), "minute", 1),
        ((0, 10, 20, 30, 60, 90, 100), "minute", 10),
        ((0, 1, 2), "minute", None),
        ((0, 7, 14, 21, 28), "minute", None),
        ((), "minute", None),
        ((0, 60, 120, 180), "hour", 60),
        ((0, 1, 2, 3, 4), "day", None),
        ((0, 1440, 2880, 4320, 8640), "day", 1440),
    ],
)
def test_the_interval_is_what_the_device_does_most(
    minutes: tuple[int, ...], cadence: str, interval: int | None
) -> None:
    found = interval_of(times(*minutes), cadence)
    assert found == (None if interval is None else timedelta(minutes=interval))


def test_what_comes_by_itself_alone_is_not_asked_for() -> None:
    furnace = Stream(9, "p.s1", "temperature", "minute", 1.0, 25, 5)
    known = device()
    with_furnace = replace(known, streams={**known.streams, ("a01901", "minute"): furnace})
    assert datastreams_of(with_furnace, "minute") == [2]
    assert datastreams_of(with_furnace, "realtime") == [1, 3]


def test_missing_records() -> None:
    assert missing(times(0, 1, 2, 5, 6, 8), MINUTE) == [span(3, 5), span(7, 8)]
    assert missing(times(0, 1, 2.3, 3), MINUTE) == [], "a clock that was set leaves no gap"
    assert missing(times(0), MINUTE) == []
    days = [datetime(2026, 10, day, tzinfo=ZoneInfo("Europe/Berlin")) for day in (24, 25, 26, 28)]
    assert missing([day.astimezone(UTC) for day in days], timedelta(days=1)) == [
        Span(days[2] + timedelta(days=1), days[3])
    ], "a day of 25 hours leaves none either"


def test_nothing_is_asked_for_twice() -> None:
    assert without([span(0, 10)], [span(2, 4), span(6, 20)]) == [span(0, 2), span(4, 6)]
    assert without([span(0, 10)], [span(0, 10)]) == []


def test_gaps_that_lie_close_together_are_one() -> None:
    spans = [span(0, 1), span(2, 3), span(12, 14), span(24, 25)]
    assert merged(spans, MINUTE) == [span(0, 14), span(24, 25)]
    assert merged([], MINUTE) == []


def test_long_spans_are_cut() -> None:
    assert pieces(span(0, 5), MINUTE, 2) == [span(0, 2), span(2, 4), span(4, 5)]


def test_the_last_record_of_a_span() -> None:
    assert last_record(span(3, 5), MINUTE) == times(4)[0]
    assert last_record(span(3, 4.3), MINUTE) == times(3)[0]


@given(st.sets(st.integers(0, 300), min_size=1), st.integers(1, 50))
def test_gaps_and_records_together_are_everything(present: set[int], longest: int) -> None:
    found = missing(times(*sorted(present)), MINUTE)
    parts = [part for gap in found for part in pieces(gap, MINUTE, longest)]
    absent = set(range(min(present), max(present))) - present
    asked = [
        round((part.begin - START) / MINUTE) + offset for part in parts for offset in range(expected(part, MINUTE))
    ]
    assert sorted(asked) == sorted(absent)
    assert all(expected(part, MINUTE) <= longest for part in parts)
    assert without(found, parts) == []
