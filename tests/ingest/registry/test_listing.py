"""The registry asked for, page by page, beside the readings and not in their way."""

import asyncio
from typing import Any

import pytest

from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running

DEVICE = "/parks/test-park/devices/A1"
ASKED = [
    "/parks",
    "/parks/test-park",
    "/parks/test-park/enterprises",
    "/parks/test-park/stations",
    "/parks/test-park/devices",
    "/parks/test-park/mapping",
    "/parks/test-park/replays",
    "/datastreams",
    "/devices/unknown",
    DEVICE + "/frames",
    DEVICE + "/commands",
    DEVICE + "/gaps",
    DEVICE + "/gap-filling",
]


async def test_all_datastreams_are_told_page_by_page(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    whole = await ingest.get("/datastreams")
    assert whole["next"] is None
    pages: list[list[int]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await ingest.get("/datastreams", limit=5, **cursor)
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [number for page_ids in pages for number in page_ids] == [item["id"] for item in whole["items"]]
    assert [len(page_ids) for page_ids in pages] == [5, 5, 5, 3]
    first = await ingest.get("/datastreams", park_id="test-park", limit=11)
    second = await ingest.get("/datastreams", park_id="test-park", limit=11, cursor=first["next"])
    assert {item["park_id"] for item in first["items"] + second["items"]} == {"test-park"}
    assert (len(first["items"]), len(second["items"]), second["next"]) == (11, 1, None)


@pytest.mark.parametrize(("asked", "status"), [({"cursor": "?"}, 400), ({"limit": 2001}, 422), ({"limit": 0}, 422)])
async def test_pages_that_are_refused(ingest: Running, asked: dict[str, Any], status: int) -> None:
    assert (await ingest.http.get("/datastreams", params=asked)).status_code == status


async def test_a_question_that_takes_too_long_is_given_up(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, ingest_question_timeout_s=0.05) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.state.engine.begin() as connection:
            for table in ("park", "device", "datastream", "command", "gap", "gap_filling", "unknown_device", "replay"):
                await connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(60):
                answers = [await ingest.http.get(path) for path in ASKED]
        for answer in answers:
            assert answer.status_code == 503, answer.url
            assert "took too long" in answer.json()["detail"]
            assert "Retry-After" in answer.headers
