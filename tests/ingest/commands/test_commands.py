import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from launcher.embedded import EmbeddedPostgres
from shared.hj212.codes import Cn, QnRtn
from shared.hj212.segment import Pair, build
from tests.ingest.commands.devices import MINUTE, answering, local
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

ANSWER = Pair("ExeRtn", None, "1")
COMMANDS = "/parks/test-park/devices/A1/commands"
QUICK = {"ingest_command_over_time_s": 0.3, "ingest_command_execution_s": 0.6, "ingest_command_connection_s": 4.0}
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
async def quick(start_ingest: Start, database_url: str) -> AsyncIterator[Running]:
    """Ingest that loses its patience soon, with one station."""
    async with start_ingest(database_url, **QUICK) as running:
        await running.ready()
        await running.put_park(park(station("s1", "A1")))
        yield running


async def ask(ingest: Running, command: str, **parameters: Any) -> dict[str, Any]:
    answer = await ingest.http.post(COMMANDS, json={"command": command, **parameters})
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.url.join(answer.headers["Location"]).path == f"{COMMANDS}/{shown['id']}"
    return shown


async def ended(ingest: Running, command: dict[str, Any], *states: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}

    async def reached() -> bool:
        shown.update(await ingest.get(f"{COMMANDS}/{command['id']}"))
        return shown["state"] in (states or ("executed", "failed", "refused", "timed_out"))

    await until(reached)
    return shown


async def test_a_setting_is_followed_from_request_to_result(quick: Running) -> None:
    async with answering(quick) as device:
        asked = await ask(quick, "set_timeout", over_time_s=5, recount=3)
        assert (asked["state"], asked["cn"], asked["requested_by"]) == ("requested", "1000", "internal")
        done = await ended(quick, asked)
    (message,) = device.asked
    assert (message.cn, message.value("OverTime"), message.value("ReCount")) == ("1000", "5", "3")
    assert (message.mn, message.pw, message.st, message.flag) == ("A1", "123456", "31", 5)
    assert (done["state"], done["qn"], done["attempts"]) == ("executed", message.qn, 1)
    assert (done["qn_rtn"], done["exe_rtn"], done["detail"]) == (1, 1, None)
    assert done["requested_at"] <= done["sent_at"] <= done["finished_at"]


async def test_a_setting_that_is_read_is_kept(quick: Running) -> None:
    async with answering(quick):
        done = await ended(quick, await ask(quick, "get_realtime_interval"))
    assert (done["state"], done["answer"]) == ("executed", {"RtdInterval": "30"})


async def test_what_an_analyser_answers_is_kept_with_the_command_and_as_a_report(quick: Running) -> None:
    async with answering(quick) as device:
        device.says["3019"] = "PolId=a21022;a21022-SN=X1"
        done = await ended(quick, await ask(quick, "get_serial_number", factor="a21022"))
    assert (done["state"], done["answer"]) == ("executed", {"PolId": "a21022", "a21022-SN": "X1"})
    (report,) = (await quick.get("/parks/test-park/devices/A1/reports"))["items"]
    assert (report["kind"], report["subject"], report["content"]) == ("serial_number", "a21022", {"SN": "X1"})


async def test_records_that_are_no_readings_are_counted_too(quick: Running) -> None:
    begin = (NOW - 60 * MINUTE).isoformat()
    async with answering(quick) as device:
        time = f"{local(NOW - 5 * MINUTE):%Y%m%d%H%M%S}"
        device.says["2062"] = f"DataTime={time};a21022-SampleRd=1;a21022-StandardValue=1;a21022-ResultType=1"
        device.says["3020"] = f"DataTime={time};i11001-Info=//ok//"
        for command in (
            {"command": "records", "of": "standard_check"},
            {"command": "get_information", "info": "i11001"},
        ):
            done = await ended(quick, await ask(quick, **command, begin=begin, end=NOW.isoformat()))
            assert (done["state"], done["records"]) == ("executed", 1)
    assert len((await quick.get("/parks/test-park/devices/A1/reports"))["items"]) == 2


async def test_a_notice_ends_with_its_answer(quick: Running) -> None:
    async with answering(quick):
        done = await ended(quick, await ask(quick, "stop_realtime"))
    assert (done["state"], done["qn_rtn"], done["exe_rtn"]) == ("executed", None, None)


async def test_history_comes_in_as_any_data(quick: Running) -> None:
    records = {local(NOW - minutes * MINUTE): float(minutes) for minutes in range(10, 20)}
    async with answering(quick, records=records):
        begin, end = NOW - 15 * MINUTE, NOW - 12 * MINUTE
        asked = await ask(quick, "history", cadence="minute", begin=begin.isoformat(), end=end.isoformat())
        done = await ended(quick, asked)
        assert (done["state"], done["records"]) == ("executed", 4)
        assert await quick.rows("SELECT value FROM observation ORDER BY time") == [(15.0,), (14.0,), (13.0,), (12.0,)]
        early = (NOW - timedelta(days=2)).isoformat()
        nothing = await ended(quick, await ask(quick, "history", cadence="minute", begin=early, end=early))
    assert (nothing["state"], nothing["exe_rtn"], nothing["detail"]) == ("executed", 100, "no_data")


async def test_a_refusal(quick: Running) -> None:
    async with answering(quick) as device:
        device.refuses = QnRtn.BAD_CN
        done = await ended(quick, await ask(quick, "get_time"))
    assert (done["state"], done["qn_rtn"], done["detail"]) == ("refused", 8, "bad_cn")


async def test_a_silent_device_is_asked_three_times(quick: Running) -> None:
    async with answering(quick) as device:
        device.silent = True
        done = await ended(quick, await ask(quick, "set_time"))
    assert (done["state"], done["attempts"], done["detail"]) == (
        "timed_out",
        3,
        "The device did not answer in 3 tries.",
    )
    assert len({message.qn for message in device.asked}) == 1
    assert len(device.asked) == 3


async def test_a_command_waits_for_its_device(quick: Running) -> None:
    asked = await ask(quick, "get_time")
    async with answering(quick):
        assert (await ended(quick, asked))["state"] == "executed"


async def test_a_device_that_does_not_come(quick: Running) -> None:
    done = await ended(quick, await ask(quick, "get_time"))
    assert (done["state"], done["attempts"], done["detail"]) == (
        "timed_out",
        0,
        "The device was not connected in time.",
    )


async def test_a_device_gets_one_command_at_a_time_in_order(quick: Running) -> None:
    asked = [await ask(quick, "set_realtime_interval", seconds=30 + number) for number in range(5)]
    async with answering(quick) as device:
        for command in asked:
            assert (await ended(quick, command))["state"] == "executed"
    assert [message.value("RtdInterval") for message in device.asked] == ["30", "31", "32", "33", "34"]


async def test_the_replica_that_has_the_device_sends(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url) as one, start_ingest(database_url) as other:
        await one.ready()
        await other.ready()
        await one.put_park(park(station("s1", "A1")))

        async def known() -> bool:
            return "A1" in other.state.registry.snapshot.devices

        await until(known)
        async with answering(other) as device:
            done = await ended(one, await ask(one, "set_time"))
        assert (done["state"], done["attempts"], len(device.asked)) == ("executed", 1, 1)


async def test_a_dead_connection_to_another_replica_does_not_take_the_command(
    start_ingest: Start, database_url: str
) -> None:
    async with start_ingest(database_url) as one, start_ingest(database_url) as other:
        await one.ready()
        await other.ready()
        await one.put_park(park(station("s1", "A1")))

        async def known() -> bool:
            return "A1" in other.state.registry.snapshot.devices

        await until(known)
        async with answering(one) as dead:
            await until(_linked(one))
            link = one.state.server.links.get("A1")
            assert link is not None
            link.heard_at -= timedelta(minutes=5)
            dead.silent = True
            async with answering(other):
                await until(_linked(other))
                done = await ended(one, await ask(one, "set_time"))
        assert (done["state"], done["attempts"], dead.asked) == ("executed", 1, [])


def _linked(ingest: Running) -> Any:
    async def linked() -> bool:
        return ingest.state.server.links.get("A1") is not None

    return linked


async def test_a_command_survives_its_replica(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, **QUICK) as first:
        await first.ready()
        await first.put_park(park(station("s1", "A1")))
        async with answering(first) as device:
            device.silent = True
            asked = await ask(first, "get_time")
            await ended(first, asked, "sent")
    async with start_ingest(database_url, **QUICK) as second:
        await second.ready()
        async with answering(second) as device:
            done = await ended(second, asked)
    assert (done["state"], done["attempts"]) == ("executed", 2)
    assert device.asked[0].qn == done["qn"]


async def test_made_up_answers_do_no_harm(quick: Running) -> None:
    async with answering(quick) as device:
        for qn in ("x", "20260301120000000", "1" * 500, "2026030112000000\x00"):
            message = build(Cn.EXECUTION_RESULT, qn=qn, st="91", pw="123456", mn="A1", groups=((ANSWER,),))
            await device.client.send(message)
        assert (await ended(quick, await ask(quick, "get_time")))["state"] == "executed"


async def test_a_device_that_another_park_has_now_is_not_asked(quick: Running) -> None:
    asked = await ask(quick, "get_time")
    await quick.put_park(park(station("s2", "B2")))
    await quick.put_park(park(station("s1", "A1"), park_id="other"))
    async with answering(quick) as device:
        await until(_linked(quick))
        await until(_timed_out(quick, asked["id"]))
        assert device.asked == []


def _timed_out(ingest: Running, command: int) -> Any:
    async def timed_out() -> bool:
        return await ingest.rows("SELECT state FROM command WHERE id = %s", command) == [("timed_out",)]

    return timed_out


async def test_commands_come_through_an_outage_of_the_database(
    start_ingest: Start, own_postgres: EmbeddedPostgres
) -> None:
    await asyncio.to_thread(own_postgres.start)
    async with start_ingest(own_postgres.url) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with answering(ingest) as device:
            await until(_linked(ingest))
            device.silent = True
            asked = await ask(ingest, "get_time")
            await ended(ingest, asked, "sent")
            await asyncio.to_thread(own_postgres.stop)
            device.silent = False
            await device.answer(device.asked[0])
            await asyncio.sleep(1.5)
            await asyncio.to_thread(own_postgres.start)
            assert (await ended(ingest, asked))["state"] == "executed"


async def test_lists_are_paged_and_chosen_by_state(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    asked = [await ask(ingest, "get_time") for _ in range(3)]
    first = await ingest.get(COMMANDS, limit=2)
    second = await ingest.get(COMMANDS, limit=2, cursor=first["next"])
    assert [item["id"] for item in first["items"] + second["items"]] == [item["id"] for item in reversed(asked)]
    assert second["next"] is None
    assert len((await ingest.get(COMMANDS, state="requested"))["items"]) == 3
    assert (await ingest.get(COMMANDS, state="executed"))["items"] == []
    assert (await ingest.http.get(COMMANDS, params={"cursor": "x"})).status_code == 400


async def test_what_cannot_be_asked(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    unknown = await ingest.http.post("/parks/test-park/devices/B2/commands", json={"command": "get_time"})
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "The park 'test-park' has no device 'B2'.")
    foreign = await ingest.http.post("/parks/other/devices/A1/commands", json={"command": "get_time"})
    assert foreign.status_code == 404
    wrong = await ingest.http.post(COMMANDS, json={"command": "set_minute_interval", "minutes": 7})
    assert wrong.status_code == 422
    assert "minutes" in wrong.json()["detail"]
    assert (await ingest.http.get(f"{COMMANDS}/77")).status_code == 404


async def test_open_commands_of_a_device_are_bounded(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    for _ in range(50):
        await ask(ingest, "get_time")
    refused = await ingest.http.post(COMMANDS, json={"command": "get_time"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "10"


async def test_a_command_that_cannot_be_read_does_not_end_the_service_of_the_others(
    quick: Running, database_url: str
) -> None:
    asked = await ask(quick, "get_realtime_interval")
    connect = psycopg.AsyncConnection.connect
    async with await connect(database_url, options="-c search_path=ingest", autocommit=True) as connection:
        change = "UPDATE command SET request = %s::jsonb, expires_at = expires_at + interval '1 hour'"
        await connection.execute(change, ['{"command": "of another version"}'])
        quick.state.commands.wake()
        with capture_logs() as logs:

            async def noticed() -> bool:
                return any(entry["event"] == "commands_not_served" for entry in logs)

            await until(noticed)
        await connection.execute(change, ['{"command": "get_realtime_interval"}'])
    async with answering(quick):
        assert (await ended(quick, asked))["state"] == "executed"
