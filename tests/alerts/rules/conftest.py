from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.alerts.park import Producer, datastream
from tests.alerts.test_app import eventually, served, service, settings_of


@pytest.fixture
async def alerts(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> AsyncIterator[httpx.AsyncClient]:
    """The service; station 1 at the boundary has a coarser datastream of chlorine (3) and wind (4) as well."""
    here = {"station_id": "p.s1"}
    producer.datastreams += [
        datastream(3, cadence="minute", **here),
        datastream(4, "wind-speed", unit="m/s", **here),
        datastream(9, park_id="q", station_id="q.s1"),
    ]
    port = unused_port()
    async with (
        served(producer.app, port),
        service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client,
    ):

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        yield client
