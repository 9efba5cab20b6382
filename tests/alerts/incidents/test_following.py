"""Alarms become incidents in the transaction that raises them: with the engine, on real stores."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.engine.surroundings import Surroundings
from services.alerts.incidents import Wind
from services.alerts.lifecycle import Alarm, Entry
from services.alerts.notifications import Policy
from services.alerts.store import incident_members, policies, surroundings
from services.alerts.store import incidents as store
from services.alerts.store.backgrounds import Background
from shared.messages import IncidentChanged, IncidentReason
from tests.alerts.park import START, Clock, Killed, Park, Producer, datastream, kill_at_statement

NEAR, FAR = 119.001, 119.03
"""About 90 m and 2.7 km east of station 1."""


@pytest.fixture
async def producer(redis_url: str) -> Any:
    stands = Producer(
        redis_url,
        [
            datastream(1),
            datastream(2, longitude=FAR),
            datastream(3, "ammonia", longitude=FAR),
            datastream(4, park_id="q", station_id="q.s4"),
            datastream(5, "ammonia", longitude=NEAR),
        ],
    )
    yield stands
    await stands.redis.aclose()


@pytest.fixture
async def placed(park: Park) -> Park:
    await around(park).keep_places()
    return park


def around(park: Park) -> Surroundings:
    return Surroundings(park.database, park.client, park.registry, owns=lambda _park: True)


async def gas(park: Park, *numbers: int, begin: float = 0, value: float = 40.0) -> None:
    """The stations of these datastreams read this for some time."""
    for second in range(0, 60, 10):
        await park.push(*((number, begin + second, value) for number in numbers))
    await park.settle()


async def air(park: Park, *numbers: int, begin: float) -> None:
    await gas(park, *numbers, begin=begin, value=0.01)
    await gas(park, *numbers, begin=begin + 60, value=0.01)


async def incidents(park: Park) -> list[dict[str, Any]]:
    return await park.rows("SELECT * FROM incident ORDER BY opened_at, id")


async def members(park: Park) -> list[list[int]]:
    """The datastreams of each incident's alarms, in the order of the incidents."""
    rows = await park.rows(
        "SELECT incident_id, array_agg(datastream_id ORDER BY datastream_id) AS found FROM incident_alarm "
        "JOIN alarm ON alarm.id = alarm_id JOIN incident ON incident.id = incident_id "
        "GROUP BY incident_id, opened_at ORDER BY opened_at, incident_id"
    )
    return [row["found"] for row in rows]


async def told(park: Park) -> list[IncidentChanged]:
    rows = await park.rows("SELECT payload FROM outbox WHERE stream = 'incidents' ORDER BY id")
    return [IncidentChanged.decode(bytes(row["payload"])) for row in rows]


async def test_one_event_from_its_first_alarm_to_the_end_of_its_last(placed: Park) -> None:
    await gas(placed, 1, value=3.0)
    await gas(placed, 2, begin=60)
    await air(placed, 1, 2, begin=120)
    (incident,) = await incidents(placed)
    assert (incident["state"], incident["alarms"], incident["active"], incident["unacknowledged"]) == (
        "settled",
        2,
        0,
        2,
    )
    assert (incident["station_ids"], incident["property_ids"]) == (["p.s1", "p.s2"], ["chlorine"])
    assert [(fact.change, fact.alarms, fact.active, fact.colour) for fact in await told(placed)] == [
        ("opened", 1, 1, "yellow"),
        ("grew", 2, 2, "orange"),
        ("escalated", 2, 2, "orange"),
        ("settled", 2, 0, "orange"),
    ]
    assert len({fact.change_id for fact in await told(placed)}) == 4


async def test_another_gas_far_off_and_another_park_are_other_events(placed: Park) -> None:
    await gas(placed, 1, 3, 4)
    assert sorted(await members(placed)) == [[1], [3], [4]]


async def test_another_gas_next_door_is_the_same_event(placed: Park) -> None:
    await gas(placed, 1, 5, value=500.0)
    assert await members(placed) == [[1, 5]]


@pytest.mark.parametrize(("from_deg", "expected"), [(270.0, [[1, 2]]), (0.0, [[1], [2]])])
async def test_the_wind_decides(placed: Park, from_deg: float, expected: list[list[int]]) -> None:
    async with placed.database.begin() as connection:
        await surroundings.save_wind(connection, "p", START - timedelta(seconds=60), Wind(from_deg, 4.0))
    await gas(placed, 1)
    await gas(placed, 2, begin=60)
    assert await members(placed) == expected
    (entry, *_) = await placed.rows("SELECT detail->>'wind_from_deg' AS wind FROM incident_entry")
    assert float(entry["wind"]) == from_deg


async def test_a_wind_of_long_ago_says_nothing(placed: Park) -> None:
    async with placed.database.begin() as connection:
        await surroundings.save_wind(connection, "p", START - timedelta(hours=1), Wind(0.0, 4.0))
    await gas(placed, 1, 2)
    assert await members(placed) == [[1, 2]]


async def test_a_park_says_what_belongs_together(placed: Park) -> None:
    async with placed.database.begin() as connection:
        policy = Policy.model_validate({"grouping": {"reach_m": 1000}})
        await policies.save(connection, "p", policy, "tester", "small park", START)
    await gas(placed, 1, 2)
    assert sorted(await members(placed)) == [[1], [2]]


async def test_an_alarm_that_comes_again_stays_where_it_is_until_its_incident_is_closed(placed: Park) -> None:
    await gas(placed, 1)
    await air(placed, 1, begin=60)
    await gas(placed, 1, begin=200)
    (incident,) = await incidents(placed)
    assert [fact.change for fact in await told(placed)] == ["opened", "settled", "resumed"]
    await air(placed, 1, begin=300)
    async with placed.database.begin() as connection:
        found = await store.one(connection, "p", incident["id"])
        assert found is not None
        await store.close(connection, found, IncidentReason.TEST, "bump test", "tester", START)
    await gas(placed, 1, begin=500)
    assert [row["state"] for row in await incidents(placed)] == ["closed", "active"]
    assert await members(placed) == [[1], [1]]


async def test_following_twice_changes_nothing(placed: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[tuple[str, Mapping[UUID, Alarm], Sequence[Entry], Background | None]] = []
    follow = incident_members.follow

    async def noted(
        connection: AsyncConnection,
        park_id: str,
        alarms: Mapping[UUID, Alarm],
        entries: Sequence[Entry],
        background: Background | None,
    ) -> list[IncidentChanged]:
        followed.append((park_id, alarms, entries, background))
        return await follow(connection, park_id, alarms, entries, background)

    monkeypatch.setattr(incident_members, "follow", noted)
    await gas(placed, 1, 2)
    before = (await incidents(placed), await members(placed), await told(placed))
    assert sum(len(entries) for _, _, entries, _ in followed) == 2
    for each in followed:
        async with placed.database.begin() as connection:
            assert await follow(connection, *each) == []
    assert (await incidents(placed), await members(placed), await told(placed)) == before


async def test_two_replicas_make_one_incident_of_one_event(
    database_url: str, redis_url: str, producer: Producer
) -> None:
    replicas = [Park(database_url, redis_url, producer, streams=[f"observations.{shard}"]) for shard in (1, 2)]
    for replica in replicas:
        await replica.runner.prepare()
    for second in range(0, 60, 10):
        for number, replica in enumerate(replicas, start=1):
            await replica.push((number, second, 40.0), stream=f"observations.{number}")
        await asyncio.gather(*(replica.runner.turn(20) for replica in replicas))
    await asyncio.gather(*(replica.settle() for replica in replicas))
    assert await members(replicas[0]) == [[1, 2]]
    assert [fact.change for fact in await told(replicas[0])] == ["opened", "grew"]
    for replica in replicas:
        await replica.close()


@pytest.mark.parametrize("statement", range(1, 31))
async def test_an_incident_is_written_with_its_alarm_or_not_at_all(placed: Park, statement: int) -> None:
    for second in range(0, 60, 10):
        await placed.push((1, second, 40.0))
    kill_at_statement(placed.database, statement)
    try:
        await placed.settle()
    except Killed:
        rows = await outside(placed)
        assert (rows["alarms"], rows["incidents"], rows["facts"]) in ((0, 0, 0), (1, 1, 1))
    await placed.restart()
    await placed.settle()
    assert await members(placed) == [[1]]
    assert [fact.change for fact in await told(placed)] == ["opened"]


async def outside(park: Park) -> dict[str, Any]:
    """What another process sees."""
    other = Park(park.database_url, park.redis_url, park.producer)
    (row,) = await other.rows(
        "SELECT (SELECT count(*) FROM alarm) AS alarms, (SELECT count(*) FROM incident) AS incidents, "
        "(SELECT count(*) FROM outbox WHERE stream = 'incidents') AS facts"
    )
    await other.close()
    return row


async def test_the_wind_is_asked_of_ingest(park: Park, producer: Producer) -> None:
    clock = Clock()

    @producer.app.get("/parks/{park_id}/meteorology")
    async def meteorology(park_id: str) -> dict[str, Any]:
        if park_id == "q":
            raise HTTPException(404, "no wind is measured")
        return {"at": clock().isoformat(), "wind_from_deg": 315.0, "wind_vector_speed_m_s": 2.5, "more": 1}

    await around(park).keep_winds()
    rows = await park.rows("SELECT park_id, at, from_deg, speed_m_s FROM park_wind")
    assert rows == [{"park_id": "p", "at": START, "from_deg": 315.0, "speed_m_s": 2.5}]


async def test_an_alarm_waits_for_few_questions(placed: Park) -> None:
    """Each is a wait of its own on the way from a reading to its event. The commit is counted too."""
    count = kill_at_statement(placed.database, 0)

    async def questions(number: int, second: int, value: float) -> int:
        before = count()
        await placed.push((number, second, value))
        await placed.settle()
        return count() - before

    assert [await questions(1, second, 40.0) for second in (0, 10, 20)] == [0, 0, 0]
    opened = await questions(1, 30, 40.0)
    await gas(placed, 2, begin=40)
    assert [await questions(1, second, 0.01) for second in (100, 130)] == [0, 0]
    returned = await questions(1, 160, 0.01)
    assert await members(placed) == [[1, 2]]
    assert [alarm["active"] for alarm in await placed.alarms()] == [False, True]
    assert opened <= 12
    assert returned <= 11


async def test_a_policy_that_cannot_be_read_holds_no_alarm_back(placed: Park) -> None:
    async with placed.database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO park_policy (park_id, version, document, updated_by, reason, updated_at) "
                "VALUES ('p', 1, CAST(:document AS jsonb), 'tester', 'another version', now())"
            ),
            {"document": '{"of_a_newer_version": 1}'},
        )
    await gas(placed, 1)
    assert len(await placed.alarms()) == 1
    assert await members(placed) == [[1]]
