"""Late readings are taken up to a configured age, and refused beyond it, each by the sender's own way of being told."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.hj212.codes import Cn
from shared.hj212.commands import format_qn, format_time
from shared.hj212.frame import encode
from shared.time import iso
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

NOW = datetime.now(UTC).replace(microsecond=0)
PARK = "/parks/test-park"


@pytest.fixture
async def two_days(start_ingest: Any, database_url: str) -> AsyncIterator[Running]:
    """Ingest that takes what is up to two days old."""
    running: AbstractAsyncContextManager[Running] = start_ingest(database_url, ingest_late_days=2)
    async with running as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1", device={"acknowledge": "always"})))
        yield ingest


async def test_over_http_each_row_is_told(two_days: Running) -> None:
    rows = [
        {"station": "s1", "property": "chlorine", "time": iso(NOW - timedelta(hours=hours)), "value": 1.0}
        for hours in (47, 49, 1)
    ]
    answer = (await two_days.http.post(f"{PARK}/observations", json={"observations": rows})).json()
    assert [entry["status"] for entry in answer["results"]] == ["accepted", "refused", "accepted"]
    assert answer["results"][1]["detail"] == "the time lies more than 2 days back"


async def test_over_hj212_the_frame_is_kept_with_the_reason(two_days: Running) -> None:
    async with two_days.station() as device:
        for hours in (47, 49):
            local = (NOW - timedelta(hours=hours) + timedelta(hours=8)).replace(tzinfo=None)
            body = f"QN={format_qn(local)};ST=31;CN={Cn.REALTIME};MN=A1;Flag=5;CP=&&DataTime={format_time(local)};"
            await device.send(encode(f"{body}a21022-Rtd=1,a21022-Flag=N&&".encode()))
            await device.answer()
    assert await two_days.rows("SELECT count(*) FROM observation") == [(1,)]
    verdicts = await two_days.rows("SELECT verdict, detail FROM raw_frame ORDER BY received_at, number")
    assert verdicts == [("accepted", None), ("rows_refused", "time_too_old")]


async def test_a_late_reading_shows_in_the_roll_ups(two_days: Running) -> None:
    old = NOW.replace(minute=0, second=0) - timedelta(hours=40)
    number = next(item["id"] for item in (await two_days.get("/datastreams"))["items"])
    asked = {"datastream_id": number, "start": iso(old), "end": iso(old + timedelta(hours=1)), "resolution": "hour"}
    chosen = next(item for item in (await two_days.get("/datastreams"))["items"] if item["id"] == number)
    row = {"station": "s1", "property": chosen["property_id"], "cadence": chosen["cadence"]}

    async def hour(*values: float) -> Any:
        for index, value in enumerate(values):
            rows = [{**row, "time": iso(old + timedelta(minutes=index + 10 * int(value))), "value": value}]
            await two_days.http.post(f"{PARK}/observations", json={"observations": rows})
        return (await two_days.get(f"{PARK}/observations", **asked))["items"][0]

    assert (await hour(1.0))["value"] == [1.0]

    async def rolled_up() -> bool:
        return bool(await two_days.rows("SELECT 1 FROM hour_roll_up WHERE datastream_id = %s", number))

    await until(rolled_up)
    assert (await hour(3.0))["value"] == [2.0]
