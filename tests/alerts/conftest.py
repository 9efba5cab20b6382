from collections.abc import AsyncIterator

import pytest

from tests.alerts.park import Park, Producer, datastream


@pytest.fixture
async def producer(redis_url: str) -> AsyncIterator[Producer]:
    """Two chlorine stations: 1 at the boundary, 2 at a source."""
    stands = Producer(redis_url, [datastream(1), datastream(2, ring="source")])
    yield stands
    await stands.redis.aclose()


@pytest.fixture
async def park(database_url: str, redis_url: str, producer: Producer) -> AsyncIterator[Park]:
    one = Park(database_url, redis_url, producer)
    await one.runner.prepare()
    yield one
    await one.close()
