from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.hj212 import commands
from shared.hj212.codes import Cn, QnRtn
from tests.ingest.commands.devices import MINUTE, Answering, answering, local
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

DEVICE = "/parks/test-park/devices/A1"
EAGER = {"ingest_gap_settle_s": 0, "ingest_gap_look_s": 0.2, "ingest_gap_every_s": 0.1}
QUICK = {"ingest_command_over_time_s": 0.3, "ingest_command_tries": 1}
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
RECORDS = {local(NOW - minutes * MINUTE): float(minutes) for minutes in range(1, 61)}
"""What the device has measured and remembers."""


@pytest.fixture
async def eager(start_ingest: Start, database_url: str) -> AsyncIterator[Running]:
    """Ingest that looks for gaps all the time, with one station."""
    async with start_ingest(database_url, **EAGER, **QUICK) as running:
        await running.ready()
        await running.put_park(park(station("s1", "A1")))
        yield running


async def tell(device: Answering, *minutes: int) -> None:
    for number in minutes:
        time = local(NOW - number * MINUTE)
        await device.tell(time, RECORDS[time])


async def gaps(ingest: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ingest.get(f"{DEVICE}/gaps"))["items"]
    return found


async def settled(ingest: Running, *states: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def reached() -> bool:
        found[:] = await gaps(ingest)
        return sorted(gap["state"] for gap in found) == sorted(states)

    await until(reached)
    return found


async def stored(ingest: Running) -> list[float]:
    return [value for (value,) in await ingest.rows("SELECT value FROM observation ORDER BY time")]


async def test_what_a_device_did_not_send_is_asked_for_and_filled(eager: Running) -> None:
    async with answering(eager, records=RECORDS) as device:
        await tell(device, 60, 59, 58, 57, *range(49, 35, -1), 27, 26)
        filled = await settled(eager, "filled", "filled")
        assert await stored(eager) == [float(minutes) for minutes in range(60, 25, -1)]
        assert [(gap["begin"], gap["end"], gap["interval_s"], gap["tries"]) for gap in filled] == [
            (shown(35), shown(27), 60, 1),
            (shown(56), shown(49), 60, 1),
        ]
        asked = [(message.cn, message.value("BeginTime"), message.value("EndTime")) for message in device.asked]
        later, earlier = ("2051", wire(35), wire(28)), ("2051", wire(56), wire(50))
        assert sorted(asked) == sorted([later, earlier])
        await tell(device, 25, 24)
        await until(lambda: holds(eager, 37))
        assert len(device.asked) == 2, "nothing is asked for twice"
    sent = (await eager.get(f"{DEVICE}/commands"))["items"]
    assert {(command["origin"], command["state"], command["records"]) for command in sent} == {
        ("gap", "executed", 8),
        ("gap", "executed", 7),
    }


async def test_a_day_that_is_missing_is_asked_for_and_filled(eager: Running) -> None:
    midnight = local(NOW).replace(hour=0, minute=0)
    records = {midnight - timedelta(days=days): float(days) for days in range(1, 12)}
    async with answering(eager, records=records, cn=Cn.DAY) as device:
        for days in (9, 8, 7, 6, 3, 2):
            await device.tell(midnight - timedelta(days=days), float(days))
        (gap,) = await settled(eager, "filled")
        assert (gap["cadence"], gap["interval_s"], gap["tries"]) == ("day", 86_400, 1)
        assert await stored(eager) == [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0]
        (asked,) = device.asked
        begin, end = (commands.format_time(midnight - timedelta(days=days)) for days in (5, 4))
        assert (asked.cn, asked.value("BeginTime"), asked.value("EndTime")) == ("2031", begin, end)


async def test_single_records_that_are_missing_are_asked_for_together(eager: Running) -> None:
    await eager.http.put(f"{DEVICE}/gap-filling", json={"enabled": False})
    async with answering(eager, records=RECORDS) as device:
        await tell(device, 60, 59, 58, 57, 56, 54, 52, 50, 49, 46)
        await until(lambda: holds(eager, 10))
        await eager.http.put(f"{DEVICE}/gap-filling", json={"enabled": True})
        (gap,) = await settled(eager, "filled")
        assert (gap["begin"], gap["end"], len(device.asked)) == (shown(55), shown(46), 1)


async def holds(ingest: Running, count: int) -> bool:
    return await ingest.rows("SELECT count(*) FROM observation") == [(count,)]


def shown(minutes: int) -> str:
    return (NOW - minutes * MINUTE).isoformat().replace("+00:00", "Z")


def wire(minutes: int) -> str:
    return local(NOW - minutes * MINUTE).strftime("%Y%m%d%H%M%S")


async def test_a_device_that_comes_back_after_silence(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, **EAGER, **QUICK) as before:
        await before.ready()
        await before.put_park(park(station("s1", "A1")))
        async with answering(before, records=RECORDS) as device:
            await tell(device, 40, 39, 38, 37, 36)
            await until(lambda: holds(before, 5))
    async with start_ingest(database_url, **EAGER, **QUICK) as after:
        await after.ready()
        async with answering(after, records=RECORDS) as device:
            await tell(device, 2)
            (gap,) = await settled(after, "filled")
        assert (gap["begin"], gap["end"]) == (shown(35), shown(2))
        assert await stored(after) == [float(minutes) for minutes in range(40, 1, -1)]


async def test_what_the_device_sends_again_by_itself_is_not_asked_for(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, **{**EAGER, "ingest_gap_settle_s": 1.5}) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with answering(ingest, records=RECORDS) as device:
            await tell(device, 40, 39, 38, 37, 30, 36, 35, 34, 33, 32, 31)
            await until(_looked(ingest))
        assert device.asked == []
        assert await gaps(ingest) == []


def _looked(ingest: Running) -> Any:
    async def looked() -> bool:
        return bool(await ingest.rows("SELECT 1 FROM gap_filling WHERE minute_until IS NOT NULL"))

    return looked


async def test_a_device_that_has_less(eager: Running) -> None:
    some = {time: value for time, value in RECORDS.items() if value > 50 or value in (33, 31)}
    async with answering(eager, records=some) as device:
        await tell(device, 60, 59, 58, 57, 50, *range(49, 35, -1), 30, *range(29, 15, -1), 10)
        found = await settled(eager, "filled", "partly", "unfillable")
    assert {(gap["begin"], gap["state"]) for gap in found} == {
        (shown(56), "filled"),
        (shown(35), "partly"),
        (shown(15), "unfillable"),
    }


async def test_a_device_that_knows_no_history_is_asked_once(eager: Running) -> None:
    async with answering(eager, records=RECORDS) as device:
        device.refuses = QnRtn.BAD_CN
        await tell(device, 40, 39, 38, 37, 30)
        (gap,) = await settled(eager, "unfillable")
    assert (gap["tries"], gap["try_at"], len(device.asked)) == (1, None, 1)


async def test_a_silent_device_is_asked_again_later(eager: Running) -> None:
    async with answering(eager, records=RECORDS) as device:
        device.silent = True
        await tell(device, 40, 39, 38, 37, 30)

        async def tried() -> bool:
            return [(gap["state"], gap["tries"]) for gap in await gaps(eager)] == [("missing", 1)]

        await until(tried)
        (gap,) = await gaps(eager)
        later = datetime.fromisoformat(gap["try_at"]) - datetime.now(UTC)
        assert timedelta(minutes=29) < later <= timedelta(minutes=30)
        assert len(device.asked) == 1


async def test_it_is_switched_off_for_a_device(eager: Running) -> None:
    assert await eager.get(f"{DEVICE}/gap-filling") == {"enabled": True}
    assert (await eager.http.put(f"{DEVICE}/gap-filling", json={"enabled": False})).json() == {"enabled": False}
    assert await eager.get(f"{DEVICE}/gap-filling") == {"enabled": False}
    await eager.put_park(park(station("s1", "A1")))
    async with answering(eager, records=RECORDS) as device:
        await tell(device, 40, 39, 38, 37, 30)
        await until(lambda: holds(eager, 5))
        assert not await eager.rows("SELECT 1 FROM gap")
        await eager.http.put(f"{DEVICE}/gap-filling", json={"enabled": True})
        await settled(eager, "filled")
        assert len(device.asked) == 1
    assert (await eager.http.get("/parks/test-park/devices/B2/gap-filling")).status_code == 404
