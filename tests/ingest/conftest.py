"""A running ingest in this process: real sockets, real stores."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from launcher.embedded import EmbeddedPostgres
from tests.ingest.running import Running, start
from tests.support.databases import migrate

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


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, to stop and start; stopped at first."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("own-postgres"), durable=False)
    server.start()
    migrate(server.url, "ingest")
    server.stop()
    yield server
    server.stop()
