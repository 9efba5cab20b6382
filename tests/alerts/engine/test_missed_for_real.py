"""The real ingest has forgotten facts that the real alerts service never read; what they told is not lost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg

from shared.outbox import http_catch_up
from shared.redis import create_redis
from shared.streams import OBSERVATION_SHARDS, FactReader, observation_stream, shard_of
from shared.time import iso, utc_now
from tests.alerts.rules.test_trials import real_ingest
from tests.alerts.test_app import eventually, service, settings_of
from tests.ingest.parks import park as park_file
from tests.ingest.parks import station
from tests.ingest.running import Running


async def send(ingest: Running, begin: datetime, values: list[float]) -> None:
    """Readings, a second after each other."""
    rows = [
        {
            "station": "s1",
            "property": "chlorine",
            "time": iso(begin + timedelta(seconds=number)),
            "value": value,
        }
        for number, value in enumerate(values)
    ]
    answer = await ingest.http.post("/parks/test-park/observations", json={"observations": rows})
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(rows), answer.text


async def test_an_edge_in_facts_that_nobody_has_any_more_is_told(
    database_url: str, redis_url: str, internal_token: str, unused_port: Callable[[], int]
) -> None:
    port = unused_port()
    settings = settings_of(database_url, redis_url, internal_token, port)

    async def told(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        answer = await client.get("/parks/test-park/alarms", params={"state": "all"})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async with real_ingest(database_url, redis_url, internal_token, port) as ingest:
        await ingest.put_park(park_file(station("s1", "A1")))
        now = utc_now()
        async with service(settings, internal_token) as client:
            await send(ingest, now - timedelta(seconds=300), [0.1] * 3)

            async def read() -> bool:
                return (
                    bool(await ingest.rows("SELECT 1 FROM observation LIMIT 1"))
                    and (await client.get("/health/ready")).status_code == 200
                )

            await eventually(read)
        # The service is away; gas comes and goes, and what told of it is trimmed everywhere.
        await send(ingest, now - timedelta(seconds=200), [3.0] * 10 + [0.1] * 10)
        stream = observation_stream(shard_of("test-park.s1", OBSERVATION_SHARDS))
        redis = create_redis(redis_url, "test")
        with psycopg.connect(database_url, autocommit=True) as connection:

            async def published() -> bool:
                positions = "SELECT last_position FROM ingest.outbox_stream WHERE stream = %s"
                there = await FactReader(redis, http_catch_up(ingest.http)).last_positions([stream])
                return connection.execute(positions, [stream]).fetchone() == (there[stream],)

            await eventually(published)
            connection.execute("DELETE FROM ingest.outbox WHERE stream = %s", [stream])
        await redis.flushall()
        await redis.aclose()
        async with service(settings, internal_token) as client:
            await send(ingest, now - timedelta(seconds=1), [0.1])

            async def known() -> bool:
                return bool(await told(client))

            await eventually(known, 60)
            (alarm,) = await told(client)
            assert alarm["raised_at"] == iso(now - timedelta(seconds=198))
            assert alarm["returned_at"] == iso(now - timedelta(seconds=188))
