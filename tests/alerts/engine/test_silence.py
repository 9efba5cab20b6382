"""What is missing never looks safe."""

from shared.levels import Colour
from shared.messages import RegistryChanged
from tests.alerts.park import STREAM, Park, datastream


async def look(park: Park, second: float) -> list[str]:
    """Turn the clock to `second`, read what is there, judge; gives what was told of silence: `station transition`."""
    park.clock.at(second)
    await park.settle()
    return [f"{entry.action}" for entry in await park.watch.look()]


async def test_a_station_that_stops_is_told_and_returns_when_it_speaks(park: Park) -> None:
    for second in range(0, 60, 30):
        await park.push((1, second, 0.1), (2, second, 0.1))
        assert await look(park, second) == []
    for second in range(60, 210, 30):
        await park.push((2, second, 0.1))
        assert await look(park, second) == []
    await park.push((2, 210, 0.1))
    assert await look(park, 211) == ["raise"]
    (alarm,) = await park.alarms()
    assert (alarm["station_id"], alarm["rule_id"], alarm["colour"], alarm["datastream_id"]) == (
        "p.s1",
        "silence",
        "blue",
        None,
    )
    assert await look(park, 215) == []
    await park.push((1, 220, 0.1), (2, 220, 0.1))
    assert await look(park, 221) == ["return"]
    (alarm,) = await park.alarms()
    assert alarm["state"] == "returned_unacknowledged"


async def test_a_silence_has_the_priority_that_it_is_given(park: Park) -> None:
    park.watch._colour = Colour.ORANGE
    for second in range(0, 240, 40):
        await look(park, second)
    assert {alarm["colour"] for alarm in await park.alarms()} == {"orange"}


async def test_after_a_start_there_is_a_grace(park: Park) -> None:
    for second in range(0, 180, 60):
        assert await look(park, second) == []
    assert sorted(await look(park, 181)) == ["raise", "raise"]


async def test_a_restart_neither_doubles_nor_forgets_a_silence(park: Park) -> None:
    for second in range(0, 240, 40):
        await look(park, second)
    assert len(await park.alarms()) == 2
    await park.restart()
    for second in range(240, 280, 20):
        assert await look(park, second) == []
    assert [alarm["active"] for alarm in await park.alarms()] == [True, True]
    await park.push((1, 280, 0.1))
    assert await look(park, 281) == ["return"]


async def test_readings_of_yesterday_do_not_break_a_silence(park: Park) -> None:
    await look(park, 0)
    for second in range(40, 200, 40):
        await park.push((1, second - 86_400, 0.1), (2, second, 0.1), received=second)
        told = await look(park, second)
    await park.push((2, 200, 0.1))
    told = await look(park, 200)
    assert told == ["raise"]


async def test_bad_data_are_not_silence(park: Park) -> None:
    told = []
    for second in range(0, 400, 40):
        await park.push((1, second, 0.0, "D"), (2, second, 0.1))
        told += await look(park, second)
    assert told == []


async def test_a_standing_gas_alarm_outlives_the_silence_of_its_station(park: Park) -> None:
    for second in range(0, 40, 10):
        await park.push((1, second, 3.0), (2, second, 0.1))
        await look(park, second)
    for second in range(40, 400, 40):
        await park.push((2, second, 0.1))
        await look(park, second)
    assert [(alarm["rule_id"], alarm["active"]) for alarm in await park.alarms()] == [
        ("level.chlorine", True),
        ("silence", True),
    ]


async def test_nothing_is_judged_while_facts_wait(park: Park) -> None:
    park.runner._complete[STREAM] = float("-inf")
    for second in range(0, 400, 40):
        park.clock.at(second)
        assert await park.watch.look() == []


async def test_a_machine_that_slept_begins_anew(park: Park) -> None:
    assert await look(park, 0) == []
    assert await look(park, 7200) == []
    assert await look(park, 7260) == []


async def test_minute_stations_have_more_time(park: Park) -> None:
    park.producer.datastreams[:] = [datastream(5, cadence="minute")]
    await park.registry.refresh()
    told = []
    for second in range(0, 1801, 60):
        told += await look(park, second)
    assert told == []
    await look(park, 1860)
    assert len(await park.alarms()) == 1


async def test_when_ingest_is_down_every_station_is_silent(park: Park) -> None:
    await park.push((1, 0, 0.1), (2, 0, 0.1))
    assert await look(park, 0) == []
    park.producer.down = True
    await park.producer.tell("registry", RegistryChanged(park_id="p"))
    for second in range(40, 200, 40):
        await look(park, second)
    assert sorted(await look(park, 200)) == ["raise", "raise"]
    assert park.registry.stale
