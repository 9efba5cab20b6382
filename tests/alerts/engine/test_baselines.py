"""A rule about the baseline of its datastream, over real PostgreSQL and Redis: learned ahead, kept, and explained."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.alerts.engine.history import HistoryUnavailable
from services.alerts.store import baselines as store
from tests.alerts.engine.test_measures import put_in_force, tell, told
from tests.alerts.park import START, Park, datastream
from tests.alerts.past import Past

UNUSUAL = {
    "property": "chlorine",
    "name": "unusual",
    "on_delay_s": 30,
    "off_delay_s": 0,
    "levels": [{"colour": "blue", "threshold": 6, "source": "the park"}],
    "measure": {"kind": "baseline_deviation", "over_days": 4, "least_days": 3, "least": 0.01},
}
USUAL = (0.09, 0.1, 0.1, 0.11, 0.3)
"""Median 0.1, median absolute deviation 0.01: a standard deviation of 0.0148."""


@pytest.fixture
def past(park: Park) -> Past:
    return Past(park.producer)


def hours_before(days: int, hour_off: int = 0) -> list[datetime]:
    """The hour of START (16 o'clock in the park), or one beside it, so many days ago; five minutes of it."""
    begin = START - timedelta(days=days) + timedelta(hours=hour_off)
    return [begin + timedelta(minutes=minute) for minute in range(len(USUAL))]


def know(past: Past, days: range, number: int = 1) -> None:
    for day in days:
        past.rows += [(number, at, value, "N") for at, value in zip(hours_before(day), USUAL, strict=True)]


def story(value: float, begin: int = 0) -> list[tuple[int, float]]:
    return [(second, value) for second in range(begin, begin + 60, 10)]


async def test_what_is_far_below_the_levels_but_unusual_at_this_hour_is_told_with_its_reason(
    park: Park, past: Past
) -> None:
    await put_in_force(park, UNUSUAL)
    know(past, range(2, 6))
    past.rows += [(1, at, 50.0, "N") for day in (0, 1, 6) for at in hours_before(day)]  # not of its days
    past.rows += [(1, at, 9.0, "D") for at in hours_before(3, 0)]  # proves nothing
    assert await park.baselines.look() == 4  # of both stations today, and tomorrow ahead
    await tell(park, story(0.15))
    assert await told(park) == []
    await tell(park, [*story(0.25, 100), (160, 0.1)])
    assert await told(park) == [("unusual.chlorine", "raised", 130.0), ("unusual.chlorine", "returned", 160.0)]
    (alarm,) = await park.rows("SELECT unit, threshold, peak_value FROM alarm")
    assert (alarm["unit"], alarm["threshold"]) == ("1", 6.0)
    assert alarm["peak_value"] == pytest.approx(0.15 / 0.014826)
    (raised, _) = await park.rows("SELECT detail FROM journal ORDER BY number")
    assert raised["detail"]["measure"]["kind"] == "baseline_deviation"
    assert raised["detail"]["baseline"] == {
        "hour": 16,
        "median": 0.1,
        "mad": pytest.approx(0.01),
        "standard_deviation": pytest.approx(0.014826),
        "readings": 20,
        "days": 4,
    }


async def test_nothing_is_told_before_enough_days_are_known(park: Park, past: Past) -> None:
    await put_in_force(park, UNUSUAL)
    know(past, range(2, 4))
    await park.baselines.look()
    await tell(park, story(0.9))
    assert await told(park) == []


async def test_a_new_process_goes_on_with_what_was_learned_and_asks_for_nothing_twice(park: Park, past: Past) -> None:
    await put_in_force(park, UNUSUAL)
    know(past, range(2, 6))
    await park.baselines.look()
    await tell(park, story(0.9)[:3])
    await park.runner.store(at_once=True)
    asked = len(past.asked)
    past.rows.clear()
    await park.restart()
    assert await park.baselines.look() == 0
    assert len(past.asked) == asked
    await tell(park, story(0.9)[3:])
    assert await told(park) == [("unusual.chlorine", "raised", 30.0)]


async def test_the_next_day_is_learned_on_its_eve_and_an_older_one_stands_in_for_a_while(
    park: Park, past: Past
) -> None:
    await put_in_force(park, UNUSUAL)
    know(past, range(2, 6))
    await park.baselines.look()
    park.clock.at(86_400)
    assert await park.baselines.look() == 2  # one of each station
    usual = park.baselines.usual[4]
    us = int(START.timestamp() * 1e6)
    in_days = [usual.hour(1, us + day * 86_400_000_000) for day in range(5)]
    assert [each is not None for each in in_days] == [True, True, True, True, False]
    past.down = True
    park.clock.at(4 * 86_400)
    await park.baselines.load()
    in_days = [park.baselines.usual[4].hour(1, us + day * 86_400_000_000) for day in range(3, 8)]
    assert [each is not None for each in in_days] == [True, True, True, False, False]


async def test_only_datastreams_with_such_a_rule_are_learned_and_one_that_fails_keeps_none_back(
    park: Park, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    park.producer.datastreams.append(datastream(5, "ammonia"))
    await park.registry.refresh()
    assert await park.baselines.look() == 0
    assert past.asked == []
    await put_in_force(park, UNUSUAL)
    whole = park.client.get

    async def failing(path: str, **more: Any) -> Any:
        if more.get("params", {}).get("datastream_id") == [1]:
            raise HistoryUnavailable("no")
        return await whole(path, **more)

    monkeypatch.setattr(park.client, "get", failing)
    know(past, range(2, 6), number=2)
    assert await park.baselines.look() == 2
    assert {number for number, _ in past.asked} == {2}
    assert {resolution for _, resolution in past.asked} == {"minute"}


async def test_old_baselines_are_forgotten(park: Park, past: Past) -> None:
    await put_in_force(park, UNUSUAL)
    await park.baselines.look()
    park.clock.at(40 * 86_400)
    await park.baselines.look()
    async with park.database.connect() as connection:
        kept = await store.between(connection, 4, [1, 2], START.date(), START.date() + timedelta(days=99))
    assert {(each.baseline.day - START.date()).days for each in kept} == {40, 41}
