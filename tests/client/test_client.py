"""The client against a real server that says what the services say."""

import gzip
import inspect
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fenceline_client import AsyncClient, Client, NotUnderstood, ProblemError, Reading, Retries, Unreachable
from fenceline_client.retries import retry_after_s
from tests.client import told
from tests.client.conftest import KEY
from tests.client.scripted import Said, Scripted

RESULT = {
    "accepted": 1,
    "duplicate": 0,
    "conflicting": 0,
    "refused": 0,
    "results": [{"index": 0, "status": "accepted"}],
}
BUSY = Said(told.problem(503, "unavailable", "later"), 503, {"Retry-After": "0"})
READING = Reading(station="s01", property="chlorine", time=told.MOMENT, value=0.12)


def test_a_list_turns_its_pages_and_keeps_what_was_asked(client: Client, script: Scripted) -> None:
    script.say(told.page(told.alarm(), then="a/b"), told.page(told.alarm(value=1.0)))
    alarms = client.alarms("north", state="all")
    assert next(alarms).colour == "red"
    assert len(script.asked) == 1, "the second page is asked for when it is read"
    assert [alarm.value for alarm in alarms] == [1.0]
    assert script.paths == ["/api/v1/parks/north/alarms?state=all", "/api/v1/parks/north/alarms?state=all&cursor=a%2Fb"]
    assert script.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_readings_are_sent_again_under_the_same_key(client: Client, script: Scripted) -> None:
    script.say(BUSY, Said(drop=True), RESULT)
    result = client.send_readings("north", [READING])
    assert (result.accepted, result.results[0].status) == (1, "accepted")
    keys = [asked.headers["idempotency-key"] for asked in script.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    [row] = script.asked[2].json["observations"]
    assert row == {
        "station": "s01",
        "property": "chlorine",
        "time": "2026-03-01T00:00:00Z",
        "value": 0.12,
        "quality": "N",
        "cadence": "realtime",
    }


def test_a_reading_without_value_says_so(client: Client, script: Scripted) -> None:
    script.say(RESULT)
    client.send_readings("north", [READING.model_copy(update={"value": None, "quality": "B"})])
    assert script.asked[0].json["observations"][0]["value"] is None


def test_what_may_have_been_done_is_not_done_again(client: Client, script: Scripted) -> None:
    script.say(BUSY)
    with pytest.raises(ProblemError) as refused:
        client.acknowledge("north", told.ALARM_ID, "on my way")
    assert refused.value.status == 503
    script.say(Said(drop=True))
    with pytest.raises(Unreachable):
        client.acknowledge("north", told.ALARM_ID)
    assert len(script.asked) == 2
    script.say(Said(told.problem(429, "too-many-requests", "slowly"), 429, {"Retry-After": "0"}), told.alarm())
    assert client.acknowledge("north", told.ALARM_ID, "on my way").id == told.ALARM_ID
    assert script.asked[3].json == {"comment": "on my way"}


def test_it_gives_up_with_what_was_said(client: Client, script: Scripted) -> None:
    script.say(BUSY, BUSY, BUSY)
    with pytest.raises(ProblemError) as refused:
        list(client.parks())
    problem = refused.value
    assert (problem.slug, problem.detail, problem.trace_id) == ("unavailable", "later", "t1")
    assert len(script.asked) == 3
    script.say(Said(status=503, headers={"Retry-After": "3600"}))
    with pytest.raises(ProblemError):
        list(client.parks())
    assert len(script.asked) == 4, "an hour is not waited for"


def test_answers_that_are_none_of_the_apis(client: Client, script: Scripted) -> None:
    script.say(Said(text=b"<html>Bad gateway</html>", status=403))
    with pytest.raises(ProblemError, match="403"):
        client.run("north", told.RUN_ID)
    script.say(Said(text=b"<html>Welcome</html>"), {"items": [{"id": 1}]})
    with pytest.raises(NotUnderstood, match="GET /api/v1/parks/north/runs/"):
        client.run("north", told.RUN_ID)
    with pytest.raises(NotUnderstood, match="items/0"):
        list(client.stations("north"))
    script.say(Said(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(ProblemError, match="302"):
        list(client.parks())


def test_a_file_is_sent_from_the_disk_and_again_from_its_beginning(
    client: Client, script: Scripted, tmp_path: Path
) -> None:
    table = tmp_path / "2025.csv.gz"
    table.write_bytes(gzip.compress(b"station,property,time,value\n" * 10_000))
    upload = {"id": "u1", "state": "done", "detail": None, "lines": 1}
    script.say(BUSY, upload | dict.fromkeys(("accepted", "duplicate", "conflicting", "refused"), 0))
    assert client.upload("north", "u1", table, "Asia/Shanghai").state == "done"
    assert [asked.body for asked in script.asked] == [table.read_bytes()] * 2
    assert script.asked[1].headers["content-encoding"] == "gzip"
    assert script.asked[1].path == "/api/v1/parks/north/uploads/u1?timezone=Asia%2FShanghai"


def test_changes_end_where_the_feed_does(client: Client, script: Scripted) -> None:
    script.say({"items": [], "next": "c1", "more": True}, {"items": [], "next": "c2", "more": False})
    assert [page.next for page in client.changes("north", limit=5)] == ["c1", "c2"]
    assert script.paths[1].endswith("/changes?cursor=c1&since=oldest&limit=5")


def event(number: int, text: str = "") -> bytes:
    return f'event: alarm\nid: alarms:{number}\ndata: {{"park_id":"north","comment":"{text}"}}\n\n'.encode()


def stream(*blocks: bytes) -> Said:
    return Said(
        text=b"retry: 1\n: fenceline\n\n" + b"".join(blocks), headers={"Content-Type": "text/event-stream"}, cut=True
    )


def test_the_live_tail_goes_on_where_it_broke_off(client: Client, script: Scripted) -> None:
    half = event(3)[:-1]  # no end: it was never told, and the next stream tells it
    script.say(stream(event(1), event(2, "one\u2028line"), half), BUSY, stream(event(3)))
    tail = client.events(["north"], ["alarm", "run"], last_event_id="alarms:0")
    heard = list(itertools.islice(tail, 3))
    assert [one.id for one in heard] == ["alarms:1", "alarms:2", "alarms:3"]
    assert heard[1].data["comment"] == "one\u2028line"
    assert [asked.headers["last-event-id"] for asked in script.asked] == ["alarms:0", "alarms:2", "alarms:2"]
    assert script.paths[0] == "/api/v1/events?park_id=north&kind=alarm&kind=run"
    script.say(Said(told.problem(401, "unauthorized", "The key was revoked."), 401))
    with pytest.raises(ProblemError, match="revoked"):
        next(tail)


def test_a_tail_whose_first_connection_fails_says_so(script: Scripted) -> None:
    nobody = Client("http://127.0.0.1:1", KEY, retries=Retries(attempts=2, first_s=0.01))
    with nobody as client, pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        next(client.events())


async def test_asyncio_does_the_same(script: Scripted, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b"station,property,time,value\n")
    upload = {"id": "u1", "state": "done", "detail": None, "lines": 1}
    upload |= dict.fromkeys(("accepted", "duplicate", "conflicting", "refused"), 0)
    script.say(told.page(told.station("s01"), then="n"), told.page(told.station("s02")), BUSY, RESULT, upload)
    script.say(stream(event(1)), stream(event(2)))
    async with AsyncClient(script.url, KEY, timeout_s=20, retries=Retries(first_s=0.01)) as client:
        assert [station.code async for station in client.stations("north")] == ["s01", "s02"]
        assert (await client.send_readings("north", [READING])).accepted == 1
        assert (await client.upload("north", "u1", table)).state == "done"
        assert script.asked[-1].body == table.read_bytes()
        ids = []
        async for one in client.events(last_event_id="alarms:0"):
            ids.append(one.id)
            if len(ids) == 2:
                break
        assert ids == ["alarms:1", "alarms:2"]


def test_both_clients_have_the_same_methods() -> None:
    def methods(client: type) -> dict[str, Any]:
        return {
            name: [(one.name, one.default, one.annotation) for one in inspect.signature(method).parameters.values()]
            for name, method in vars(client).items()
            if inspect.isfunction(method) and not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)


@pytest.mark.parametrize("url", ["", "fenceline.example.com", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(url, KEY)


def test_arguments_that_cannot_be_sent_are_refused(client: Client, script: Scripted) -> None:
    with pytest.raises(ValueError, match="key"):
        Client(script.url, "fl_a\nb")
    with pytest.raises(ValueError, match="identifier"):
        list(client.stations(".."))
    with pytest.raises(ValueError, match="offset"):
        client.send_readings("north", [READING.model_copy(update={"time": datetime(2026, 3, 1)})])  # noqa: DTZ001
    with pytest.raises(ValueError, match="10001 readings"):
        client.send_readings("north", [READING] * 10_001)
    assert script.asked == []
    script.say(told.page())
    assert list(client.stations("a/b?c")) == []
    assert script.paths == ["/api/v1/parks/a%2Fb%3Fc/stations"]


def test_waiting() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert retry_after_s("Sun, 01 Mar 2026 00:00:07 GMT", now) == 7.0
    assert retry_after_s("Sat, 28 Feb 2026 00:00:00 GMT", now) == 0.0
    assert [retry_after_s(text, now) for text in (None, "soon", "-1")] == [None, None, None]
    retries = Retries(attempts=9, first_s=1.0, longest_s=10.0, jitter=lambda: 1.0)
    assert [retries.backoff_s(attempt) for attempt in (1, 2, 3, 4, 5, 500)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    answer = httpx.Response(503, headers={"Retry-After": "11"})
    assert retries.after_answer(1, answer, now, repeatable=True) is None
    assert retries.after_answer(1, httpx.Response(500), now + timedelta(1), repeatable=True) is None
