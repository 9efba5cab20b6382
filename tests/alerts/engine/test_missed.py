"""Facts that are gone for good: what they told is read from what ingest has stored."""

from datetime import timedelta

import httpx
import pytest

from services.alerts.engine import history
from tests.alerts.engine.test_recovery import push_all, set_rule, shard_of, told
from tests.alerts.park import START, STREAM, Killed, Park, kill_at_statement
from tests.alerts.past import Past

LATER = 40 * 86_400
"""Seconds: the first fact that is still there is from then."""


@pytest.fixture
def past(park: Park) -> Past:
    return Past(park.producer)


def stored(past: Past, begin: int, end: int, value: float | None, flag: str = "N", number: int = 1) -> None:
    """A reading every ten seconds."""
    past.rows += [(number, START + timedelta(seconds=second), value, flag) for second in range(begin, end, 10)]


async def away(park: Park) -> None:
    """The process ends; nine facts come and are gone before it is back."""
    await park.runner.store(at_once=True)
    for _ in range(9):
        await park.push((1, LATER - 10, 0.1))
    await park.redis.flushall()
    await park.restart()


async def back(park: Park, value: float, *more: float) -> None:
    """The first facts that are there again."""
    gone = len(park.producer.facts[STREAM])
    for number, each in enumerate((value, *more)):
        await park.push((1, LATER + 10 * number, each))
    del park.producer.facts[STREAM][:gone]
    await park.settle()


async def test_what_was_live_then_is_raised_and_what_is_older_is_put_on_record(park: Park, past: Past) -> None:
    await push_all(park, 0.1, range(0, 30, 10))
    stored(past, 0, 30, 0.1)
    stored(past, 86_400, 86_500, 7.0)  # a day later, and over again
    stored(past, 86_500, 86_600, 0.1)
    stored(past, 20 * 86_400, 20 * 86_400 + 20, None, "T")
    stored(past, LATER - 100, LATER, 3.0)
    await away(park)
    await back(park, 3.0)
    assert await told(park) == [("raised", LATER - 70)]
    (row,) = await park.rows("SELECT action, colour_after, value, detail FROM journal WHERE alarm_id IS NULL")
    assert (row["action"], row["colour_after"]) == ("backfilled", "red")
    assert (row["detail"]["readings_at_a_level"], row["detail"]["over_range"]) == (12, True)
    assert row["detail"]["from"] == "2026-06-02T08:00:00Z"
    assert shard_of(park).position == 13


async def test_quiet_datastreams_are_asked_for_by_the_hour_alone(park: Park, past: Past) -> None:
    await push_all(park, 0.1, range(0, 30, 10))
    stored(past, 30, 7200, 0.2)
    await away(park)
    await back(park, 0.1)
    assert past.asked
    assert {resolution for _, resolution in past.asked} == {"hour"}


async def test_an_alarm_that_stood_returns_as_soon_as_it_is_known(park: Park, past: Past) -> None:
    await push_all(park, 3.0, range(0, 40, 10))
    stored(past, 40, 7200, 0.1)
    stored(past, LATER - 600, LATER, 0.1)
    await away(park)
    await back(park, 0.1)
    assert await told(park) == [("raised", 30), ("returned", LATER - 540)]


async def test_rules_about_a_measure_get_what_was_live(park: Park, past: Past) -> None:
    levels = [{"colour": "blue", "threshold": 0.5, "source": "the park"}]
    measure = {"kind": "rate_of_change", "window_s": 60}
    await set_rule(park, name="rise", levels=levels, measure=measure, on_delay_s=0)
    await push_all(park, 0.1, range(0, 30, 10))
    stored(past, LATER - 300, LATER - 60, 0.1)
    stored(past, LATER - 60, LATER, 1.0)
    await away(park)
    await back(park, 1.0)
    assert await told(park) == [("raised", LATER - 60)]


@pytest.mark.parametrize("statement", [2, 8])
async def test_a_crash_on_the_way_neither_loses_nor_doubles_anything(park: Park, past: Past, statement: int) -> None:
    await push_all(park, 0.1, range(0, 30, 10))
    stored(past, 86_400, 86_500, 7.0)
    stored(past, LATER - 100, LATER, 3.0)
    await away(park)
    kill_at_statement(park.database, statement)
    with pytest.raises(Killed):
        await back(park, 3.0)
    await park.restart()
    await park.settle()
    assert await told(park) == [("raised", LATER - 70)]
    assert len(await park.rows("SELECT id FROM journal WHERE alarm_id IS NULL")) == 1
    assert len(await park.alarms()) == 1


async def test_while_ingest_does_not_answer_nothing_is_passed_over(
    park: Park, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_FIRST_WAIT_S", 0.001)
    await push_all(park, 0.1, range(0, 30, 10))
    stored(past, LATER - 100, LATER, 3.0)
    await away(park)
    past.down = True
    with pytest.raises(httpx.HTTPError):
        await back(park, 3.0)
    assert not shard_of(park).ready
    past.down = False
    await park.settle()
    assert await told(park) == [("raised", LATER - 70)]


async def test_what_ingest_refuses_to_tell_keeps_nothing_back(park: Park) -> None:
    """Here it does not even know the question."""
    await push_all(park, 0.1, range(0, 30, 10))
    await away(park)
    await back(park, 3.0, 3.0, 3.0, 3.0)
    assert await told(park) == [("raised", LATER + 30)]


async def test_what_cannot_be_made_up_for_is_given_up(park: Park, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    await push_all(park, 0.1, range(0, 30, 10))
    await away(park)
    shard = shard_of(park)

    async def failing(*_: object) -> None:
        raise ValueError("what nobody foresaw")

    monkeypatch.setattr(shard._missed, "before", failing)
    await back(park, 3.0, 3.0, 3.0, 3.0)
    await park.settle()
    assert await told(park) == [("raised", LATER + 30)]
