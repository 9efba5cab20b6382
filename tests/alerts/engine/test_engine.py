"""The engine over real PostgreSQL and Redis: outages, restarts, history, what it does not know."""

import asyncio

from redis.asyncio import Redis
from sqlalchemy import text

from services.alerts.store import rules as rule_store
from shared.messages import RegistryChanged
from shared.park_file import Rule
from tests.alerts.park import STREAM, Park, Producer, datastream, second_of, told_shortly
from tests.alerts.test_app import eventually


async def raise_alarm(park: Park, begin: int = 0, value: float = 3.0) -> None:
    for second in range(begin, begin + 40, 10):
        await park.push((1, second, value))
    await park.settle()


async def test_an_edge_is_committed_as_soon_as_its_reading_is_there(park: Park) -> None:
    for second in (0, 10, 20):
        await park.push((1, second, 3.0))
    await park.settle()
    park.producer.down = True  # then facts can come from Redis alone
    turn = asyncio.create_task(park.runner.turn(block_ms=0))
    await asyncio.sleep(0.05)  # it waits, most often
    await park.push((1, 30, 3.0))
    assert await turn == 1
    assert [fact.transition for fact in await park.told()] == ["raised"]
    assert park.committed


async def test_a_restart_between_any_two_facts_changes_nothing(park: Park) -> None:
    script = [(s, 0.1) for s in range(0, 30, 10)] + [(s, 8.0) for s in range(30, 90, 10)]
    script += [(s, 0.1) for s in range(90, 190, 10)]
    for second, value in script:
        await park.restart()
        await park.push((1, second, value))
        await park.settle()
    assert [(fact.transition, second_of(fact.event_time)) for fact in await park.told()] == [
        ("raised", 60),
        ("returned", 150),
    ]


async def test_what_redis_lost_comes_from_ingest(park: Park) -> None:
    await park.push((1, 0, 3.0))
    await park.settle()
    for second in (10, 20, 30):
        await park.push((1, second, 3.0))
    await park.redis.flushall()  # readings that nobody has read are gone
    await park.push((1, 40, 3.0))
    await park.settle()
    assert [second_of(fact.event_time) for fact in await park.told()] == [30]


async def test_without_redis_the_facts_come_from_ingest(park: Park) -> None:
    await raise_alarm(park)
    dead = Redis.from_url("redis://127.0.0.1:1/0")
    park.runner._reader._redis = dead
    for second in range(40, 120, 10):
        await park.push((1, second, 80.0))
    await park.settle()
    await dead.aclose()
    assert [fact.transition for fact in await park.told()] == ["raised", "escalated"]


async def test_a_fact_that_cannot_be_used_is_set_aside_and_stops_nobody(park: Park) -> None:
    await park.push((1, 0, 3.0))
    await park.producer.tell(STREAM, b'{"version": 1, "datastream_id": [1]}')
    await raise_alarm(park, begin=10)
    assert [second_of(fact.event_time) for fact in await park.told()] == [30]
    (refused,) = await park.rows("SELECT stream, position, reason FROM refused_fact")
    assert (refused["stream"], refused["position"]) == (STREAM, 2)
    assert "ValidationError" in refused["reason"]


async def test_a_new_datastream_is_looked_up(park: Park, producer: Producer) -> None:
    producer.datastreams.append(datastream(7))
    for second in (0, 30):
        await park.push((7, second, 3.0))
    await park.settle()
    assert [fact.station_id for fact in await park.told()] == ["p.s7"]


async def test_an_unknown_datastream_is_passed_over_without_asking_each_time(park: Park, producer: Producer) -> None:
    asked = producer.questions
    for second in range(5):
        await park.push((99, second, 3.0))
        await park.settle()
    assert producer.questions == asked + 1
    await raise_alarm(park, begin=10)
    assert len(await park.told()) == 1


async def test_a_changed_registry_is_read_again(park: Park, producer: Producer) -> None:
    asked = producer.questions
    await producer.tell("registry", RegistryChanged(park_id="p"))
    await park.settle()
    assert producer.questions == asked + 1


async def test_readings_of_hours_ago_raise_nothing_but_are_on_record(park: Park) -> None:
    await park.push(*((1, second, 80.0) for second in range(0, 600, 10)), received=7200)
    await park.settle()
    assert await park.told() == []
    (entry,) = await park.journal()
    assert (entry["action"], entry["colour_after"]) == ("backfilled", "red")
    await park.runner.store(at_once=True)
    (state,) = await park.rows("SELECT backfilled, too_late, ahead FROM passed_over")
    assert state == {"backfilled": 60, "too_late": 0, "ahead": 0}


async def test_live_readings_evaluated_hours_later_still_raise(park: Park) -> None:
    """The service was down, not the station: what counts is when ingest received them."""
    for second in range(0, 40, 10):
        await park.push((1, second, 3.0))
    park.clock.at(6 * 3600)
    await park.settle()
    assert [fact.transition for fact in await park.told()] == ["raised"]


async def test_a_clock_far_ahead_does_not_blind_a_station(park: Park) -> None:
    await park.push((1, 5000, 0.1), received=10)
    await raise_alarm(park)
    assert [fact.transition for fact in await park.told()] == ["raised"]


async def test_too_late_is_counted(park: Park) -> None:
    await park.push((1, 1000, 0.1))
    await park.settle()
    await park.push((1, 800, 80.0), received=1001)
    await park.settle()
    await park.runner.store(at_once=True)
    (state,) = await park.rows("SELECT too_late FROM passed_over")
    assert state["too_late"] == 1


async def test_minute_data_raise_where_there_are_no_realtime_data(park: Park, producer: Producer) -> None:
    producer.datastreams += [
        datastream(11, station_id="p.slow", cadence="minute"),
        datastream(12, station_id="p.s1", cadence="minute"),  # station 1 has real-time chlorine too
    ]
    for second in (0, 60):
        await park.push((11, second, 3.0), (12, second, 3.0))
    await park.settle()
    assert [fact.datastream_id for fact in await park.told()] == [11]


async def test_a_parks_rule_takes_effect_and_keeps_the_open_alarm(park: Park) -> None:
    await raise_alarm(park)
    rule = Rule.model_validate(
        {"property": "chlorine", "levels": [{"colour": "yellow", "threshold": 0.5, "source": "permit"}]}
    )
    async with park.database.begin() as connection:
        await rule_store.save_overrides(connection, "p", [rule], "tester")
    await park.rulebook.refresh()
    for second in range(40, 200, 10):
        await park.push((1, second, 1.0))  # under the default this would return
    await park.settle()
    assert [fact.transition for fact in await park.told()] == ["raised"]
    for second in range(200, 300, 10):
        await park.push((1, second, 0.1))
    await park.settle()
    assert [fact.transition for fact in await park.told()] == ["raised", "returned"]


async def test_two_processes_on_one_shard_tell_each_edge_once(park: Park, database_url: str, redis_url: str) -> None:
    other = Park(database_url, redis_url, park.producer)
    await other.runner.prepare()
    for second in range(0, 200, 10):
        await park.push((1, second, 3.0 if second < 100 else 0.1))
        await asyncio.gather(park.runner.turn(50), other.runner.turn(50))
    await asyncio.gather(park.settle(), other.settle())
    await other.close()
    assert [fact.transition for fact in await park.told()] == ["raised", "returned"]


async def test_a_shard_that_waits_for_the_database_holds_up_no_other(
    database_url: str, redis_url: str, producer: Producer
) -> None:
    park = Park(database_url, redis_url, producer, streams=["observations.1", "observations.2"])
    await park.runner.prepare()

    running = asyncio.create_task(park.runner.run())

    async def push(number: int) -> None:
        for second in range(0, 40, 10):
            await park.push((number, second, 40.0), stream=f"observations.{number}")

    async def told(number: int) -> bool:
        return number in [fact.datastream_id for fact in await park.told()]

    try:
        async with park.database.begin() as other:
            await other.execute(text("SELECT FROM position WHERE stream = 'observations.1' FOR UPDATE"))
            await push(1)
            await eventually(lambda: park.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), within_s=30)
            await push(2)
            await eventually(lambda: told(2), within_s=30)
            assert not await told(1)
        await eventually(lambda: told(1), within_s=30)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await park.close()


async def test_the_facts_carry_all_that_a_subscriber_needs(park: Park) -> None:
    await raise_alarm(park)
    (fact,) = told_shortly(await park.told())
    assert fact | {"transition_id": "-", "alarm_id": "-"} == {
        "version": 1,
        "transition_id": "-",
        "alarm_id": "-",
        "park_id": "p",
        "station_id": "p.s1",
        "datastream_id": 1,
        "property_id": "chlorine",
        "rule_id": "level.chlorine",
        "transition": "raised",
        "state": "unacknowledged",
        "colour": "yellow",
        "peak_colour": "yellow",
        "value": 3.0,
        "unit": "mg/m3",
        "threshold": 1.45,
        "event_time": "2026-06-01T08:00:30Z",
        "raised_at": "2026-06-01T08:00:30Z",
        "actor": None,
        "comment": None,
        "active": True,
        "chattering": False,
        "assigned_to": None,
    }


async def test_the_value_of_a_standing_alarm_is_kept_up_to_date(park: Park) -> None:
    await raise_alarm(park)
    await park.push((1, 40, 4.5))
    await park.push((1, 50, 4.0))
    await park.settle()
    await park.runner.store()
    (alarm,) = await park.alarms()
    assert (alarm["value"], alarm["peak_value"], alarm["entries"]) == (4.0, 4.5, 1)


async def test_a_database_outage_is_waited_for(park: Park) -> None:
    await park.push((1, 0, 3.0))
    await park.settle()
    running = asyncio.create_task(park.runner.run())
    for second in range(10, 60, 10):
        async with park.database.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND usename = current_user AND application_name = 'fenceline-alerts'"
                )
            )
        await park.push((1, second, 3.0))
        await asyncio.sleep(0.1)  # so that it is met at different places
    await eventually(park.told)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [second_of(fact.event_time) for fact in await park.told()] == [30]
