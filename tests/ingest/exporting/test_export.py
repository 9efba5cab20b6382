import asyncio
import csv
import io
import math
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from sqlalchemy.pool import QueuePool

from services.ingest.exporting import parquet_file, pieces, sending
from services.ingest.exporting.csv_file import harmless
from shared.time import iso
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = {"start": iso(START), "end": iso(START + timedelta(days=2))}
EXPORT = "/parks/test-park/observations/export"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few hundred rows are many pieces."""
    monkeypatch.setattr(pieces, "ROWS", 100)
    monkeypatch.setattr(parquet_file, "ROWS_OF_A_GROUP", 150)


def seconds(number: int, count: int, first: int = 0) -> Iterator[Reading]:
    for step in range(first, first + count):
        broken = step % 7 == 3
        yield number, START + timedelta(seconds=step), None if broken else step / 8, "B" if broken else "N"


async def fetch(ingest: Running, **parameters: Any) -> httpx.Response:
    answer = await ingest.http.get(EXPORT, params={**SPAN, **parameters})
    assert answer.status_code == 200, answer.text
    return answer


async def lines(ingest: Running, **parameters: Any) -> list[dict[str, str]]:
    answer = await fetch(ingest, **parameters)
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def table(ingest: Running, **parameters: Any) -> list[dict[str, Any]]:
    answer = await fetch(ingest, format="parquet", **parameters)
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    return rows


async def test_every_row_is_in_the_file_once_and_in_order(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    known = await ids(ingest)
    first, second = (known[f"test-park.{code}", "chlorine", "realtime"] for code in ("s1", "s2"))
    laid = [*seconds(first, 250), *seconds(second, 100), (second, START + timedelta(days=2), 9.0, "N")]
    await lay(ingest, laid)
    expected = laid[:-1]
    found = await lines(ingest)
    assert [(int(row["datastream_id"]), datetime.fromisoformat(row["time"])) for row in found] == [
        reading[:2] for reading in expected
    ]
    assert [(float(row["value"]) if row["value"] else None, row["quality"]) for row in found] == [
        reading[2:] for reading in expected
    ]
    assert found[0]["time"] == "2026-03-01T08:00:00+08:00", "the park's own time"
    assert (found[0]["station_id"], found[0]["station_name_zh"], found[0]["unit"]) == ("test-park.s1", "站 s1", "mg/m3")
    rows = await table(ingest)
    assert [(row["datastream_id"], row["time"], row["value"], row["quality"]) for row in rows] == expected
    assert rows[0]["station_name_en"] == "Station s1"
    assert rows[0]["time"].isoformat() == "2026-03-01T08:00:00+08:00"


async def test_the_file_says_what_it_is(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    answer = await fetch(ingest)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="test-park-raw-20260301.csv"'
    assert answer.content.startswith(b"station_id,")
    marked = await fetch(ingest, byte_order_mark=True)
    assert marked.content == b"\xef\xbb\xbf" + answer.content
    assert await table(ingest) == []
    assert (await fetch(ingest, format="parquet")).headers["content-type"] == "application/vnd.apache.parquet"


async def test_only_what_is_asked_for_is_in_it(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    known = await ids(ingest)
    one = known["test-park.s1", "chlorine", "realtime"]
    minute = known["test-park.s1", "chlorine", "minute"]
    await lay(ingest, [*seconds(one, 3), *seconds(minute, 3), *seconds(known["test-park.s2", "chlorine", "minute"], 3)])
    assert {row["datastream_id"] for row in await lines(ingest, datastream_id=one)} == {str(one)}
    assert {row["station_id"] for row in await lines(ingest, cadence="minute")} == {"test-park.s1", "test-park.s2"}
    assert len(await lines(ingest, start=iso(START + timedelta(seconds=1)), end=iso(START + timedelta(seconds=2)))) == 3


async def test_periods_have_their_means_and_numbers(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    known = await ids(ingest)
    gas, wind = known["test-park.s1", "chlorine", "realtime"], known["test-park.m1", "wind-direction", "realtime"]
    at = [START + timedelta(hours=15, minutes=59), START + timedelta(hours=16), START + timedelta(hours=16, minutes=1)]
    await lay(ingest, [(gas, at[0], 1.0, "N"), (gas, at[1], 2.0, "N"), (gas, at[2], 4.0, "D")])
    await lay(ingest, [(wind, at[1], 350.0, "N"), (wind, at[2], 10.0, "N")])
    hours = await lines(ingest, resolution="hour", datastream_id=gas)
    told = [(row["time"], row["value"], row["quality"], row["readings"], row["valid"]) for row in hours]
    assert told == [
        ("2026-03-01T23:00:00+08:00", "1.0", "N", "1", "1"),
        ("2026-03-02T00:00:00+08:00", "2.0", "D", "2", "1"),
    ]
    (hour,) = await lines(ingest, resolution="hour", datastream_id=wind)
    turned = float(hour["value"])
    assert math.isclose(min(turned, 360 - turned), 0, abs_tol=1e-6)
    days = [row for row in await table(ingest, resolution="day") if row["datastream_id"] == gas]
    assert [(row["time"].day, row["value"], row["readings"]) for row in days] == [(1, 1.0, 1), (2, 2.0, 2)]
    minutes = await lines(ingest, resolution="minute", datastream_id=gas)
    assert [row["value"] for row in minutes] == ["1.0", "2.0", ""]


async def test_windows_of_periods_meet(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    await lay(ingest, [(number, START + timedelta(hours=3 * n), 1.0, "N") for n in range(200)])
    span = {"start": iso(START), "end": iso(START + timedelta(hours=600))}
    assert len(await lines(ingest, resolution="minute", **span)) == 200


async def test_days_of_a_zone_that_is_not_whole_hours_from_utc(ingest: Running) -> None:
    file = park(station("s1", "A1"))
    file["park"]["timezone"] = "Asia/Kolkata"
    await ingest.put_park(file)
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    at = START + timedelta(hours=18)
    await lay(ingest, [(number, at + timedelta(minutes=29), 1.0, "N"), (number, at + timedelta(minutes=30), 3.0, "N")])
    rows = await lines(ingest, resolution="day")
    assert [(row["time"], row["value"]) for row in rows] == [
        ("2026-03-01T00:00:00+05:30", "1.0"),
        ("2026-03-02T00:00:00+05:30", "3.0"),
    ]


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =1"])
def test_a_formula_becomes_text(words: str) -> None:
    assert harmless(words) == "'" + words
    assert harmless("a" + words) == "a" + words


async def test_a_name_that_is_a_formula_does_no_harm_and_a_negative_number_stays_one(ingest: Running) -> None:
    name = {"zh": '=HYPERLINK("http://x","y")', "en": "@SUM(A1)"}
    await ingest.put_park(park(station("s1", None, name=name, datastreams=[{"property": "temperature"}])))
    number = (await ids(ingest))["test-park.s1", "temperature", "realtime"]
    await lay(ingest, [(number, START, -4.5, "N")])
    (row,) = await lines(ingest)
    assert row["station_name_zh"] == '\'=HYPERLINK("http://x","y")'
    assert row["station_name_en"] == "'@SUM(A1)"
    assert row["value"] == "-4.5"


async def ask_raw(ingest: Running, send: Callable[[Any], Awaitable[None]]) -> None:
    """Ask for an export as a server does that hands every part of the answer to ``send``."""

    async def receive() -> Any:
        await asyncio.Event().wait()

    request = ingest.http.build_request("GET", EXPORT, params=SPAN)
    assert ingest.http.auth is not None
    signed = next(ingest.http.auth.auth_flow(request))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": EXPORT,
        "raw_path": EXPORT.encode(),
        "query_string": signed.url.query,
        "headers": [(b"authorization", signed.headers["authorization"].encode())],
    }
    await ingest.http._transport.app(scope, receive, send)  # type: ignore[attr-defined]


async def test_pieces_are_asked_for_as_they_are_taken(ingest: Running) -> None:
    """However long the export: for a reader who does not read, one piece is held, and no connection."""
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    await lay(ingest, seconds(number, 3000))
    parts: list[bytes] = []
    stuck = asyncio.Event()

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))
        if len(parts) > 4:
            stuck.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(ask_raw(ingest, send))
    await asyncio.wait_for(stuck.wait(), 10)
    assert [part.count(b"\r\n") for part in parts] == [0, 1, 100, 100, 100]
    assert ingest.state.exports.running == 1
    pool = ingest.state.questions.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ingest.state.exports.running == 0


async def test_more_exports_than_run_at_once_are_told_when_to_come_again(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    for _ in range(sending.AT_ONCE):
        ingest.state.exports.enter()
    answer = await ingest.http.get(EXPORT, params=SPAN)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    ingest.state.exports.leave()
    for _ in range(3):
        assert (await ingest.http.get(EXPORT, params=SPAN)).status_code == 200, "a place is given back"


async def test_a_file_that_cannot_be_read_to_its_end_has_none(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, ingest_question_timeout_s=0.5) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
        await lay(ingest, seconds(number, 300))
        messages: list[Any] = []
        async with await psycopg.AsyncConnection.connect(database_url) as other:

            async def send(message: Any) -> None:
                messages.append(message)
                if len(messages) == 3:
                    await other.execute("LOCK TABLE ingest.observation")

            await ask_raw(ingest, send)
        assert messages[0]["status"] == 200
        assert 0 < sum(message["body"].count(b"\r\n") for message in messages[1:]) < 300
        assert messages[-1]["more_body"] is True, "the server breaks the connection of a body without an end"
        assert ingest.state.exports.running == 0


@pytest.mark.parametrize(
    ("parameters", "status", "detail"),
    [
        ({"datastream_id": 999_999}, 404, "999999"),
        ({"end": iso(START)}, 400, "before"),
        ({"end": iso(START + timedelta(days=400))}, 400, "366 days"),
        ({"format": "xlsx"}, 422, "format"),
    ],
)
async def test_exports_that_cannot_be(ingest: Running, parameters: dict[str, Any], status: int, detail: str) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    answer = await ingest.http.get(EXPORT, params={**SPAN, **parameters})
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]


async def test_no_park_exports_another(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    number = (await ids(ingest))["other.s1", "chlorine", "realtime"]
    await lay(ingest, seconds(number, 3))
    assert await lines(ingest) == []
    assert (await ingest.http.get(EXPORT, params={**SPAN, "datastream_id": number})).status_code == 404
