"""Statistics, roses, reports, exports and the change feed answer the same on TimescaleDB and on plain PostgreSQL."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.exporting.pieces import Wanted, datastreams, pieces
from services.ingest.meaning.normalise import Observation
from services.ingest.meaning.sent import Sent, unit_code
from services.ingest.questions.changes import changes
from services.ingest.questions.statistics import statistics
from services.ingest.questions.wind_rose import CALM_M_S, SPEED_EDGES_M_S, wind_roses
from services.ingest.registry.store import put_park
from services.ingest.reports.period import Period
from services.ingest.reports.report import Park, report
from services.ingest.writing.announcement import announce
from services.ingest.writing.as_sent import store_as_sent
from services.ingest.writing.batch import ACCEPTED, Batch, Submission
from services.ingest.writing.binary_copy import BinaryArray, BinaryArrayDumper
from shared.database import connect, create_engine, service_role
from shared.park_file import ParkFile
from shared.text import BilingualText
from shared.time import from_microseconds, to_microseconds
from tests.ingest.parks import park, station, weather
from tests.support.databases import migrate
from tests.support.timescale import timescale_server

START = datetime(2026, 2, 28, 15, 50, tzinfo=UTC)
END = START + timedelta(days=3)
ZONE = ZoneInfo("Asia/Shanghai")
PARK = Park("test-park", BilingualText(zh="测试园区", en="Test park"), ZONE.key)


@pytest.fixture(scope="module")
def timescale() -> Iterator[str]:
    with timescale_server() as url:
        migrate(url, "ingest")
        with psycopg.connect(url, autocommit=True) as connection:
            # asyncpg looks types up in pg_range, which every real server lets everybody read, and this build does not.
            connection.execute(f"ALTER ROLE {service_role('ingest')} SUPERUSER".encode())
        yield url


@asynccontextmanager
async def engine_of(url: str) -> AsyncIterator[AsyncEngine]:
    """With one connection: TimescaleDB's server has no more."""
    engine = create_engine(url, "ingest", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def fill(url: str) -> list[int]:
    """A park with three days of gas and wind; the numbers of the gases."""
    async with engine_of(url) as engine, engine.begin() as connection:
        await put_park(connection, ParkFile.model_validate(park(station("s1", "A1"), weather("m1"))))
        query = "SELECT id, property_id FROM datastream WHERE cadence = 'minute' ORDER BY id"
        known = {row.property_id: row.id for row in await connection.exec_driver_sql(query)}
    chance = random.Random(3)
    most = {"chlorine": 20.0, "ammonia": 20.0, "wind-speed": 9.0, "wind-direction": 360.0}
    in_ppm = Sent(unit_code("ppm", "mg/m3"), 0.1, None, 0.3)
    rows = [
        Observation(
            known[name],
            time,
            chance.uniform(0, top),
            chance.choice("NNNNNNTD"),
            None,
            None,
            1,
            in_ppm if name == "ammonia" else None,
        )
        for time in range(to_microseconds(START), to_microseconds(END), 300_000_000)
        for name, top in most.items()
    ]
    async with await connect(url, "ingest") as connection:
        # TimescaleDB's server here has no COPY over the wire.
        await connection.cursor().executemany(
            "INSERT INTO observation (datastream_id, time, value, quality) VALUES (%s, %s, %s, %s)",
            [(row.datastream_id, from_microseconds(row.time), row.value, row.quality) for row in rows],
        )
        batch = Batch([Submission("test", rows, parks=frozenset({PARK.id}))])
        codes = np.full(len(rows), ACCEPTED, np.uint8)
        await announce(connection, batch, codes, to_microseconds(END))
        connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)
        await store_as_sent(connection, batch, codes)
    return [known["chlorine"], known["ammonia"]]


async def answers(engine: AsyncEngine, numbers: list[int]) -> dict[str, Any]:
    """All that can be asked, as plain values."""

    def ask() -> Any:
        return engine.connect()

    async def one(connection: AsyncConnection, basis: Any) -> Any:
        return await statistics(
            connection, PARK.id, numbers[:1], basis, START, END, percents=[50, 98], thresholds=[5.0], valid_share=0.75
        )

    found: dict[str, Any] = {}
    async with engine.connect() as connection:
        for basis in ("raw", "minute", "hour", "day"):
            found[basis] = await one(connection, basis)
        found["rose"] = await wind_roses(
            connection, PARK.id, None, START, END, sectors=16, edges=SPEED_EDGES_M_S, calm=CALM_M_S, cadence=None
        )
        for period in (Period.of_day(date(2026, 3, 1), ZONE), Period.of_month(2026, 3, ZONE)):
            found[period.kind] = await report(connection, PARK, period, station_id=None, now=END, valid_share=0.75)
        chosen = await datastreams(connection, PARK.id, numbers, None)
    async with engine.connect() as connection:
        page = await changes(connection, PARK.id, None, "oldest", 500)
        found["changes"] = [change.model_dump() for change in page.items]
    for resolution in ("raw", "minute", "hour", "day"):
        wanted = Wanted(chosen, resolution, START, END, ZONE, 0.75)
        found[f"export {resolution}"] = [entry async for _, entries in pieces(ask, wanted) for entry in entries]
    wanted = Wanted(chosen, "raw", START, END, ZONE, 0.75, sent=True)
    found["export as sent"] = [entry async for _, entries in pieces(ask, wanted) for entry in entries]
    return found


def assert_alike(one: Any, other: Any, where: str) -> None:
    assert repr_of(one) == repr_of(other), where


def repr_of(value: Any) -> Any:
    """With floats to nine digits: sums depend on the order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if hasattr(value, "model_dump"):
        return repr_of(value.model_dump())
    if isinstance(value, dict):
        return {key: repr_of(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [repr_of(entry) for entry in value]
    if hasattr(value, "__slots__") and hasattr(value, "value"):
        return [repr_of(getattr(value, name)) for name in value.__slots__]
    return value


async def test_the_same_answers_fresh_rolled_up_and_compressed(timescale: str, database_url: str) -> None:
    numbers = await fill(database_url)
    assert await fill(timescale) == numbers
    async with engine_of(database_url) as engine:
        expected = await answers(engine, numbers)
    assert expected["raw"][0].values > 500
    assert expected["rose"].items[0].samples > 300
    assert len(expected["changes"]) == 500
    assert len(expected["export day"]) == 8
    assert {(entry.sent_unit, entry.sent_maximum) for entry in expected["export as sent"]} == {
        ("ppm", 0.3),
        ("mg/m3", None),
    }
    for step in ("fresh", "rolled up and compressed"):
        async with engine_of(timescale) as engine:
            found = await answers(engine, numbers)
        for question, answer in expected.items():
            assert_alike(found[question], answer, f"{question}, {step}")
        with psycopg.connect(timescale, autocommit=True) as connection:
            connection.execute("SET search_path TO ingest, public")
            for name in ("observation_minute", "observation_hour", "observation_day"):
                connection.execute(f"CALL refresh_continuous_aggregate('{name}', NULL, NULL)".encode())
            for table in ("observation", "observation_as_sent"):
                connection.execute(f"SELECT compress_chunk(c, true) FROM show_chunks('{table}') c".encode())
            # Late readings go into what is compressed.
            connection.execute(
                "INSERT INTO observation_as_sent SELECT * FROM observation_as_sent LIMIT 1"
                " ON CONFLICT (datastream_id, time) DO UPDATE SET unit = excluded.unit, value = excluded.value"
            )
