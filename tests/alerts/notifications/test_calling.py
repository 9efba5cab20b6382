"""Calls and floods with the engine on real stores: told once, kept in the journal, gone with the acknowledgement."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.alerts.engine.calling import CallWatch
from services.alerts.lifecycle import acknowledge
from services.alerts.notifications import Policy
from services.alerts.store import alarm_questions, policies
from services.alerts.store import alarms as alarm_store
from shared.levels import Colour
from shared.messages import FloodChanged, RoleCalled
from tests.alerts.park import START, Killed, Park, Producer, datastream, kill_at_statement

STATIONS = 14


@pytest.fixture
async def producer(redis_url: str) -> AsyncIterator[Producer]:
    stands = Producer(redis_url, [datastream(number) for number in range(1, STATIONS + 1)])
    yield stands
    await stands.redis.aclose()


@pytest.fixture
def watch(park: Park) -> CallWatch:
    return CallWatch(park.database, clock=park.clock, committed=park._note_commit)


async def gas(park: Park, *numbers: int, second: float, value: float = 3.0) -> None:
    """Raised at this second of wall time; yellow."""
    for ago in (30, 20, 10, 0):
        await park.push(*((number, second - ago, value) for number in numbers))
    park.clock.at(second)
    await park.settle()


async def calls(park: Park) -> list[RoleCalled]:
    rows = await park.rows("SELECT payload FROM outbox WHERE stream = 'notifications' ORDER BY id")
    return [RoleCalled.decode(bytes(row["payload"])) for row in rows]


async def floods(park: Park) -> list[FloodChanged]:
    rows = await park.rows("SELECT payload FROM outbox WHERE stream = 'floods' ORDER BY id")
    return [FloodChanged.decode(bytes(row["payload"])) for row in rows]


async def acknowledge_all(park: Park) -> None:
    async with park.database.begin() as connection:
        for alarm in await alarm_questions.open_of_rule(connection, "level.chlorine"):
            after, entries = acknowledge(alarm, "tester", None, park.clock())
            await alarm_store.save(connection, {after.id: after}, entries)


async def test_roles_are_called_step_by_step_until_somebody_acknowledges(park: Park, watch: CallWatch) -> None:
    await gas(park, 1, second=60)
    committed = park.committed
    for second in (60, 61, 359, 361, 400):
        park.clock.at(second)
        await watch.look()
    assert [(call.role, call.after_s, call.colour) for call in await calls(park)] == [
        ("operator", 0, "yellow"),
        ("shift_leader", 300, "yellow"),
    ]
    assert park.committed == committed + 2
    (alarm,) = await park.alarms()
    assert alarm["entries"] == 3
    lines = await park.rows("SELECT number, action, detail->>'role' AS role, state_after FROM journal ORDER BY number")
    assert [(line["number"], line["action"], line["role"]) for line in lines] == [
        (1, "raise", None),
        (2, "call", "operator"),
        (3, "call", "shift_leader"),
    ]
    (incident,) = await park.rows("SELECT id FROM incident")
    assert {call.incident_id for call in await calls(park)} == {incident["id"]}

    await acknowledge_all(park)
    park.clock.at(5000)
    assert await watch.look() == 0
    assert len(await calls(park)) == 2


async def test_what_is_worse_than_what_was_acknowledged_calls_anew(park: Park, watch: CallWatch) -> None:
    await gas(park, 1, second=60)
    await watch.look()
    await acknowledge_all(park)
    await gas(park, 1, second=200, value=40.0)
    await watch.look()
    assert [(call.role, call.colour) for call in await calls(park)] == [("operator", "yellow"), ("operator", "orange")]


async def test_a_higher_colour_opens_the_steps_that_ask_for_it(park: Park, watch: CallWatch) -> None:
    await gas(park, 1, second=60)
    park.clock.at(2000)
    await watch.look()
    assert (await calls(park))[-1].role == "duty_manager"
    await gas(park, 1, second=2030, value=40.0)
    await watch.look()
    assert [call.role for call in (await calls(park))[3:]] == ["province"]


async def test_a_changed_policy_counts_for_who_waits_already(park: Park, watch: CallWatch) -> None:
    await gas(park, 1, second=60)
    await watch.look()
    policy = Policy.model_validate({"escalation": [{"role": "fire_brigade", "after_s": 30}]})
    async with park.database.begin() as connection:
        await policies.save(connection, "p", policy, "tester", "drill", park.clock())
    park.clock.at(90)
    await watch.look()
    assert [call.role for call in await calls(park)] == ["operator", "fire_brigade"]


async def test_two_replicas_call_once(park: Park, watch: CallWatch, database_url: str, redis_url: str) -> None:
    other = Park(database_url, redis_url, park.producer)
    second_watch = CallWatch(other.database, clock=park.clock, committed=lambda: None)
    await gas(park, *range(1, 6), second=60)
    for second in (60, 360, 700):
        park.clock.at(second)
        await asyncio.gather(watch.look(), second_watch.look(), watch.look(), second_watch.look())
    await other.close()
    told = [(one.alarm_id, call.role) for call in await calls(park) for one in call.alarms]
    assert len(told) == len(set(told)) == 15


@pytest.mark.parametrize("statement", range(2, 26))
async def test_a_call_is_kept_journalled_and_told_or_nothing_of_it(park: Park, statement: int) -> None:
    await gas(park, 1, second=60)
    kill_at_statement(park.database, statement)
    with_crash = CallWatch(park.database, clock=park.clock, committed=lambda: None)
    with contextlib.suppress(Killed):
        await with_crash.look()
    await park.restart()
    await CallWatch(park.database, clock=park.clock, committed=lambda: None).look()
    assert [call.role for call in await calls(park)] == ["operator"]
    (row,) = await park.rows(
        "SELECT (SELECT count(*) FROM notification) AS kept, "
        "(SELECT count(*) FROM journal WHERE action = 'call') AS told"
    )
    assert row == {"kept": 1, "told": 1}


async def test_a_flood_begins_groups_and_ends_and_loses_none(park: Park, watch: CallWatch) -> None:
    await gas(park, *range(1, 11), second=60)
    await watch.look()
    assert await floods(park) == []
    await gas(park, 11, second=70)
    (began,) = await floods(park)
    assert (began.ended_at, began.alarms[Colour.YELLOW], began.operators) == (None, 11, 1)

    # The operator has just been called about this event: the eleventh and twelfth wait, an orange one does not.
    await watch.look()
    await gas(park, 12, second=80)
    await watch.look()
    assert len(await calls(park)) == 1
    await gas(park, 13, second=90, value=40.0)
    await watch.look()
    (_, second_call) = await calls(park)
    assert (second_call.colour, second_call.flood, len(second_call.alarms)) == ("orange", True, 1)
    park.clock.at(152)
    await watch.look()
    third_call = (await calls(park))[2]
    assert (third_call.colour, len(third_call.alarms)) == ("yellow", 2)
    told = {one.alarm_id for call in await calls(park) for one in call.alarms if call.role == "operator"}
    assert len(told) == len(await park.alarms()) == 13

    park.clock.at(600)
    await watch.end_floods()
    assert len(await floods(park)) == 1
    park.clock.at(662)  # ten minutes after the first ten
    await watch.end_floods()
    await watch.end_floods()
    (_, ended) = await floods(park)
    assert (ended.flood_id, ended.ended_at) == (began.flood_id, START + timedelta(seconds=662))
    assert (ended.alarms[Colour.YELLOW], ended.alarms[Colour.ORANGE]) == (12, 1)


async def test_two_operators_look_at_twice_as_many(park: Park) -> None:
    async with park.database.begin() as connection:
        policy = Policy.model_validate({"flood": {"operators": 2}})
        await policies.save(connection, "p", policy, "tester", "two consoles", START)
    await gas(park, *range(1, STATIONS + 1), second=60)
    assert await floods(park) == []
