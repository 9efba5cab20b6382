"""What the database does for a question, as far as its cost depends on it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import scalar_row

from tests.ingest.questions.filling import ids, lay
from tests.ingest.running import Running

DAY = datetime(2026, 3, 1, tzinfo=UTC)
OTHERS = range(1_000_001, 1_000_200)
"""Datastreams that sent between: readings of one lie on as many pages as there are readings."""


@pytest.fixture
async def connection(ingest: Running) -> AsyncIterator[psycopg.AsyncConnection[object]]:
    options = "-c search_path=ingest"
    async with await psycopg.AsyncConnection.connect(
        ingest.database_url, options=options, autocommit=True, row_factory=scalar_row
    ) as connected:
        yield connected


@pytest.mark.parametrize(
    "question",
    [
        (
            "SELECT time, value, quality, minimum, maximum FROM observation WHERE datastream_id = ANY(%(ids)s) "
            "AND time >= %(start)s AND time < %(end)s ORDER BY datastream_id, time"
        ),
        "SELECT bucket, mean, minimum, maximum, valid FROM observation_minutes(%(ids)s, %(start)s, %(end)s)",
    ],
)
async def test_a_day_is_read_from_the_key_alone(
    ingest: Running, connection: psycopg.AsyncConnection[object], question: str
) -> None:
    minutes = [DAY + timedelta(minutes=n) for n in range(600)]
    one = min((await ids(ingest)).values(), default=1)
    await lay(ingest, [(number, at, 0.1, "N") for at in minutes for number in (one, *OTHERS)])
    await _vacuum(connection)
    span = {"ids": [one], "start": DAY, "end": DAY + timedelta(days=1)}
    plan = str(await (await connection.execute(f"EXPLAIN (ANALYZE) {question}".encode(), span)).fetchall())
    assert "Index Only Scan using observation_pkey" in plan, plan
    assert "rows=600" in plan, plan
    assert "Heap Fetches: 0" in plan, plan


async def _vacuum(connection: psycopg.AsyncConnection[object]) -> None:
    """Until all is known to be visible; a commit that does not wait for the disk is not at once."""
    seen = "SELECT relallvisible = relpages FROM pg_class WHERE oid = 'observation'::regclass"
    async with asyncio.timeout(30):
        await connection.execute("VACUUM (ANALYZE) observation")
        while not await (await connection.execute(seen)).fetchone():
            await asyncio.sleep(0.1)
            await connection.execute("VACUUM (ANALYZE) observation")


async def test_vacuum_follows_what_is_added(connection: psycopg.AsyncConnection[object]) -> None:
    """Until it came, the newest readings are looked up in the table."""
    asked = await connection.execute("SELECT unnest(reloptions) FROM pg_class WHERE oid = 'observation'::regclass")
    assert sorted(map(str, await asked.fetchall())) == [
        "autovacuum_vacuum_insert_scale_factor=0",
        "autovacuum_vacuum_insert_threshold=1000000",
    ]
