"""The edge of hiding: on wall time, over a real database, in virtual time."""

from datetime import timedelta
from uuid import uuid4

from services.alerts.conditions import Change, Edge, Level, LevelRule
from services.alerts.conditions.measures import Stuck
from services.alerts.engine import effects
from services.alerts.engine.hiding import HidingWatch
from services.alerts.lifecycle import acknowledge, shelve
from services.alerts.store import alarms as store
from services.alerts.store import suppressions
from services.alerts.store.suppressions import Kind, Suppression
from shared.levels import Colour
from shared.time import to_microseconds
from tests.alerts.park import START, Park

RULE = LevelRule("level.chlorine", (Level(Colour.RED, 5.0),), 0, 0)


def watch_of(park: Park) -> HidingWatch:
    return HidingWatch(park.database, clock=park.clock, committed=lambda: None)


async def raise_at(park: Park, second: float = 0) -> None:
    for offset in range(0, 40, 10):
        await park.push((1, second + offset, 3.0))
    await park.settle()


async def put(park: Park, kind: Kind, *, for_s: float) -> None:
    """As two processes would have it: nobody has told the alarms yet."""
    said = Suppression(
        uuid4(), "p", "p.s1", None, kind, "why", START + timedelta(seconds=for_s), park.clock.now, "operator"
    )
    async with park.database.begin() as connection:
        assert await suppressions.begin(connection, said)
        assert not await suppressions.begin(connection, said)


async def states(park: Park) -> list[tuple[str, str]]:
    return [(alarm["rule_id"], alarm["state"]) for alarm in await park.alarms()]


async def test_a_shelving_ends_at_its_second(park: Park) -> None:
    await raise_at(park)
    async with park.database.begin() as connection:
        (alarm,) = await store.lock_open(connection, ["datastream:1"])
        step = shelve(alarm, "operator", "why", START + timedelta(seconds=300), START + timedelta(seconds=40))
        await effects.save_changes(connection, [alarm], {alarm.id: step[0]}, step[1], START)
    park.clock.at(299.9)
    assert await watch_of(park).look() == []
    park.clock.at(300)
    assert [entry.action for entry in await watch_of(park).look()] == ["unshelve"]
    assert await watch_of(park).look() == []
    assert await states(park) == [("level.chlorine", "unacknowledged")]


async def test_an_alarm_that_was_raised_beside_the_beginning_of_maintenance_is_put_right(park: Park) -> None:
    await raise_at(park)
    park.clock.at(40)
    await put(park, Kind.MAINTENANCE, for_s=100)
    assert [entry.action for entry in await watch_of(park).look()] == ["suppress"]
    park.clock.at(100)
    assert [entry.action for entry in await watch_of(park).look()] == ["unsuppress"]
    assert await states(park) == [("level.chlorine", "unacknowledged")]


async def test_maintenance_does_not_hide_silence_but_out_of_service_does(park: Park) -> None:
    await put(park, Kind.MAINTENANCE, for_s=10_000)
    for second in range(0, 240, 40):
        park.clock.at(second)
        await park.settle()
        await park.watch.look()
    silent = {alarm["station_id"]: alarm["state"] for alarm in await park.alarms()}
    assert silent == {"p.s1": "unacknowledged", "p.s2": "unacknowledged"}
    await put(park, Kind.OUT_OF_SERVICE, for_s=10_000)
    await watch_of(park).look()
    silent = {alarm["station_id"]: alarm["state"] for alarm in await park.alarms()}
    assert silent == {"p.s1": "out_of_service", "p.s2": "unacknowledged"}


async def test_evaluation_goes_on_while_an_alarm_is_hidden(park: Park) -> None:
    await put(park, Kind.MAINTENANCE, for_s=10_000)
    await raise_at(park)
    for second in range(40, 140, 10):
        await park.push((1, second, 0.1))
    await park.settle()
    assert [entry["action"] for entry in await park.journal()] == ["raise", "return"]
    ((_, state),) = await states(park)
    assert state == "suppressed"
    park.clock.at(10_000)
    assert [entry.action for entry in await watch_of(park).look()] == ["unsuppress", "close"]


def goes(before: int, after: int, second: int) -> Change:
    at = to_microseconds(START) + second * 1_000_000
    edge = Edge(at, before, after, 6.0, over_range=False, since=at, peak=6.0)
    return Change(before, after, before, (), (edge,), None)


async def respond(park: Park, *changed: tuple[LevelRule, list[Change]]) -> list[str]:
    registered = park.registry.datastream(1)
    assert registered is not None
    async with park.database.begin() as connection:
        found = [(registered, rule, changes) for rule, changes in changed]
        return [entry.action for entry in await effects.respond(connection, found, START)]


async def test_a_lower_level_of_a_datastream_is_suppressed_under_a_higher_one(park: Park) -> None:
    mean = LevelRule("mean.chlorine", (Level(Colour.YELLOW, 1.0),), 0, 0)
    told = await respond(park, (mean, [goes(0, 1, 0)]), (RULE, [goes(0, 1, 0)]))
    assert told == ["raise", "raise", "suppress"]
    assert sorted(await states(park)) == [
        ("level.chlorine", "unacknowledged"),
        ("mean.chlorine", "suppressed"),
    ]
    stuck = LevelRule("stuck.chlorine", (Level(Colour.BLUE, 60.0),), 0, 0, measure=Stuck(60_000_000))
    assert await respond(park, (stuck, [goes(0, 1, 30)])) == ["raise"]  # says something else
    assert await respond(park, (RULE, [goes(1, 0, 60)])) == ["return", "unsuppress"]
    assert sorted(await states(park)) == [
        ("level.chlorine", "returned_unacknowledged"),
        ("mean.chlorine", "unacknowledged"),
        ("stuck.chlorine", "unacknowledged"),
    ]


async def test_an_alarm_that_ends_and_the_next_one_go_into_one_transaction(park: Park) -> None:
    await respond(park, (RULE, [goes(0, 1, 0)]))
    for turn in range(1, 9):
        async with park.database.begin() as connection:
            (alarm,) = await store.lock_open(connection, ["datastream:1"])
            after, entries = acknowledge(alarm, "operator", None, START)
            await effects.save_changes(connection, [alarm], {alarm.id: after}, entries, START)
        told = await respond(park, (RULE, [goes(1, 0, 60 * turn), goes(0, 1, 60 * turn + 1)]))
        assert told == ["return", "close", "raise"]
    assert sorted(alarm["serial"] for alarm in await park.alarms()) == list(range(1, 10))
