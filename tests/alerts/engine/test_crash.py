"""A crash at any statement between reading, state, journal and publication: no edge is missing and none is doubled."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import create_engine
from tests.alerts.park import Killed, Park, Producer, datastream, kill_at_statement

CHECKPOINTS = (2, 7, 11)
"""After these facts: before anything stands, while an alarm stands, at the end."""
PARTS = 4
VALUES = [(0, 0.1), (10, 8.0), (40, 8.0), (50, 90.0), (80, 90.0), (65, 3.0), (100, 0.1), (160, 0.1)]


async def story(park: Park, number: int, stream: str) -> dict[str, Any]:
    """What the alarms of one station are after all is read, less the ids that differ from station to station."""
    told = await park.told()
    facts = [
        (fact.transition, fact.state, fact.colour, fact.event_time, fact.value)
        for fact in told
        if fact.datastream_id == number
    ]
    ids = [fact.transition_id for fact in told]
    assert len(ids) == len(set(ids))
    alarms = [
        {name: value for name, value in alarm.items() if name not in ("station_id", "datastream_id")}
        for alarm in await park.alarms()
        if alarm["datastream_id"] == number
    ]
    journal = [
        {name: value for name, value in entry.items() if name != "datastream_id"}
        for entry in await park.journal()
        if entry["datastream_id"] == number
    ]
    counts = await park.rows(f"SELECT too_late, backfilled FROM passed_over WHERE datastream_id = {number}")
    positions = await park.rows(
        "SELECT position.position AS applied, checkpoint.position "
        f"FROM position JOIN checkpoint USING (stream) WHERE stream = '{stream}'"
    )
    return {
        "facts": facts,
        "alarms": alarms,
        "journal": journal,
        "state": memory_of(park, stream),
        "counts": counts,
        "positions": positions,
    }


def memory_of(park: Park, stream: str) -> list[Any]:
    columns = park.runner._shards[stream]._watched.columns
    track = columns.track(0)
    return [track.head, track.edges, columns.head.get(0, len(track.rule.levels))]


async def one_by_one(park: Park, stream: str) -> None:
    """Each fact by itself, and a checkpoint now and then, so that there are as many places to die as can be."""
    shard = park.runner._shards[stream]
    for fact in park.producer.facts[stream][shard.position :]:
        await park.runner._evaluate(shard, [fact])
        await shard.tell_values()
        if fact.position in CHECKPOINTS:
            await shard.write_checkpoint()


async def tell_story(park: Park, number: int, stream: str) -> None:
    for second, value in VALUES:
        await park.push((number, second, value), stream=stream)
    await park.push((number, 30, 0.1), stream=stream)  # too late
    await park.push((number, -7200, 9.0), stream=stream, received=160)  # history
    await park.push((number, 161, 0.1), stream=stream)


@pytest.mark.parametrize("part", range(PARTS))
async def test_killed_at_every_statement_in_turn(database_url: str, redis_url: str, part: int) -> None:
    """Each part has its share of the statements, so that no test takes long on a slow machine."""
    producer = Producer(redis_url, [])
    engine = create_engine(database_url, "alerts")
    calm = await ready(database_url, redis_url, producer, 1, engine)
    statements = kill_at_statement(calm.database, 0)
    await one_by_one(calm, "observations.1")
    places = statements()
    expected = await story(calm, 1, "observations.1")
    await calm.close()
    assert [fact[0] for fact in expected["facts"]] == ["raised", "escalated", "deescalated", "returned"]
    assert places > 30

    for place in range(1 + part, places + 1, PARTS):
        number, stream = place + 1, f"observations.{place + 1}"
        park = await ready(database_url, redis_url, producer, number, engine)
        kill_at_statement(park.database, place)
        with pytest.raises(Killed):
            await one_by_one(park, stream)
        await park.restart()
        await one_by_one(park, stream)
        assert await story(park, number, stream) == expected, f"killed at statement {place}"
        await park.close()
    await engine.dispose()
    await producer.redis.aclose()


async def ready(database_url: str, redis_url: str, producer: Producer, number: int, engine: AsyncEngine) -> Park:
    """A park of one datastream whose story waits to be read."""
    producer.datastreams[:] = [datastream(number, park_id=f"p{number}")]
    stream = f"observations.{number}"
    park = Park(database_url, redis_url, producer, streams=[stream], shared_engine=engine)
    await tell_story(park, number, stream)
    await park.runner.prepare()
    return park
