"""Which records of a device are missing: pure functions over the times of those that are there.

Times are aware ``datetime`` values, the beginnings of periods, in order. A span is half open: ``[begin, end)``.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from services.ingest.commands.loggers import MINUTE_INTERVALS
from services.ingest.registry.snapshot import Device

ALLOWED: dict[str, frozenset[timedelta]] = {
    "minute": frozenset(timedelta(minutes=minutes) for minutes in MINUTE_INTERVALS),
    "hour": frozenset({timedelta(hours=1)}),
    "day": frozenset({timedelta(days=1)}),
}
"""The intervals at which records of a cadence may follow each other. A device's own is told by what it sends."""
MIN_STEPS = 3
"""So many times an interval has to be seen before it is believed."""

MERGED_RECORDS = 10
"""So many records between two gaps are rather sent again than asked around."""

BY_ITSELF = frozenset({"a01901"})
"""The temperature of a furnace: it comes by 2111, which no request names, and tells nothing of minute records."""


class Span(NamedTuple):
    """From the beginning of the first missing record to the beginning of the next that is there."""

    begin: datetime
    end: datetime


def datastreams_of(device: Device, cadence: str) -> list[int]:
    """The ids of a device's datastreams whose records it can be asked for, in order."""
    return sorted(
        stream.id for (factor, of), stream in device.streams.items() if of == cadence and factor not in BY_ITSELF
    )


def interval_of(times: Sequence[datetime], cadence: str) -> timedelta | None:
    """The interval at which a device makes its records: the most frequent step. None where too little is known."""
    allowed = ALLOWED.get(cadence, frozenset())
    steps = Counter(step for before, after in pairwise(times) if (step := after - before) in allowed)
    if not steps:
        return None
    # Of two that are equally frequent the shorter: the longer ones are what gaps leave.
    step, count = min(steps.items(), key=lambda item: (-item[1], item[0]))
    return step if count >= MIN_STEPS else None


def missing(times: Sequence[datetime], interval: timedelta) -> list[Span]:
    """The spans between ``times`` in which at least one record is absent.

    What lies before the first record is not known to have ever been; what lies after the last may still come.
    """
    # Half an interval of slack: a device's clock moves when it is set, and a day has 23 to 25 hours.
    return [Span(before + interval, after) for before, after in pairwise(times) if after - before >= interval * 3 / 2]


def without(spans: Iterable[Span], known: Sequence[Span]) -> list[Span]:
    """The parts of ``spans`` that are not in ``known``, so that nothing is asked for twice."""
    left = list(spans)
    for cut in known:
        left = [
            part
            for span in left
            for part in (Span(span.begin, min(span.end, cut.begin)), Span(max(span.begin, cut.end), span.end))
            if part.begin < part.end
        ]
    return left


def merged(spans: Sequence[Span], interval: timedelta) -> list[Span]:
    """Spans with few records between them as one: a device that loses single records is asked once for many."""
    found: list[Span] = []
    for span in spans:
        if found and span.begin - found[-1].end < interval * MERGED_RECORDS:
            found[-1] = Span(found[-1].begin, span.end)
        else:
            found.append(span)
    return found


def pieces(span: Span, interval: timedelta, longest: int) -> list[Span]:
    """The span cut into parts of at most ``longest`` records each."""
    step, found, begin = interval * longest, [], span.begin
    while begin < span.end:
        found.append(Span(begin, min(begin + step, span.end)))
        begin += step
    return found


def last_record(span: Span, interval: timedelta) -> datetime:
    """The beginning of the last record of a span: what a request names as its end."""
    return span.begin + interval * (expected(span, interval) - 1)


def expected(span: Span, interval: timedelta) -> int:
    """How many records a span should have."""
    return max(1, round((span.end - span.begin) / interval))
