"""What a new process takes up: a checkpoint, the facts that follow it, and the alarms that stand."""

import asyncio
from typing import Any

import pytest

from services.alerts.engine.shard import Shard
from services.alerts.store import rules as rule_store
from shared.park_file import Rule
from shared.streams import publish
from tests.alerts.park import STREAM, Park, Producer, datastream, kill_at_statement, second_of
from tests.alerts.test_app import eventually


def shard_of(park: Park) -> Shard:
    return park.runner._shards[STREAM]


async def told(park: Park) -> list[tuple[str, float]]:
    return [(fact.transition, second_of(fact.event_time)) for fact in await park.told()]


async def push_all(park: Park, value: float, seconds: range) -> None:
    for second in seconds:
        await park.push((1, second, value))
    await park.settle()


async def set_rule(park: Park, **rule: Any) -> None:
    async with park.database.begin() as connection:
        await rule_store.save_overrides(
            connection, "p", [Rule.model_validate({"property": "chlorine", **rule})], "tester"
        )
    await park.rulebook.refresh()


async def test_nothing_is_written_while_nothing_happens(park: Park) -> None:
    await push_all(park, 0.1, range(0, 50, 10))
    count = kill_at_statement(park.database, 0)
    await push_all(park, 0.1, range(50, 100, 10))
    assert count() == 0
    assert park.committed == 0  # nor is a relay woken


async def test_evaluation_goes_on_from_the_checkpoint_and_not_from_the_beginning(park: Park) -> None:
    await push_all(park, 3.0, range(0, 30, 10))
    await park.runner.store(at_once=True)
    await park.restart()
    assert shard_of(park).position == 3
    await push_all(park, 3.0, range(30, 40, 10))
    assert await told(park) == [("raised", 30)]


async def test_a_checkpoint_is_written_once_for_each_news(park: Park) -> None:
    assert not await shard_of(park).write_checkpoint()
    await push_all(park, 0.1, range(0, 20, 10))
    assert await shard_of(park).write_checkpoint()
    assert not await shard_of(park).write_checkpoint()


async def test_a_late_reading_after_a_restart_still_refutes(park: Park) -> None:
    await push_all(park, 3.0, range(0, 31, 15))
    await park.runner.store(at_once=True)
    await park.restart()
    await park.push((1, 20, 0.1))
    await park.settle()
    assert await told(park) == [("raised", 30), ("returned", 20)]
    (alarm,) = await park.alarms()
    assert alarm["withdrawn"]


async def test_an_edge_after_the_checkpoint_is_not_told_again(park: Park) -> None:
    await push_all(park, 3.0, range(0, 20, 10))
    await park.runner.store(at_once=True)
    await push_all(park, 3.0, range(20, 60, 10))
    await push_all(park, 20.0, range(60, 100, 10))
    before = await told(park)
    await park.restart()
    assert shard_of(park).position == 2
    await push_all(park, 0.1, range(100, 170, 10))
    assert await told(park) == [*before, ("returned", 160)]


async def test_facts_read_again_in_other_groups_give_the_same(park: Park) -> None:
    """What arrived one by one is read again at once: a reading that was too late then is so again."""
    for second in (0, 10, 20, 300, 40, 30, 310):
        await park.push((1, second, 3.0), received=310)
        await park.settle()
    assert await told(park) == []
    await park.restart()
    await park.settle()
    await park.push((1, 330, 3.0))
    await park.settle()
    assert await told(park) == [("raised", 330)]


async def test_a_rule_changed_before_the_crash_leaves_no_alarm_behind(park: Park) -> None:
    await push_all(park, 3.0, range(0, 40, 10))
    assert await told(park) == [("raised", 30)]
    await set_rule(park, levels=[{"colour": "red", "threshold": 50.0, "source": "permit"}])
    await park.restart()  # without a checkpoint: read again under the new rule, nothing would have been raised
    await push_all(park, 3.0, range(40, 110, 10))
    assert await told(park) == [("raised", 30), ("returned", 100)]


async def test_what_stands_is_taken_up_where_the_checkpoint_cannot_be_read(park: Park) -> None:
    await push_all(park, 3.0, range(0, 40, 10))
    await park.runner.store(at_once=True)
    async with park.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE checkpoint SET state = 'nonsense'")
    await park.restart()
    await push_all(park, 3.0, range(40, 80, 10))
    assert await told(park) == [("raised", 30)]
    await push_all(park, 0.1, range(80, 150, 10))
    assert await told(park) == [("raised", 30), ("returned", 140)]
    assert len(await park.alarms()) == 1


async def test_one_fact_that_the_database_refuses_is_found_among_many(park: Park) -> None:
    """The id of its station holds what PostgreSQL cannot store; the others are evaluated as if it were not there."""
    park.producer.datastreams.append(datastream(9, station_id="p.s\x009"))
    for second in range(0, 40, 10):
        await park.push((1, second, 3.0))
        await park.push((9, second, 3.0))
    for _ in range(6):
        await park.settle()
    assert await told(park) == [("raised", 30)]
    assert [row["position"] for row in await park.rows("SELECT position FROM refused_fact")] == [8]
    await park.restart()
    await push_all(park, 0.1, range(40, 110, 10))
    assert await told(park) == [("raised", 30), ("returned", 100)]


async def test_values_are_written_together_and_not_at_every_reading(park: Park) -> None:
    await push_all(park, 3.0, range(0, 40, 10))
    count = kill_at_statement(park.database, 0)
    await push_all(park, 4.0, range(40, 50, 2))
    assert count() == 0
    await park.runner.store()
    assert count() == 2  # an update and its commit
    (alarm,) = await park.alarms()
    assert (alarm["value"], alarm["peak_value"]) == (4.0, 4.0)


async def test_a_last_checkpoint_is_written_at_a_stop(park: Park) -> None:
    await push_all(park, 3.0, range(0, 20, 10))
    await park.runner.stop()
    assert await park.rows("SELECT position FROM checkpoint") == [{"position": 2}]


async def test_checkpoints_come_by_themselves(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alerts.engine.runner._VALUES_S", 0.02)
    monkeypatch.setattr("services.alerts.engine.runner._CHECKPOINT_S", 0.05)
    running = asyncio.create_task(park.runner.run())
    await park.push((1, 0, 3.0))

    async def written() -> bool:
        return await park.rows("SELECT position FROM checkpoint") == [{"position": 1}]

    await eventually(written)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_readings_while_another_station_alarms_are_all_evaluated(park: Park, producer: Producer) -> None:
    """Many stations in one fact, some of which alarm: columns and single readings side by side."""
    producer.datastreams += [datastream(number) for number in range(10, 60)]
    for second in range(0, 80, 10):
        await park.push(*((n, second, 3.0 if n % 10 == 0 and second >= 20 else 0.1) for n in range(10, 60)))
    await park.settle()
    assert sorted((fact.station_id, second_of(fact.event_time)) for fact in await park.told()) == [
        (f"p.s{number}", 50) for number in range(10, 60, 10)
    ]


async def test_where_facts_are_gone_for_good_the_alarms_tell_what_stands(park: Park) -> None:
    await push_all(park, 3.0, range(0, 40, 10))
    for second in range(40, 120, 10):
        await park.push((1, second, 0.1))
    await park.redis.flushall()
    del park.producer.facts[STREAM][:4]  # beyond ingest's retention, and there was no checkpoint yet
    await publish(park.redis, park.producer.facts[STREAM])
    await park.restart()
    await park.settle()
    assert await told(park) == [("raised", 30), ("returned", 100)]
    assert len(await park.alarms()) == 1
