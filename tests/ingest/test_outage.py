"""Nothing is acknowledged before it is committed, and ingest comes through outages by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client

from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
from shared.streams import FACTS
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import until
from tests.ingest.stations.test_server import data


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A server of this test's own, stopped at first."""
    server = EmbeddedValkey(Path(tmp_path_factory.mktemp("own-valkey")), durable=False)
    server.start()
    server.stop()
    yield server
    server.stop()


async def test_ingest_starts_without_stores_says_so_and_recovers(
    start_ingest: Start, own_postgres: EmbeddedPostgres, own_valkey: EmbeddedValkey
) -> None:
    async with start_ingest(own_postgres.url, redis_url=own_valkey.url) as ingest:
        assert (await ingest.http.get("/health/startup")).status_code == 200
        answer = await ingest.http.get("/health/ready")
        assert answer.status_code == 503
        states = {name: state["up"] for name, state in answer.json()["dependencies"].items()}
        assert states == {"database": False, "redis": False, "registry": False, "writer": True, "stations": False}
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", ingest.port)
        posted = await ingest.http.post("/parks/test-park/observations", json={"observations": [{}]})
        assert posted.status_code == 503
        for answer in (
            await ingest.http.get("/parks"),
            await ingest.http.put("/parks/test-park/registry", json=park(station("s1", "A1"))),
        ):
            assert answer.status_code == 503, answer.text
            assert "retry-after" in answer.headers
        assert posted.headers["Retry-After"] == "2"

        await asyncio.to_thread(own_postgres.start)
        # Redis is only the bell: readings are taken in without it.
        await until(lambda: _listening(ingest.port))
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.station() as client:
            await client.send(data(1.0))
            assert (await client.answer()).cn == "9014"
        await asyncio.to_thread(own_valkey.start)
        await ingest.ready()
        with redis_client.Redis.from_url(own_valkey.url) as bell:
            await until(lambda: asyncio.to_thread(lambda: bool(bell.keys(FACTS + "observations.*"))))


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_nothing_is_acknowledged_while_the_database_is_down(
    start_ingest: Start, own_postgres: EmbeddedPostgres
) -> None:
    await asyncio.to_thread(own_postgres.start)
    async with start_ingest(own_postgres.url) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.station() as client:
            await client.send(data(1.0, 10, qn="1"))
            assert (await client.answer()).qn == "1"
            await asyncio.to_thread(own_postgres.stop)
            await client.send(data(2.0, 5, qn="2"))
            with pytest.raises(TimeoutError):
                await client.answer(1.5)
            posted = await ingest.http.post(
                "/parks/test-park/observations",
                json={
                    "observations": [
                        {"station": "s1", "property": "chlorine", "time": "2026-01-01T00:00:00Z", "value": 1}
                    ]
                },
            )
            assert posted.status_code == 503
            ready = (await ingest.http.get("/health/ready")).json()
            assert not ready["dependencies"]["writer"]["up"]
            await asyncio.to_thread(own_postgres.start)
            # Within the longest pause between two attempts, the same connection gets its answer.
            assert (await client.answer(20)).qn == "2"
            assert await ingest.rows("SELECT value FROM observation ORDER BY time") == [(1.0,), (2.0,)]
            await ingest.ready()
