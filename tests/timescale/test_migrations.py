"""Every migration of every service runs on TimescaleDB, and what it promises is there."""

from collections.abc import Iterator

import psycopg
import pytest

from shared.database import service_role
from tests.support.databases import migrate, services_with_migrations
from tests.support.timescale import timescale_server

ROLL_UPS = ["observation_day", "observation_hour", "observation_minute"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with timescale_server() as url:
        migrate(url)
        yield url


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def column(connection: psycopg.Connection, query: str) -> list[object]:
    return [row[0] for row in connection.execute(query.encode())]


def test_every_service_has_its_schema(connection: psycopg.Connection) -> None:
    found = column(
        connection, "SELECT table_schema FROM information_schema.tables WHERE table_name = 'alembic_version'"
    )
    assert sorted(map(str, found)) == services_with_migrations() == ["alerts", "gateway", "ingest", "model"]


def test_the_extension_is_in_no_services_schema(connection: psycopg.Connection) -> None:
    schema = "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'timescaledb'"
    assert column(connection, schema) == ["public"]


def test_observations_and_raw_frames_are_hypertables_and_are_compressed(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables"
        " WHERE hypertable_schema = 'ingest' ORDER BY 1"
    )
    assert found.fetchall() == [("observation", True), ("observation_as_sent", True), ("raw_frame", True)]


def test_roll_ups_are_continuous_aggregates_that_see_the_newest_rows(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT view_name, materialized_only FROM timescaledb_information.continuous_aggregates"
        " WHERE view_schema = 'ingest' ORDER BY 1"
    )
    assert found.fetchall() == [(name, False) for name in ROLL_UPS]


def test_policies_compress_refresh_and_forget(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT proc_name, count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000 GROUP BY 1"
    )
    policies: dict[str, int] = dict(found.fetchall())
    assert policies == {
        "policy_compression": 3,
        "policy_refresh_continuous_aggregate": len(ROLL_UPS),
        "policy_retention": 3,
    }
    assert column(connection, "SELECT relation FROM ingest.retention WHERE by_policy ORDER BY 1") == [
        "observation",
        "observation_as_sent",
        "raw_frame",
    ]


def test_a_second_run_changes_nothing(url: str) -> None:
    migrate(url)


@pytest.mark.parametrize("stranger", ["alerts", "gateway", "model"])
def test_no_other_service_reads_observations(url: str, stranger: str) -> None:
    options = f"-c role={service_role(stranger)}"
    with psycopg.connect(url, options=options) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT FROM ingest.observation")
