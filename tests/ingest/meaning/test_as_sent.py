"""What was sent in another unit can be asked for exactly, whichever way it came."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.meaning.normalise import normalise
from services.ingest.meaning.sent import AS_STORED, Sent, SentColumns, unit_code
from services.ingest.meaning.units import UNITS, UnitError, scale
from services.ingest.registry.snapshot import Device, Stream
from services.ingest.writing.binary_copy import BinaryArray, BinaryArrayDumper, encode_array
from shared.hj212.crc import CrcMode
from shared.hj212.segment import parse
from shared.time import iso
from shared.vocabulary import observed_properties
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import ids, lay
from tests.ingest.running import Running, until

PATH = "/parks/test-park/observations"
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
AMMONIA = ("test-park.s1", "ammonia", "realtime")
CHLORINE = ("test-park.s1", "chlorine", "realtime")
Told = list[tuple[float | None, str | None]]


def row(step: int, value: float | None, **more: str) -> dict[str, Any]:
    names = {"station": "s1", "property": "ammonia", "time": iso(AT + timedelta(seconds=step))}
    return {**names, "value": value, **more}


async def post(ingest: Running, body: dict[str, Any]) -> list[str]:
    answer = await ingest.http.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


async def asked(ingest: Running, key: tuple[str, str, str] = AMMONIA, **more: Any) -> dict[str, Any]:
    span = {"start": iso(AT - timedelta(days=1)), "end": iso(AT + timedelta(days=1))}
    number = (await ids(ingest))[key]
    (series,) = (await ingest.get(PATH, datastream_id=number, as_sent=True, **span, **more))["items"]
    return dict(series)


async def told(ingest: Running, key: tuple[str, str, str] = AMMONIA) -> Told:
    series = await asked(ingest, key)
    return list(zip(series["sent_value"], series["sent_unit"], strict=True))


def test_a_message_tells_what_was_sent_beside_what_is_stored() -> None:
    code = unit_code("ppm", "mg/m3")
    streams = {
        ("a21001", "minute"): Stream(1, "p.s1", "ammonia", "minute", 0.7, 25, 0, unit=code),
        ("a21022", "minute"): Stream(2, "p.s1", "chlorine", "minute", 1.0, 25, 0),
    }
    device = Device("A1", "p", "p.s1", ZoneInfo("UTC"), None, CrcMode.HJ212, "standard", streams)
    body = "CP=&&DataTime=20260301110000;a21022-Avg=1;a99999-Avg=1;a21001-Min=0.1,a21001-Avg=0.3&&"
    found = normalise(parse(f"CN=2051;MN=A1;{body}".encode()), device, AT, timedelta(minutes=10)).observations
    assert [(reading.datastream_id, reading.sent) for reading in found] == [
        (2, None),
        (1, Sent(code, 0.3, 0.1, None)),
    ]


@pytest.mark.parametrize("stored", sorted({known.unit for known in observed_properties().values()}))
def test_every_unit_that_can_be_converted_has_a_code(stored: str) -> None:
    assert unit_code(stored, stored) == AS_STORED
    for unit in ("mg/m3", "ug/m3", "ng/m3", "ppm", "ppb", "%", "kPa", "hPa", "degC", "m/s", "deg"):
        try:
            scale(unit, stored, 17.0, 25)
        except UnitError:
            continue
        if unit != stored:
            assert UNITS[unit_code(unit, stored)] == unit


def test_parts_are_joined_in_their_order() -> None:
    first, second = Sent(3, 1.5, None, 2.5), Sent(4, None, None, None)
    whole = SentColumns.joined([SentColumns.of([None, first]), None, SentColumns.of([second])], [2, 1, 1])
    assert whole is not None
    assert whole.unit.tolist() == [AS_STORED, 3, AS_STORED, 4]
    assert np.array_equal(whole.value, [np.nan, 1.5, np.nan, np.nan], equal_nan=True)
    assert whole.take(np.array([1])).maximum.tolist() == [2.5]
    assert SentColumns.joined([None, SentColumns.of([None])], [3, 1]) is None


numbers = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=30)


@given(numbers)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrays_arrive_as_they_are(database_url: str, values: list[float | None]) -> None:
    with psycopg.connect(database_url) as connection:
        connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)
        sent = encode_array(">f8", np.array(values, np.float64))
        found = connection.execute("SELECT ARRAY(SELECT unnest(%b::float8[]))", [sent]).fetchone()
        whole = encode_array(">i8", np.array([-(2**40), 7], np.int64))
        integers = connection.execute("SELECT %b::int8[]", [whole]).fetchone()
    assert found == (values,)
    assert integers == ([-(2**40), 7],)


async def test_rows_and_columns_over_http(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    sent = [row(0, 0.1, unit="ppm"), row(1, 7.3), row(2, 1234.5, unit="ppb"), row(3, None, unit="ppm", quality="B")]
    assert await post(ingest, {"observations": [*sent, row(4, 0.2, unit="kPa")]}) == ["accepted"] * 4 + ["refused"]
    columns = {
        "datastreams": [
            {"station": "s1", "property": "ammonia", "unit": "ug/m3"},
            {"station": "s1", "property": "chlorine"},
        ],
        "datastream": [0, 1],
        "time_ms": [round((AT + timedelta(seconds=5)).timestamp() * 1000)] * 2,
        "value": [250.7, 0.4],
    }
    assert await post(ingest, {"columns": columns}) == ["accepted"] * 2
    assert await told(ingest) == [(0.1, "ppm"), (7.3, "mg/m3"), (1234.5, "ppb"), (None, "ppm"), (250.7, "ug/m3")]
    assert await told(ingest, CHLORINE) == [(0.4, "mg/m3")]
    series = await asked(ingest)
    assert series["value"][0] == pytest.approx(0.1 * 17.0305 / 24.45, rel=1e-4)
    assert series["unit"] == "mg/m3"
    assert await ingest.rows("SELECT count(*) FROM observation_as_sent") == [(4,)], "of what was converted alone"


async def test_only_readings_tell_it_and_only_when_asked(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    number = (await ids(ingest))[AMMONIA]
    await post(ingest, {"observations": [row(0, 0.1, unit="ppm")]})
    (plain,) = (await ingest.get(PATH, datastream_id=number, start=iso(AT)))["items"]
    assert plain["sent_value"] is None
    for resolution in ("minute", "hour", "day"):
        asked = {"datastream_id": number, "resolution": resolution, "as_sent": True}
        refused = await ingest.http.get(PATH, params=asked)
        assert (refused.status_code, "resolution=raw" in refused.json()["detail"]) == (400, True)


async def test_pages_tell_it_for_every_reading(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    await post(ingest, {"observations": [row(step, step + 0.1, unit="ppm") for step in range(7)]})
    number = (await ids(ingest))[AMMONIA]
    parameters = {"datastream_id": number, "as_sent": True, "limit": 3, "start": iso(AT - timedelta(days=1))}
    found: list[float] = []
    for _ in range(3):
        page = await ingest.get(PATH, **parameters)
        found += page["items"][0]["sent_value"]
        parameters["cursor"] = page["next"]
    assert (found, page["next"]) == ([step + 0.1 for step in range(7)], None)


async def test_the_first_stays_and_corrections_leave_it(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    first = [row(0, 0.1, unit="ppm"), row(1, 3.0)]
    assert await post(ingest, {"observations": first}) == ["accepted"] * 2
    again = [row(0, 0.1, unit="ppm"), row(0, 55.0, unit="ppb"), row(2, 9.0, unit="ppm"), row(2, 8.0, unit="ppb")]
    assert await post(ingest, {"observations": again}) == ["duplicate", "conflicting", "accepted", "conflicting"]
    number = (await ids(ingest))[AMMONIA]
    for corrected in (4.0, 5.0):
        values = [
            {"datastream_id": number, "time": iso(AT + timedelta(seconds=step)), "value": corrected, "quality": "M"}
            for step in (0, 1)
        ]
        answer = await ingest.http.post("/parks/test-park/corrections", json={"reason": "zero gas", "values": values})
        assert answer.status_code == 200, answer.text
    assert await told(ingest) == [(0.1, "ppm"), (3.0, "mg/m3"), (9.0, "ppm")]
    assert (await asked(ingest))["value"][:2] == [5.0, 5.0]


async def test_tables_of_history(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    times = [iso(AT + timedelta(seconds=step)) for step in range(3)]
    lines = ["station,property,time,value,unit", f"s1,ammonia,{times[0]},1.7,ppb", f"s1,ammonia,{times[1]},2.5,"]
    answer = await ingest.http.put(
        "/parks/test-park/uploads/u1", content="\n".join(lines).encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    assert await told(ingest) == [(1.7, "ppb"), (2.5, "mg/m3")]


async def test_stations_and_what_is_read_again(ingest: Running) -> None:
    weather = {"property": "temperature"}, {"property": "pressure"}
    ammonia = {"property": "ammonia", "unit": "ppm", "at_measured_state": True}
    local = AT.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y%m%d%H%M%S")
    body = f"DataTime={local};a21001-Rtd=0.3,a21001-Flag=N;a01001-Rtd=-10;a01006-Rtd=85"
    message = parse(f"QN={local}000;ST=22;CN=2011;MN=A1;Flag=5;CP=&&{body}&&".encode())
    async with ingest.station() as client:
        await client.send(message)

        async def kept() -> bool:
            return bool(await ingest.rows("SELECT FROM raw_frame"))

        await until(kept)
        # Nobody's so far; read again once it is registered.
        await ingest.put_park(park(station("s1", "A1", datastreams=[ammonia, *weather])))

        async def stored() -> bool:
            return await told(ingest) == [(0.3, "ppm")]

        await until(stored)
        (value,) = (await asked(ingest))["value"]
        assert value == pytest.approx(0.3 * 17.0305 / 24.45 * 298.15 / 263.15 * 85 / 101.325, rel=1e-4)
        async with await psycopg.AsyncConnection.connect(ingest.database_url) as connection:
            await connection.execute("DELETE FROM ingest.observation")
            await connection.execute("UPDATE ingest.observation_as_sent SET value = 9")
        await client.send(message)
        await client.answer()
    assert await told(ingest) == [(0.3, "ppm")], "a row that was left behind holds nothing up"


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_exports(ingest: Running, form: str) -> None:
    await ingest.put_park(park(station("s1", None)))
    await post(ingest, {"observations": [row(0, 0.1, unit="ppm"), row(1, 3.0), row(2, None, quality="B")]})
    span = {"start": iso(AT), "end": iso(AT + timedelta(minutes=1)), "format": form}
    path = f"{PATH}/export"
    answer = await ingest.http.get(path, params={**span, "as_sent": True})
    assert answer.status_code == 200, answer.text
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        found = [(float(line["sent_value"]) if line["sent_value"] else None, line["sent_unit"]) for line in rows]
    else:
        rows = pq.read_table(io.BytesIO(answer.content)).to_pylist()
        found = [(line["sent_value"], line["sent_unit"]) for line in rows]
    assert found == [(0.1, "ppm"), (3.0, "mg/m3"), (None, "mg/m3")]
    assert b"sent_" not in (await ingest.http.get(path, params=span)).content
    refused = await ingest.http.get(path, params={**span, "as_sent": True, "resolution": "hour"})
    assert refused.status_code == 400


async def test_of_what_was_stored_before_it_was_kept_nothing_is_claimed(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    number = (await ids(ingest))[AMMONIA]
    await lay(ingest, [(number, AT - timedelta(hours=2), 1.0, "N"), (number, AT, 2.0, "N")])
    async with await psycopg.AsyncConnection.connect(ingest.database_url) as connection:
        await connection.execute("INSERT INTO ingest.as_sent_since VALUES (%s)", [AT - timedelta(hours=1)])
    assert await told(ingest) == [(None, None), (2.0, "mg/m3")]


async def test_it_is_kept_by_many_at_once(ingest: Running) -> None:
    """The same readings from several senders at the same time."""
    await ingest.put_park(park(station("s1", None)))
    rows = [row(step, step / 8, unit=("ppm", "ppb")[step % 2]) for step in range(40)]
    statuses = await asyncio.gather(
        *(post(ingest, {"observations": rows[shift:] + rows[:shift]}) for shift in range(8))
    )
    assert sum(status.count("accepted") for status in statuses) == 40
    assert await told(ingest) == [(line["value"], line["unit"]) for line in rows]
