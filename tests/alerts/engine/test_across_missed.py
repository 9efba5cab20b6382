"""Facts of members that are gone for good: rules across stations read what they told from what ingest has stored."""

from datetime import timedelta

import httpx
import pytest

from services.alerts.engine import history
from services.alerts.engine.across_missed import MissedByMembers
from tests.alerts.engine.test_across import Crossing, both_high, crossing, stream_of
from tests.alerts.park import START
from tests.alerts.past import Past

__all__ = ["crossing"]
LATER = 40 * 86_400
"""Seconds: the first facts that are still there are from then."""


@pytest.fixture
def past(crossing: Crossing) -> Past:
    return Past(crossing.park.producer)


def stored(past: Past, begin: int, end: int, value: float) -> None:
    """Readings of the two stations every ten seconds."""
    past.rows += [
        (number, START + timedelta(seconds=second), value, "N") for number in (1, 2) for second in range(begin, end, 10)
    ]


async def away(crossing: Crossing) -> None:
    """The process ends; nine facts of each station come and are gone before it is back."""
    await crossing.share.write_checkpoint()
    for _ in range(9):
        await crossing.push(LATER - 10, {1: 0.1, 2: 0.1})
    await crossing.park.redis.flushall()


async def back(crossing: Crossing, *values: float) -> None:
    """The first facts that are there again."""
    facts = crossing.park.producer.facts
    gone = {stream: len(found) for stream, found in facts.items()}
    for number, value in enumerate(values):
        await crossing.push(LATER + 10 * number, {1: value, 2: value})
    for stream in {stream_of(crossing.park, number) for number in (1, 2)}:
        del facts[stream][: gone[stream]]
    await crossing.restart()


async def test_what_stood_meanwhile_is_raised(crossing: Crossing, past: Past) -> None:
    await both_high(crossing, range(0, 10, 10), 0.1)
    stored(past, LATER - 100, LATER, 3.0)
    await away(crossing)
    await back(crossing, 3.0)
    assert await crossing.told() == [("raised", "yellow", LATER - 80)]


async def test_what_stood_before_and_is_over_returns(crossing: Crossing, past: Past) -> None:
    await both_high(crossing, range(0, 40, 10))
    stored(past, LATER - 600, LATER, 0.1)
    await away(crossing)
    await back(crossing, 0.1)
    assert await crossing.told() == [("raised", "yellow", 20), ("returned", "yellow", LATER - 570)]


async def test_while_ingest_does_not_answer_nothing_is_passed_over(
    crossing: Crossing, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_FIRST_WAIT_S", 0.001)
    await both_high(crossing, range(0, 10, 10), 0.1)
    stored(past, LATER - 100, LATER, 3.0)
    await away(crossing)
    past.down = True
    with pytest.raises(httpx.HTTPError):
        await back(crossing, 3.0)
    past.down = False
    await crossing.settle()
    assert await crossing.told() == [("raised", "yellow", LATER - 80)]


async def test_what_ingest_refuses_to_tell_keeps_nothing_back(crossing: Crossing) -> None:
    """Here it does not even know the question."""
    await both_high(crossing, range(0, 10, 10), 0.1)
    await away(crossing)
    await back(crossing, 3.0, 3.0, 3.0)
    assert await crossing.told() == [("raised", "yellow", LATER + 20)]


async def test_what_cannot_be_made_up_for_is_given_up(crossing: Crossing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> None:
        raise ValueError("what nobody foresaw")

    monkeypatch.setattr(MissedByMembers, "_of", failing)
    await both_high(crossing, range(0, 10, 10), 0.1)
    await away(crossing)
    await back(crossing, 3.0, 3.0, 3.0)
    assert await crossing.told() == [("raised", "yellow", LATER + 20)]
