"""The newest observations in memory are what the database would say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.api.answering import answer
from services.ingest.questions.latest import latest
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import ids
from tests.ingest.running import Running, until

LATEST = "/parks/test-park/latest"
START = datetime(2026, 3, 1, tzinfo=UTC)


def row(minute: int, value: float | None, **changes: Any) -> dict[str, Any]:
    time = (START + timedelta(minutes=minute)).isoformat()
    return {"station": "s1", "property": "chlorine", "time": time, "value": value, **changes}


async def post(ingest: Running, *rows: dict[str, Any]) -> None:
    posted = await ingest.http.post("/parks/test-park/observations", json={"observations": rows})
    assert posted.status_code == 200, posted.text


async def newest(ingest: Running) -> list[tuple[str, float | None, str]]:
    assert ingest.state.newest.is_current
    return [(item["time"][11:16], item["value"], item["quality"]) for item in (await ingest.get(LATEST))["items"]]


async def test_what_was_acknowledged_is_there_at_once_and_late_rows_do_not_count(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    assert await newest(ingest) == []
    await post(ingest, row(5, 1.0), row(3, 9.0))
    assert await newest(ingest) == [("00:05", 1.0, "N")]
    await post(ingest, row(4, 8.0), row(5, 7.0))
    assert await newest(ingest) == [("00:05", 1.0, "N")]
    await post(ingest, row(6, None, quality="B"), row(7, 2.0, cadence="minute"))
    assert await newest(ingest) == [("00:06", None, "B")]


async def test_a_correction_counts_and_the_next_reading_after_it(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    await post(ingest, row(5, 1.0))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    corrected = {"datastream_id": number, "time": START.replace(minute=5).isoformat(), "value": 0.5, "quality": "S"}
    answer = await ingest.http.post(
        "/parks/test-park/corrections", json={"reason": "read wrongly", "values": [corrected]}
    )
    assert answer.status_code in (200, 201), answer.text

    async def told() -> bool:
        return await newest(ingest) == [("00:05", 0.5, "S")]

    await until(told)
    await post(ingest, row(6, 3.0))
    assert await newest(ingest) == [("00:06", 3.0, "N")]


async def test_another_replica_hears_of_it(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url) as one, start_ingest(database_url) as other:
        await one.ready()
        await other.ready()
        await one.put_park(park(station("s1", None)))
        await post(one, row(5, 1.0))

        async def heard() -> bool:
            return bool((await other.get(LATEST))["items"]) and await newest(other) == [("00:05", 1.0, "N")]

        await until(heard)


async def test_memory_says_what_the_database_says(ingest: Running) -> None:
    await ingest.put_park(park(*(station(f"s{number}", None) for number in range(4))))
    gases = [(f"s{number}", gas) for number in range(4) for gas in ("chlorine", "ammonia")]
    for minute in (3, 1, 2, 5, 4):
        rows = [row(minute, minute / 7, station=code, property=gas) for code, gas in gases]
        await post(ingest, *rows[minute % 3 :])
    remembered = await ingest.get(LATEST)
    async with ingest.state.engine.connect() as connection:
        stored = await latest(connection, "test-park", "realtime", 100, 0)
    assert remembered == json.loads(bytes(answer(stored).body))
    assert len(remembered["items"]) == 8
