"""The roll-ups of plain PostgreSQL are at every moment what the readings give, and cost little where they are long."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.rolling_up import HOUR, SETTLED_AFTER, RollUps
from shared import database

COLUMNS = ("count", "valid", "over_range", "mean", "minimum", "maximum", "total", "total_sine", "total_cosine")
_FROM_MINUTES = """
    SELECT datastream_id, date_bin('{width}', bucket, '2000-01-01Z') AS bucket, sum(count)::bigint, sum(valid)::bigint,
           sum(over_range)::bigint, sum(total) / nullif(sum(valid), 0), min(minimum), max(maximum), sum(total),
           sum(total_sine), sum(total_cosine)
    FROM observation_minute GROUP BY 1, 2 ORDER BY 1, 2
"""
_STORE = text("INSERT INTO observation VALUES (:id, :time, :value, :quality) ON CONFLICT DO NOTHING")
_CORRECT = text("UPDATE observation SET value = :value, quality = :quality WHERE datastream_id = :id AND time = :time")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = database.create_engine(database_url, "ingest")
    yield engine
    await engine.dispose()


@pytest.fixture
async def limit(engine: AsyncEngine) -> AsyncIterator[datetime]:
    """Readings before it are rolled up, those from it on are not yet; put back afterwards, for time runs ahead here."""
    limit = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - SETTLED_AFTER
    move = text("UPDATE roll_up_progress SET logged_before = :limit, rolled_before = :limit")
    async with engine.begin() as connection:
        await connection.execute(move, {"limit": limit})
    yield limit
    async with engine.begin() as connection:
        await connection.execute(move, {"limit": limit})


def reading(datastream_id: int, time: datetime, value: float = 1.0, quality: str = "N") -> dict[str, Any]:
    return {"id": datastream_id, "time": time, "value": value, "quality": quality}


async def store(engine: AsyncEngine, *rows: dict[str, Any]) -> None:
    async with engine.begin() as connection:
        await connection.execute(_STORE, rows)


async def work_off(engine: AsyncEngine) -> None:
    roll_ups = RollUps(engine)
    while await roll_ups.work_off():
        pass


async def stale(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return len((await connection.execute(text("SELECT 1 FROM stale_hour"))).all())


async def hours(engine: AsyncEngine) -> dict[tuple[int, datetime], float]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT datastream_id, bucket, total FROM observation_hour"))
        return {(row.datastream_id, row.bucket): row.total for row in rows}


async def assert_exact(engine: AsyncEngine) -> None:
    for name, width in (("observation_hour", "1 hour"), ("observation_day", "1 day")):
        query = f"SELECT datastream_id, bucket, {', '.join(COLUMNS)} FROM {name} ORDER BY 1, 2"
        async with engine.connect() as connection:
            expected = (await connection.execute(text(_FROM_MINUTES.format(width=width)))).all()
            found = (await connection.execute(text(query))).all()
        assert [row[:2] for row in found] == [row[:2] for row in expected], name
        for one, other in zip(expected, found, strict=True):
            assert list(other[2:]) == [
                value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9) for value in one[2:]
            ], (name, one)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_stored_late_or_corrected_while_hours_are_rolled_up(
    engine: AsyncEngine, limit: datetime, seed: int
) -> None:
    chance = random.Random(seed)
    roll_ups = RollUps(engine)
    now = limit + SETTLED_AFTER
    for _ in range(40):
        rows = [
            reading(
                chance.randrange(1, 4),
                limit + timedelta(minutes=chance.randrange(-1800, 300)),
                chance.uniform(-20, 400),
                chance.choice("NNNNNFTBK"),
            )
            for _ in range(chance.randrange(1, 30))
        ]
        step = chance.randrange(5)
        if step < 2:
            await store(engine, *rows)
        elif step == 2:
            async with engine.begin() as connection:
                known = (await connection.execute(text("SELECT datastream_id, time FROM observation"))).all()
                for row, (number, time) in zip(rows, chance.sample(known, min(len(rows), len(known))), strict=False):
                    await connection.execute(_CORRECT, {**row, "id": number, "time": time})
        elif step == 3:
            now += timedelta(minutes=chance.randrange(90))
            await roll_ups.advance(now)
        else:
            await roll_ups.work_off()
        await assert_exact(engine)
    await work_off(engine)
    assert await stale(engine) == 0
    await assert_exact(engine)


async def test_what_commits_while_its_hour_is_rolled_up_is_seen(engine: AsyncEngine, limit: datetime) -> None:
    bucket = limit - timedelta(days=3)
    await store(engine, reading(1, bucket, 1.0))
    async with engine.connect() as writer, writer.begin():
        await writer.execute(_STORE, reading(1, bucket + timedelta(minutes=1), 2.0))
        await work_off(engine)
        assert await hours(engine) == {(1, bucket): 1.0}
    assert await hours(engine) == {(1, bucket): 3.0}
    await work_off(engine)
    assert (await stale(engine), await hours(engine)) == (0, {(1, bucket): 3.0})


async def test_what_commits_while_its_hour_is_taken_in_is_seen(engine: AsyncEngine, limit: datetime) -> None:
    """The hour waits for whoever began to store in it when its readings were not noted yet."""
    roll_ups = RollUps(engine)
    now = limit + HOUR + SETTLED_AFTER
    async with engine.connect() as writer:
        async with writer.begin():
            await writer.execute(_STORE, reading(1, limit, 2.0))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await roll_ups.advance(now)
        assert await hours(engine) == {(1, limit): 2.0}
        assert await roll_ups.advance(now)
        assert await hours(engine) == {(1, limit): 2.0}
        async with writer.begin():
            await writer.execute(_STORE, reading(1, limit + timedelta(minutes=1), 3.0))
            await work_off(engine)
    assert await hours(engine) == {(1, limit): 5.0}
    await work_off(engine)
    assert (await stale(engine), await hours(engine)) == (0, {(1, limit): 5.0})
    assert not await roll_ups.advance(now), "the next hour is not over"


async def test_replicas_take_turns(engine: AsyncEngine, limit: datetime) -> None:
    rows = [reading(number, limit - timedelta(hours=number), float(number)) for number in range(1, 1200)]
    await store(engine, *rows)
    await asyncio.gather(*(work_off(engine) for _ in range(4)))
    await work_off(engine)
    assert await stale(engine) == 0
    assert await hours(engine) == {(row["id"], row["time"]): row["value"] for row in rows}


async def test_hours_outlive_their_readings(engine: AsyncEngine, limit: datetime) -> None:
    async with engine.connect() as connection:
        keep = (
            await connection.execute(text("SELECT keep FROM retention WHERE relation = 'observation'"))
        ).scalar_one()
    old = limit - keep - timedelta(hours=5)
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO hour_roll_up VALUES (1, :bucket, 60, 60, 0, 2, 1, 3, 120, 0, 60)"), {"bucket": old}
        )
    await store(engine, reading(1, old, 9.0))
    await work_off(engine)
    assert (await stale(engine), await hours(engine)) == (0, {(1, old): 120.0})


async def _readings_read(connection: AsyncConnection, question: str) -> float:
    """How many rows of `observation` PostgreSQL looks at."""
    found = (await connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}"))).scalar_one()
    plan = found if isinstance(found, list) else json.loads(found)
    nodes, rows = [plan[0]["Plan"]], 0.0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == "observation":
            seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            rows += seen * node["Actual Loops"]
    return rows


async def test_a_span_costs_what_lies_in_it(engine: AsyncEngine, limit: datetime) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO observation SELECT d, CAST(:limit AS timestamptz) - n * interval '20 seconds', n, 'N'"
                " FROM generate_series(1, 5) d, generate_series(1, 30 * 4320) n"
            ),
            {"limit": limit},
        )
    await work_off(engine)
    async with engine.connect() as connection:
        day = f"'{{2}}', '{limit - timedelta(days=9)}', '{limit - timedelta(days=8)}'"
        month = f"'{{1,2,3}}', '{limit - timedelta(days=30)}', '{limit}'"
        for question, most in (
            (f"SELECT * FROM observation_minutes({day})", 4320),
            (f"SELECT * FROM observation_hours({month})", 0),
            (f"SELECT * FROM observation_hour WHERE datastream_id = 2 AND bucket >= '{limit - timedelta(days=9)}'", 0),
        ):
            assert await _readings_read(connection, question) == most, question


async def test_minutes_of_a_span_are_those_that_begin_in_it(engine: AsyncEngine) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    await store(engine, *(reading(1, start + timedelta(seconds=20 * n), float(n)) for n in range(12)))
    span = {"since": start + timedelta(seconds=1), "until": start + timedelta(seconds=125)}
    async with engine.connect() as connection:
        asked = await connection.execute(
            text("SELECT bucket, mean FROM observation_minutes('{1}', :since, :until) ORDER BY bucket"), span
        )
        assert [tuple(row) for row in asked] == [
            (start + timedelta(minutes=1), 4.0),
            (start + timedelta(minutes=2), 7.0),
        ]
