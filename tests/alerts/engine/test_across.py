"""Rules across stations in the engine: what the readings of many shards do to one alarm of the park."""

import asyncio
import random
from collections.abc import AsyncIterator
from math import inf
from typing import Any
from uuid import uuid4

import pytest

from services.alerts.engine import across_watch
from services.alerts.engine.across import AcrossShare
from services.alerts.engine.across_book import AcrossBook
from services.alerts.engine.across_missed import MissedByMembers
from services.alerts.engine.across_watch import AcrossWatch
from services.alerts.engine.readings import Limits
from services.alerts.rules import Origin
from services.alerts.rules.across import ParkRule
from services.alerts.store import across_rules, overrides
from shared import outbox
from shared.database import create_engine
from shared.park_file import AcrossRule
from shared.streams import READ_COUNT, FactReader, observation_stream, shard_of
from tests.alerts.park import SECOND, Killed, Park, Producer, datastream, kill_at_statement, second_of
from tests.alerts.test_app import eventually

SHARDS = 4
TWO_OF_THREE = {
    "name": "fence",
    "condition": {"kind": "k_of_n", "property": "chlorine", "ring": "boundary", "k": 2, "within_s": 0},
    "levels": [
        {"colour": "yellow", "threshold": 1.0, "source": "permit"},
        {"colour": "red", "threshold": 5.0, "source": "permit"},
    ],
    "on_delay_s": 20,
    "off_delay_s": 30,
}


class Crossing:
    """A park's rules across stations over real stores, as one process of the service evaluates them."""

    def __init__(self, park: Park, *, park_id: str = "p") -> None:
        self.park = park
        self.park_id = park_id
        self.make()

    def make(self) -> None:
        park = self.park
        self.book = AcrossBook(park.database, park.registry, park.delays)
        self.share = AcrossShare(
            f"across.{self.park_id}",
            park.database,
            park.registry,
            self.book,
            Limits(900 * SECOND, 600 * SECOND),
            SHARDS,
            owns=lambda park_id: park_id == self.park_id,
            missed=MissedByMembers(park.client, park.registry, SHARDS),
        )
        reader = FactReader(park.redis, outbox.http_catch_up(park.client), poll_s=0.01)
        self.watch = AcrossWatch(
            reader, [self.share], self.book, park.registry, park.client, clock=park.clock, committed=lambda: None
        )

    async def settle(self) -> None:
        await self.book.refresh()
        while await self.watch.turn(self.share, block_ms=20):
            pass

    async def restart(self) -> None:
        await self.park.close()
        self.park._make()
        self.make()
        await self.park.registry.refresh()
        await self.settle()

    async def set_rule(self, **more: Any) -> ParkRule:
        rule = ParkRule(
            self.park_id,
            AcrossRule.model_validate(TWO_OF_THREE | more),
            Origin("api", uuid4(), 1, "tester", self.park.clock(), "test"),
        )
        async with self.park.database.begin() as connection:
            await overrides.lock(connection, self.park_id, "tester")
            await across_rules.save(connection, rule)
        await self.settle()
        return rule

    async def push(self, second: float, values: dict[int, float | None], flag: str = "N") -> None:
        for number, value in values.items():
            await self.park.push((number, second, value, flag), stream=stream_of(self.park, number), received=second)

    async def told(self) -> list[tuple[str, str, float]]:
        return [
            (fact.transition, fact.colour, second_of(fact.event_time))
            for fact in await self.park.told()
            if fact.park_id == self.park_id
        ]


def stream_of(park: Park, number: int) -> str:
    (station,) = [one["station_id"] for one in park.producer.datastreams if one["id"] == number]
    return observation_stream(shard_of(station, SHARDS))


@pytest.fixture
async def crossing(database_url: str, redis_url: str) -> AsyncIterator[Crossing]:
    """Three stations at the boundary, in different shards."""
    producer = Producer(redis_url, [datastream(number) for number in (1, 2, 3)])
    park = Park(database_url, redis_url, producer)
    await park.registry.refresh()
    one = Crossing(park)
    await one.set_rule()
    yield one
    await one.park.close()
    await producer.redis.aclose()


async def both_high(crossing: Crossing, seconds: range, value: float = 3.0) -> None:
    for second in seconds:
        await crossing.push(second, {1: value, 2: value, 3: 0.1})
    await crossing.settle()


async def test_two_stations_of_different_shards_make_one_alarm_of_the_park(crossing: Crossing) -> None:
    assert len({stream_of(crossing.park, number) for number in (1, 2, 3)}) > 1
    await both_high(crossing, range(0, 40, 10))
    await both_high(crossing, range(40, 80, 10), 6.0)
    await both_high(crossing, range(80, 150, 10), 0.1)
    assert await crossing.told() == [("raised", "yellow", 20), ("escalated", "red", 60), ("returned", "red", 110)]
    (alarm,) = await crossing.park.alarms()
    assert (alarm["station_id"], alarm["datastream_id"], alarm["rule_id"]) == ("p", None, "across.fence")
    (raised, *_) = await crossing.park.rows("SELECT detail FROM journal WHERE action = 'raise'")
    across = raised["detail"]["across"]
    assert [(one["station_id"], one["value"]) for one in across["stations"][:2]] == [("p.s1", 3.0), ("p.s2", 3.0)]
    assert (across["kind"], across["k"], across["members"]) == ("k_of_n", 2, 3)


async def test_one_station_alone_raises_nothing_and_bad_data_neither_raise_nor_clear(crossing: Crossing) -> None:
    for second in range(0, 60, 10):
        await crossing.push(second, {1: 9.0, 3: 0.1})
        await crossing.push(second, {2: 9.0}, "D")
    await crossing.settle()
    assert await crossing.told() == []
    await both_high(crossing, range(60, 90, 10))
    for second in range(90, 600, 10):
        await crossing.push(second, {1: 3.0, 3: 0.1})
        await crossing.push(second, {2: 0.1}, "B")
    await crossing.settle()
    assert await crossing.told() == [("raised", "yellow", 80)]


async def test_readings_in_any_order_of_streams_give_the_same_alarm(crossing: Crossing) -> None:
    rows = [(n, s, 3.0 if n < 3 and s < 60 else 0.1) for s in range(0, 120, 10) for n in (1, 2, 3)]
    random.Random(4).shuffle(rows)
    for number, second, value in rows:
        await crossing.park.push((number, second, value), stream=stream_of(crossing.park, number), received=130)
    await crossing.settle()
    (alarm,) = await crossing.park.alarms()
    assert (second_of(alarm["raised_at"]), second_of(alarm["returned_at"]), alarm["withdrawn"]) == (20, 90, False)


async def test_a_restart_between_any_two_facts_changes_nothing(crossing: Crossing) -> None:
    for second in range(0, 100, 10):
        await crossing.push(second, {1: 3.0 if second < 50 else 0.1, 2: 3.0})
        await crossing.restart()
    assert await crossing.told() == [("raised", "yellow", 20), ("returned", "yellow", 80)]


async def test_what_redis_lost_comes_from_ingest(crossing: Crossing) -> None:
    await both_high(crossing, range(0, 10, 10))
    for second in (10, 20, 30):
        await crossing.push(second, {1: 3.0, 2: 3.0})
    await crossing.park.redis.flushall()
    await crossing.push(40, {1: 3.0, 2: 3.0})
    await crossing.settle()
    assert await crossing.told() == [("raised", "yellow", 20)]


async def test_a_stream_that_is_far_behind_is_waited_for(crossing: Crossing) -> None:
    """What came later in the others is not evaluated first, and nothing is passed over."""
    count = READ_COUNT + 20
    for second in range(count):
        await crossing.push(second, {1: 0.1})
    await crossing.push(count, {2: 0.1})
    await crossing.book.refresh()
    await crossing.watch.turn(crossing.share, block_ms=20)
    assert crossing.share.positions[stream_of(crossing.park, 2)] == 0
    await crossing.settle()
    assert crossing.share.positions[stream_of(crossing.park, 2)] >= 1


async def test_two_processes_on_one_share_tell_each_edge_once(crossing: Crossing) -> None:
    other = Crossing(crossing.park)
    for second in range(0, 100, 10):
        await crossing.push(second, {1: 3.0 if second < 50 else 0.1, 2: 3.0})
        await crossing.settle()
        await other.settle()
    assert await crossing.told() == [("raised", "yellow", 20), ("returned", "yellow", 80)]


async def test_a_changed_rule_keeps_the_alarm_and_one_that_is_taken_away_ends_it(crossing: Crossing) -> None:
    await both_high(crossing, range(0, 40, 10))
    async with crossing.park.database.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM across_rule")
    changed = await crossing.set_rule(levels=[{"colour": "yellow", "threshold": 2.0, "source": "permit"}])
    await both_high(crossing, range(40, 60, 10))
    assert await crossing.told() == [("raised", "yellow", 20)]
    async with crossing.park.database.begin() as connection:
        await overrides.lock(connection, "p", "tester")
        origin = Origin("api", changed.origin.override_id, 2, "tester", crossing.park.clock(), "gone")
        await across_rules.remove(connection, "p", origin)
    await crossing.settle()
    assert [each[0] for each in await crossing.told()] == ["raised", "returned"]
    assert await crossing.park.rows("SELECT share FROM across_state") == []
    held = crossing.park.producer.read["alerts-across.p"]
    assert all(position > 2**62 for position in held.values())


async def test_without_rules_nothing_is_asked_or_read(database_url: str, redis_url: str) -> None:
    producer = Producer(redis_url, [datastream(1)])
    park = Park(database_url, redis_url, producer)
    await park.registry.refresh()
    crossing = Crossing(park)
    await crossing.settle()
    statements = kill_at_statement(park.database, 0)
    await crossing.push(0, {1: 3.0})
    assert await crossing.watch.turn(crossing.share, block_ms=5) == 0
    assert statements() == 0
    await park.close()
    await producer.redis.aclose()


async def test_a_station_under_maintenance_does_not_count(crossing: Crossing) -> None:
    async with crossing.park.database.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO suppression (id, park_id, station_id, kind, reason, until, begun_at, begun_by) "
            "VALUES (gen_random_uuid(), 'p', 'p.s2', 'maintenance', 'span gas', now() + interval '1 day', now(), 'me')"
        )
    await both_high(crossing, range(0, 40, 10), 9.0)
    assert await crossing.told() == []


async def test_what_stands_is_taken_up_where_the_state_is_lost(crossing: Crossing) -> None:
    await both_high(crossing, range(0, 40, 10))
    async with crossing.park.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE across_state SET state = 'nonsense'")
    await crossing.restart()
    await both_high(crossing, range(40, 60, 10))
    assert await crossing.told() == [("raised", "yellow", 20)]
    await both_high(crossing, range(60, 120, 10), 0.1)
    assert await crossing.told() == [("raised", "yellow", 20), ("returned", "yellow", 90)]


async def test_what_nobody_foresaw_in_one_share_is_told_and_keeps_no_other_back(
    crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Crossing(crossing.park, park_id="q")

    async def failing() -> None:
        raise ValueError("what nobody foresaw")

    monkeypatch.setattr(other.share, "begin", failing)
    monkeypatch.setattr(AcrossShare, "is_idle", False)
    crossing.watch.shares.append(other.share)
    running = asyncio.create_task(crossing.watch.run())
    for second in range(0, 40, 10):
        await crossing.push(second, {1: 3.0, 2: 3.0})
    await eventually(crossing.told)
    with pytest.raises(RuntimeError, match="what nobody foresaw"):
        await crossing.watch.check()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


STORY = ((0, 3.0), (20, 3.0), (30, 0.1), (60, 0.1))


async def tell_story(crossing: Crossing, number: int) -> None:
    for second, value in STORY:
        await crossing.push(second, {number + 1: value, number + 2: value})
        await crossing.watch.turn(crossing.share, block_ms=5)
        if second == 20:
            await crossing.share.write_checkpoint()


async def test_killed_at_every_statement_in_turn(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No edge is missing and none is doubled, wherever the process ends."""
    # What is due now and then would make the number of statements one of the speed of this machine.
    monkeypatch.setattr(across_watch, "_VALUES_S", 0.0)
    monkeypatch.setattr(across_watch, "_CHECKPOINT_S", inf)
    producer = Producer(redis_url, [])
    engine = create_engine(database_url, "alerts")
    park = Park(database_url, redis_url, producer, shared_engine=engine)
    place = places = 0
    while place <= places:
        number = 10 * place
        producer.datastreams[:] = [
            datastream(number + n, park_id=f"p{place}", station_id=f"p{place}.s{n}") for n in (1, 2)
        ]
        await park.registry.refresh()
        crossing = Crossing(park, park_id=f"p{place}")
        await crossing.set_rule()
        seen = kill_at_statement(park.database, place)
        if not place:
            await tell_story(crossing, number)
            places = seen()
            assert places > 8
        else:
            with pytest.raises(Killed):
                await tell_story(crossing, number)
            await crossing.restart()
            await tell_story(crossing, number)
            await crossing.settle()
        told = [("raised", "yellow", 20), ("returned", "yellow", 60)]
        assert await crossing.told() == told, f"killed at statement {place}"
        place += 1
    await park.close()
    await engine.dispose()
    await producer.redis.aclose()
