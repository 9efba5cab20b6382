"""Corrections and conflicts through the service, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from shared.messages import ObservationsCorrected
from shared.time import iso
from tests.ingest.parks import park, station
from tests.ingest.running import Running

T0 = datetime(2026, 3, 1, tzinfo=UTC)
PARK = "/parks/test-park"


def at(step: int) -> str:
    return iso(T0 + timedelta(seconds=30 * step))


async def stream_of(ingest: Running, station_id: str = "test-park.s1") -> int:
    """The real-time chlorine of a station."""
    items = (await ingest.get("/datastreams"))["items"]
    (number,) = [
        item["id"]
        for item in items
        if (item["station_id"], item["property_id"], item["cadence"]) == (station_id, "chlorine", "realtime")
    ]
    return int(number)


async def fill(ingest: Running, stream: int, values: list[float | None]) -> None:
    """Observations every 30 s from T0 on, past the service."""
    async with await psycopg.AsyncConnection.connect(ingest.database_url, options="-c search_path=ingest") as db:
        rows = [(stream, T0 + timedelta(seconds=30 * step), value) for step, value in enumerate(values)]
        await db.cursor().executemany("INSERT INTO observation VALUES (%s, %s, %s, 'N', NULL, NULL)", rows)


@pytest.fixture
async def stream(ingest: Running) -> int:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    number = await stream_of(ingest)
    await fill(ingest, number, [1.0, 2.0, 300.0, 4.0])
    return number


async def correct(ingest: Running, **body: Any) -> dict[str, Any]:
    answer = await ingest.http.post(
        f"{PARK}/corrections", json={"reason": "calibration gas", **body}, headers={"X-Fenceline-Actor": "key-7"}
    )
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_a_correction_counts_and_the_original_stays_readable(ingest: Running, stream: int) -> None:
    value = {"datastream_id": stream, "time": at(2), "value": 3.0}
    assert await correct(ingest, reviewer="Li Na", values=[value]) == {"corrected": 1, "unchanged": 0}
    series = (await ingest.get(f"{PARK}/observations", datastream_id=stream, start=at(0), end=at(9)))["items"][0]
    assert series["value"] == [1.0, 2.0, 3.0, 4.0]

    (entry,) = (await ingest.get(f"{PARK}/corrections", datastream_id=stream))["items"]
    assert entry["before"] == {"value": 300.0, "quality": "N", "minimum": None, "maximum": None}
    assert entry["after"]["value"] == 3.0
    assert (entry["author"], entry["reviewer"], entry["reason"]) == ("key-7", "Li Na", "calibration gas")

    # Once more changes nothing and leaves no trace.
    assert await correct(ingest, values=[value]) == {"corrected": 0, "unchanged": 1}
    assert len((await ingest.get(f"{PARK}/corrections"))["items"]) == 1


async def test_roll_ups_follow(ingest: Running, stream: int) -> None:
    await correct(ingest, spans=[{"datastream_id": stream, "start": at(2), "end": at(3)}])
    asked = {"datastream_id": stream, "start": at(0), "end": iso(T0 + timedelta(hours=1))}
    minutes = (await ingest.get(f"{PARK}/observations", resolution="minute", **asked))["items"][0]
    assert (minutes["value"], minutes["count"], minutes["valid"]) == ([1.5, 4.0], [2, 2], [2, 1])
    assert minutes["quality"] == ["N", "D"], "half of the second minute is rejected"
    hours = (await ingest.get(f"{PARK}/observations", resolution="hour", **asked))["items"][0]
    assert (hours["value"], hours["maximum"], hours["valid"]) == ([pytest.approx(7 / 3)], [4.0], [3])


async def test_no_alarm_hears_of_it_but_who_wants_to_know_does(ingest: Running, stream: int) -> None:
    await correct(ingest, values=[{"datastream_id": stream, "time": at(2), "value": 3.0}])
    told = await ingest.rows("SELECT DISTINCT stream FROM outbox WHERE stream <> 'registry'")
    assert told == [("corrections",)], "not in the streams that alarms are raised from"
    ((payload,),) = await ingest.rows("SELECT payload FROM outbox WHERE stream = 'corrections'")
    fact = ObservationsCorrected.decode(payload)
    assert (fact.park_id, fact.datastream_id, fact.value, fact.author) == ("test-park", [stream], [3.0], "key-7")


async def test_the_first_of_several_corrections_has_what_was_sent(ingest: Running, stream: int) -> None:
    for number in (10.0, 20.0, 30.0):
        await correct(ingest, values=[{"datastream_id": stream, "time": at(2), "value": number}])
    items = (await ingest.get(f"{PARK}/corrections", datastream_id=stream))["items"]
    assert [(item["before"]["value"], item["after"]["value"]) for item in items] == [
        (20.0, 30.0),
        (10.0, 20.0),
        (300.0, 10.0),
    ]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"values": [{"datastream_id": "own", "time": at(99), "value": 1}]}, 422, "no observation at"),
        ({"values": [{"datastream_id": 4711, "time": at(0), "value": 1}]}, 404, "no datastream 4711"),
        ({"values": [], "spans": []}, 422, "name observations"),
        ({"spans": [{"datastream_id": "own", "start": at(2), "end": at(2)}]}, 422, "before `end`"),
        ({"reason": "", "spans": [{"datastream_id": "own", "start": at(1), "end": at(2)}]}, 422, "reason"),
        ({"reason": "\x00", "spans": [{"datastream_id": "own", "start": at(1), "end": at(2)}]}, 422, "reason"),
        ({"reviewer": "\x00", "spans": [{"datastream_id": "own", "start": at(1), "end": at(2)}]}, 422, "reviewer"),
        ({"values": [{"datastream_id": 10**12, "time": at(0), "value": 1}]}, 422, "datastream_id"),
        ({"values": [{"datastream_id": "own", "time": at(0), "value": 1e200}]}, 422, "value"),
    ],
)
async def test_all_or_nothing(ingest: Running, stream: int, body: dict[str, Any], status: int, detail: str) -> None:
    good = {"datastream_id": stream, "time": at(0), "value": 9.0}
    for part in (*body.get("values", []), *body.get("spans", [])):
        if part["datastream_id"] == "own":
            part["datastream_id"] = stream
    if body.get("values"):
        body["values"].append(good)
    answer = await ingest.http.post(f"{PARK}/corrections", json={"reason": "x", **body})
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]
    assert await ingest.rows("SELECT count(*) FROM correction") == [(0,)]
    assert await ingest.rows("SELECT value FROM observation ORDER BY time LIMIT 1") == [(1.0,)]


async def test_another_parks_datastream_is_not_to_be_corrected(ingest: Running, stream: int) -> None:
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    answer = await ingest.http.post(
        "/parks/other/corrections",
        json={"reason": "x", "values": [{"datastream_id": stream, "time": at(0), "value": 9.0}]},
    )
    assert answer.status_code == 404
    assert (await ingest.get("/parks/other/corrections"))["items"] == []


async def test_corrections_at_once_take_turns(ingest: Running, stream: int) -> None:
    """Every change starts from what the one before it left: the journal is a chain without gaps."""
    await asyncio.gather(
        *(
            correct(ingest, values=[{"datastream_id": stream, "time": at(step), "value": float(number)}])
            for number in range(100, 106)
            for step in (0, 1)
        )
    )
    for step in (0, 1):
        rows = await ingest.rows(
            "SELECT before_value, after_value FROM correction WHERE time = %s ORDER BY id",
            datetime.fromisoformat(at(step)),
        )
        assert [before for before, _ in rows[1:]] == [after for _, after in rows[:-1]]
        assert len(rows) == 6


async def test_pages_of_corrections(ingest: Running, stream: int) -> None:
    await correct(ingest, spans=[{"datastream_id": stream, "start": at(0), "end": at(4)}])
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await ingest.get(f"{PARK}/corrections", limit=3, start=at(0), end=at(4), **cursor)
        found += [item["time"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(found) == [at(step) for step in range(4)]
    assert (await ingest.get(f"{PARK}/corrections", start=at(4)))["items"] == []


async def test_conflicts_are_listed(ingest: Running, stream: int) -> None:
    async with await psycopg.AsyncConnection.connect(ingest.database_url, options="-c search_path=ingest") as db:
        await db.execute(
            "INSERT INTO conflict (datastream_id, time, stored_value, stored_quality, value, quality, source, times)"
            " SELECT %s, %s + n * interval '30 s', n, 'N', n + 1, 'T', 'http:key-7', 2 FROM generate_series(0, 2) n",
            [stream, T0],
        )
    page = await ingest.get(f"{PARK}/conflicts", limit=2)
    assert [(item["time"], item["stored_value"], item["sent"]["value"]) for item in page["items"]] == [
        (at(2), 2.0, 3.0),
        (at(1), 1.0, 2.0),
    ]
    assert (page["items"][0]["sent"]["quality"], page["items"][0]["times"]) == ("T", 2)
    (last,) = (await ingest.get(f"{PARK}/conflicts", limit=2, cursor=page["next"]))["items"]
    assert (last["time"], last["source"]) == (at(0), "http:key-7")
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    assert (await ingest.get("/parks/other/conflicts"))["items"] == []
    assert (await ingest.get(f"{PARK}/conflicts", datastream_id=stream + 1))["items"] == []


async def test_what_is_sent_again_after_a_correction_is_a_duplicate(ingest: Running, stream: int) -> None:
    """A station that re-sends its day does not contradict the reviewer."""
    await correct(ingest, values=[{"datastream_id": stream, "time": at(2), "value": 3.0}])
    await correct(ingest, values=[{"datastream_id": stream, "time": at(2), "value": 2.5}])
    row = {"station": "s1", "property": "chlorine", "time": at(2)}
    sent = [{**row, "value": value} for value in (300.0, 2.5, 7.0)]
    answer = await ingest.http.post(f"{PARK}/observations", json={"observations": sent})
    assert [entry["status"] for entry in answer.json()["results"]] == ["duplicate", "duplicate", "conflicting"]
    assert await ingest.rows("SELECT value FROM observation WHERE time = %s", datetime.fromisoformat(at(2))) == [(2.5,)]


async def test_a_flag_for_the_clock_makes_no_other_reading_of_it(ingest: Running, stream: int) -> None:
    row = {"station": "s1", "property": "chlorine"}
    sent = [
        {**row, "time": at(0), "value": 1.0, "quality": "W"},
        {**row, "time": at(1), "value": 9.0, "quality": "W"},
        {**row, "time": at(2), "value": 300.0, "quality": "D"},
    ]
    answer = await ingest.http.post(f"{PARK}/observations", json={"observations": sent})
    assert [entry["status"] for entry in answer.json()["results"]] == ["duplicate", "conflicting", "conflicting"]
