"""The relay and the build behind it do what the tests of our own statements rely on."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import psycopg
import pytest

START = datetime(2026, 1, 1, tzinfo=UTC)

SCHEMA = """
    CREATE EXTENSION IF NOT EXISTS timescaledb;
    CREATE TABLE reading (at timestamptz NOT NULL, stream int NOT NULL, value float8, PRIMARY KEY (stream,
    at)); SELECT create_hypertable('reading', by_range('at', interval '1 day'));
"""
MINUTES = """
    CREATE MATERIALIZED VIEW minutes WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
    SELECT stream, time_bucket('1 minute', at) AS at, sum(value) AS total, count(*) AS n
    FROM reading GROUP BY 1, 2 WITH NO DATA
"""
HOURS = """
    CREATE MATERIALIZED VIEW hours WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
    SELECT stream, time_bucket('1 hour', at) AS at, sum(total) AS total, sum(n) AS n
    FROM minutes GROUP BY 1, 2 WITH NO DATA
"""


def _fill(connection: psycopg.Connection, day: int, rows: int = 240) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY reading FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["timestamptz", "int4", "float8"])
        for index in range(rows):
            copy.write_row((START + timedelta(days=day, seconds=30 * index), 1, float(index)))


def test_hypertable_compression_and_hierarchical_real_time_aggregates(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        for statement in (*SCHEMA.strip().rstrip(";").split(";"), MINUTES, HOURS):
            connection.execute(statement.encode())
        assert connection.execute("SHOW timescaledb.license").fetchone() == ("timescale",)
        _fill(connection, day=0)
        _fill(connection, day=1)
        hours = "SELECT count(*), sum(n) FROM hours"
        assert connection.execute(hours).fetchone() == (4, 480)

        connection.execute("ALTER TABLE reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'stream')")
        chunks = connection.execute("SELECT count(compress_chunk(c)) FROM show_chunks('reading') c").fetchone()
        assert chunks == (2,)
        late = "INSERT INTO reading VALUES (%s, 1, 7) ON CONFLICT DO NOTHING"
        assert connection.execute(late, [START + timedelta(seconds=1)]).rowcount == 1
        assert connection.execute(late, [START + timedelta(seconds=1)]).rowcount == 0
        assert connection.execute(hours).fetchone() == (4, 481)

        connection.execute("CALL refresh_continuous_aggregate('minutes', NULL, NULL)")
        connection.execute("CALL refresh_continuous_aggregate('hours', NULL, NULL)")
        assert connection.execute(hours).fetchone() == (4, 481)
        connection.execute("SELECT add_retention_policy('reading', interval '90 days')")
        jobs = connection.execute("SELECT proc_name FROM timescaledb_information.jobs WHERE job_id >= 1000")
        assert ("policy_retention",) in jobs.fetchall()


async def test_both_drivers_take_turns_and_leave_no_state_behind(timescale_url: str) -> None:
    settings = {"search_path": "elsewhere", "timezone": "Asia/Shanghai"}
    first = await asyncpg.connect(timescale_url, server_settings=settings)
    assert await first.fetchval("SHOW timezone") == "Asia/Shanghai"
    waiting = asyncio.create_task(psycopg.AsyncConnection.connect(timescale_url))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await first.execute("BEGIN; CREATE TABLE public.unfinished (a int)")
    await first.close()

    async with await waiting as second:
        found = await second.execute("SELECT current_setting('search_path'), to_regclass('public.unfinished')")
        assert await found.fetchone() == ('"$user", public', None)


async def test_a_refused_copy_leaves_the_connection_in_a_state_that_it_knows(timescale_url: str) -> None:
    connection = await asyncpg.connect(timescale_url)
    await connection.execute("CREATE TABLE once (a int PRIMARY KEY)")
    assert await connection.copy_records_to_table("once", records=[(1,), (2,)]) == "COPY 2"
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.copy_records_to_table("once", records=[(3,), (2,)])
    transaction = connection.transaction()
    await transaction.start()
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.copy_records_to_table("once", records=[(1,)])
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await connection.fetchval("SELECT 1")
    await transaction.rollback()
    assert await connection.fetchval("SELECT count(*) FROM once") == 2
    await connection.close()


async def test_a_role_of_a_start_up_message_is_taken_on(timescale_url: str) -> None:
    connection = await asyncpg.connect(timescale_url)
    await connection.execute("CREATE ROLE narrow NOLOGIN; CREATE TABLE shut (a int)")
    await connection.close()
    connection = await asyncpg.connect(timescale_url, server_settings={"role": "narrow"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetchval("SELECT count(*) FROM shut")
    await connection.close()
