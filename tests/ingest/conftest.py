"""A running ingest in this process: real sockets, real stores."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.ingest.running import Running, start

Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start_ingest(redis_url: str, internal_token: str) -> Start:
    """Start ingest against a database; further settings as keywords."""

    @asynccontextmanager
    async def run(database_url: str, **settings: object) -> AsyncIterator[Running]:
        given = {"redis_url": redis_url, "internal_token": internal_token, **settings}
        async with start(database_url, given) as running:
            yield running

    return run


@pytest.fixture
async def ingest(start_ingest: Start, database_url: str) -> AsyncIterator[Running]:
    """Ingest on an empty, migrated database, listening for stations."""
    async with start_ingest(database_url) as running:
        await running.ready()
        yield running
