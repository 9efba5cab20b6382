"""Real stores for every test: PostgreSQL and Valkey from wheels, one pair a worker, started on demand.

postgres_server       the server (session)
database_url          a database with every service's migrations; its tables are empty at the start of a test
empty_database_url    a new database without any schema, dropped after the test
redis_server          the server (session)
redis_url             a Valkey that is empty at the start of a test
internal_token        what services show each other
unused_port           a function that gives a free TCP port
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
from launcher.ports import free_port
from tests.support.databases import ROOT, empty_tables, filled_tables, fresh_database, migrate
from tests.support.timescale import timescale_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(_folder(tmp_path_factory, "postgres"), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def _migrated(postgres_server: EmbeddedPostgres) -> tuple[str, frozenset[str]]:
    """The worker's database and the tables that its migrations filled."""
    url = postgres_server.url
    migrate(url)
    return url, frozenset(filled_tables(url))


@pytest.fixture
def database_url(_migrated: tuple[str, frozenset[str]]) -> str:
    url, filled_by_migrations = _migrated
    empty_tables(url, keep=filled_by_migrations)
    return url


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with fresh_database(postgres_server.url, f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(_folder(tmp_path_factory, "valkey"), durable=False) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedValkey) -> str:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="module")
def timescale_url() -> Iterator[str]:
    with timescale_server() as url:
        yield url


@pytest.fixture(scope="session")
def internal_token() -> str:
    return "a-token-for-tests-of-at-least-32-characters"


@pytest.fixture(scope="session")
def unused_port() -> Callable[[], int]:
    return free_port


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder; those that start whole systems run one after the other, in one worker."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in ("system", "browser", "timescale"):
            item.add_marker(folder)
        if folder in ("system", "browser"):
            item.add_marker(pytest.mark.xdist_group("whole-systems"))
        elif folder == "timescale":
            item.add_marker(pytest.mark.xdist_group(f"timescale-{item.path.stem}"))


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder under the worker's own; pytest removes those of all but its last three runs."""
    return factory.mktemp(name, numbered=False)
