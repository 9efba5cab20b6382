"""One batch, in every form and encoding, with a result for every row."""

import asyncio
import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard

from shared.identity import ACTOR_HEADER
from shared.time import iso
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running

NOW = datetime.now(UTC).replace(microsecond=0)
PATH = "/parks/test-park/observations"
STORED = "SELECT value, quality FROM observation ORDER BY time"


def at(seconds_ago: float) -> str:
    return iso(NOW - timedelta(seconds=seconds_ago))


ROWS: list[dict[str, Any]] = [
    {"station": "s1", "property": "chlorine", "time": at(50), "value": 1.0},
    {"station": "s1", "property": "chlorine", "time": at(40), "value": 2.5, "quality": "T", "unit": "mg/m3"},
    {"station_id": "test-park.s1", "property": "chlorine", "time": at(30), "value": None, "quality": "B"},
    {"station": "s1", "property": "chlorine", "time": at(50), "value": 1.0},
    {"station": "s1", "property": "chlorine", "time": at(50), "value": 9.0},
    {"station": "s9", "property": "chlorine", "time": at(20), "value": 1.0},
    {"station": "s1", "property": "chlorine", "time": at(-10_000), "value": 1.0},
    {"station": "s1", "property": "chlorine", "time": at(20), "value": 1.0, "unit": "kPa"},
    {"station": "s1", "property": "ammonia", "time": at(10), "value": 10.0, "unit": "ppm", "cadence": "minute"},
]
STATUSES = ["accepted"] * 3 + ["duplicate", "conflicting"] + ["refused"] * 3 + ["accepted"]


def rows_json() -> bytes:
    return json.dumps({"observations": ROWS}).encode()


def lines_json() -> bytes:
    return b"\n\n".join(json.dumps(row).encode() for row in ROWS) + b"\n"


def columns_json(*, milliseconds: bool = False) -> bytes:
    common = ("station", "station_id", "property", "unit", "cadence")
    keys = [{name: row[name] for name in common if name in row} for row in ROWS]
    distinct = [key for index, key in enumerate(keys) if key not in keys[:index]]
    times = [row["time"] for row in ROWS]
    columns: dict[str, Any] = {
        "datastreams": distinct,
        "datastream": [distinct.index(key) for key in keys],
        "value": [row["value"] for row in ROWS],
        "quality": "".join(row.get("quality", "N") for row in ROWS),
    }
    if milliseconds:
        columns["time_ms"] = [round(datetime.fromisoformat(time).timestamp() * 1000) for time in times]
    else:
        columns["time"] = times
    return json.dumps({"columns": columns}).encode()


def table(encoding: str = "utf-8", end: str = "\n") -> bytes:
    names = ["time", "station", "station_id", "property", "value", "quality", "unit", "cadence"]
    lines = [",".join("" if row.get(name) is None else str(row[name]) for name in names) for row in ROWS]
    return (end.join([",".join(names), *lines]) + end).encode(encoding)


FORMS = {
    "rows": ("application/json", rows_json()),
    "rows, charset told": ("application/json; charset=utf-8", rows_json()),
    "columns": ("application/json", columns_json()),
    "columns in ms": ("application/json", columns_json(milliseconds=True)),
    "lines": ("application/x-ndjson", lines_json()),
    "jsonl": ("application/jsonl", lines_json()),
    "csv": ("text/csv", table()),
    "csv as spreadsheets write it": ("text/csv; charset=utf-8", table("utf-8-sig", "\r\n")),
    "csv in gb18030": ("text/csv; charset=GB18030", table("gb18030")),
}


@pytest.fixture
async def one_park(ingest: Running) -> Running:
    await ingest.put_park(park(station("s1", None)))
    return ingest


async def send(ingest: Running, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    told = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await ingest.http.post(PATH, content=body, headers=told)


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_gives_the_same(one_park: Running, form: str) -> None:
    content_type, body = FORMS[form]
    answer = await send(one_park, body, content_type)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [row["status"] for row in told["results"]] == STATUSES
    assert [told[name] for name in ("accepted", "duplicate", "conflicting", "refused")] == [4, 1, 1, 3]
    assert "s9" in told["results"][5]["detail"]
    assert "future" in told["results"][6]["detail"]
    assert "kPa" in told["results"][7]["detail"]
    stored = await one_park.rows(STORED)
    assert stored == [(1.0, "N"), (2.5, "T"), (None, "B"), (pytest.approx(6.965, abs=0.001), "N")]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_compressed(one_park: Running, encoding: str, pack: Any) -> None:
    answer = await send(one_park, pack(table()), "text/csv", content_encoding=encoding)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("s1,chlorine,2026-03-01T00:00:00Z", "3 cells, and the header has 4"),
        ("s1,chlorine,2026-03-01T00:00:00Z,high", "'high' is no number"),
        ("s1,chlorine,2026-03-01T00:00:00Z,inf", "'inf' is no number"),
        ("s1,chlorine,2026-03-01T00:00:00Z,nan", "'nan' is no number"),
        ("s1,chlorine,2026-03-01T00:00:00Z,1_0", "'1_0' is no number"),
        ("s1,chlorine,2026-03-01T00:00:00Z,-1e31", "no instrument"),
        ("s1,chlorine,2026-03-01 00:00:00,1", "offset"),
        ("s1,chlorine,yesterday,1", "time"),
        ('s1,"chlor"ine,2026-03-01T00:00:00Z,1', "not CSV"),
        ('s1,"chlorine,2026-03-01T00:00:00Z,1', "not CSV"),
        ("s1,\x00,2026-03-01T00:00:00Z,1", "no datastream"),
    ],
)
async def test_a_bad_line_of_a_table_is_refused_by_itself(one_park: Running, line: str, why: str) -> None:
    good = f"s1,chlorine,{at(5)},1.5"
    answer = await send(one_park, f"station,property,time,value\n{line}\n{good}\n".encode(), "text/csv")
    assert answer.status_code == 200, answer.text
    bad, well = answer.json()["results"]
    assert (bad["status"], well["status"]) == ("refused", "accepted")
    assert why in bad["detail"]


async def test_quoted_cells_and_local_times(one_park: Running) -> None:
    body = b'time,station,property,value\n2026-03-01 08:00:00,"s1","chlorine","1.5"\n'
    answer = await one_park.http.post(
        PATH, content=body, headers={"Content-Type": "text/csv"}, params={"timezone": "Asia/Shanghai"}
    )
    assert answer.json()["accepted"] == 1, answer.text
    ((time,),) = await one_park.rows("SELECT time FROM observation")
    assert time == datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_bad_line_of_json_is_refused_by_itself(one_park: Running) -> None:
    body = b'{"nonsense": 1}\n{\n' + json.dumps(ROWS[0]).encode()
    answer = await send(one_park, body, "application/x-ndjson")
    assert [row["status"] for row in answer.json()["results"]] == ["refused", "refused", "accepted"]


async def test_what_is_no_number_of_an_instrument_is_refused_by_itself(one_park: Running) -> None:
    values: list[Any] = [True, "1_0", 1e200, 1e308, "2.5"]
    batch = [{**ROWS[0], "value": value, "unit": "ppm"} for value in values]
    answer = await send(one_park, json.dumps({"observations": batch}).encode())
    assert answer.status_code == 200, answer.text
    told = answer.json()["results"]
    assert [row["status"] for row in told] == ["refused"] * 4 + ["accepted"]
    assert ["number" in told[0]["detail"], "number" in told[1]["detail"]] == [True, True]
    assert ["no instrument" in row["detail"] for row in told[2:4]] == [True, True]


async def test_a_flag_of_a_column_that_nobody_knows(one_park: Running) -> None:
    columns = {
        "datastreams": [{"station": "s1", "property": "chlorine"}, {"station": "s8", "property": "chlorine"}],
        "datastream": [0, 0, 1, 0],
        "value": [1, 2, 3, 4],
        "time_ms": [1_772_323_200_000, 1_772_323_201_000, 1_772_323_202_000, -(10**17)],
        "quality": "N?NN",
    }
    answer = await send(one_park, json.dumps({"columns": columns}).encode())
    told = answer.json()["results"]
    assert [row["status"] for row in told] == ["accepted", "refused", "refused", "refused"]
    assert ["'?'" in told[1]["detail"], "s8" in told[2]["detail"], "time_ms" in told[3]["detail"]] == [True] * 3


GOOD_COLUMNS: dict[str, Any] = {
    "datastreams": [{"station": "s1", "property": "chlorine"}],
    "datastream": [0],
    "value": [1],
    "time": [at(1)],
}


BAD_COLUMNS: list[tuple[dict[str, Any], str]] = [
    ({"value": [1, 2]}, "value has 2 entries"),
    ({"datastream": [1]}, "there are 1 datastreams"),
    ({"datastream": [-1]}, "there are 1 datastreams"),
    ({"datastream": [10**30]}, "out of range"),
    ({"time": None}, "either time"),
    ({"time_ms": [1]}, "either time"),
    ({"time": None, "time_ms": [10**30]}, "out of range"),
    ({"quality": "NN"}, "quality has 2"),
    ({"datastream": [], "value": [], "time": []}, "0 rows"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "why"),
    [
        ("application/json", b"", 422, "JSON"),
        ("application/json", b'{"observations": []}', 422, "0 rows"),
        ("application/json", b'{"observations": ' + b"[" * 100_000, 422, "JSON"),
        ("application/json", b'{"columns": []}', 422, "columns"),
        ("application/x-ndjson", b"\n \n", 422, "0 rows"),
        ("text/csv", b"", 422, "first line"),
        ("text/csv", b"station,property,time\n", 422, "first line"),
        ("text/csv", b"station,property,time,value,colour\n", 422, "first line"),
        ("text/csv", b"station,property,time,value\n", 422, "0 rows"),
        ("text/csv", b"station,property,time,value\n" + b"x\n" * 10_001, 422, "10001 rows"),
        ("text/csv", b"\xff\xfe\x00", 422, "utf-8"),
        ("text/csv", b'"' + b"x" * 200_000, 422, "first line"),
        ("text/csv; charset=utf-16", b"", 415, "gb18030"),
        ("application/xml", b"<a/>", 415, "text/csv"),
        *[
            ("application/json", json.dumps({"columns": GOOD_COLUMNS | change}).encode(), 422, why)
            for change, why in BAD_COLUMNS
        ],
    ],
    ids=itertools.count(),
)
async def test_bodies_that_cannot_be_read(
    one_park: Running, content_type: str, body: bytes, status: int, why: str
) -> None:
    answer = await send(one_park, body, content_type)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]


async def test_encodings_that_cannot_be_read(one_park: Running) -> None:
    for encoding, body, status in [
        ("br", b"", 415),
        ("gzip", b"junk", 400),
        ("gzip", gzip.compress(rows_json())[:-9], 400),
        ("zstd", zstandard.compress(b" " * 100_000_000), 413),
        ("gzip", gzip.compress(b" " * 17_000_000), 413),
    ]:
        answer = await send(one_park, body, content_encoding=encoding)
        assert answer.status_code == status, (encoding, answer.text)
    assert (await send(one_park, b" " * 17_000_000)).status_code == 413


async def test_a_caller_over_its_rate_is_told_when_to_come_again(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, ingest_caller_rows_per_s=1000, ingest_caller_burst_rows=10_000) as ingest:
        await ingest.put_park(park(station("s1", None)))
        body = b"station,property,time,value\n" + b"s9,chlorine,2026-03-01T00:00:00Z,1\n" * 6000
        vendor = {ACTOR_HEADER: "vendor"}
        assert (await send(ingest, body, "text/csv", **vendor)).status_code == 200
        over = await send(ingest, body, "text/csv", **vendor)
        assert over.status_code == 429
        assert int(over.headers["Retry-After"]) == 2
        assert (await send(ingest, body, "text/csv", **{ACTOR_HEADER: "other"})).status_code == 200
        assert (await send(ingest, body, "text/csv")).status_code == 200, "a service's own call"
        await asyncio.sleep(2.1)
        assert (await send(ingest, body, "text/csv", **vendor)).status_code == 200
