"""The roll-ups of TimescaleDB and the views of plain PostgreSQL give the same rows for the same observations."""

import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.database import service_role
from tests.support.databases import migrate
from tests.support.timescale import timescale_server

START = datetime(2026, 3, 1, 22, 50, tzinfo=UTC)
FLAGS = "NNNNNNFMSDCTB"
ROLL_UPS = ("observation_minute", "observation_hour", "observation_day")
SPANS = tuple(
    f"{name}('{{1,2}}', '{START:%F %T}Z', '{START + timedelta(hours=2):%F %T}Z')"
    for name in ("observation_minutes", "observation_hours")
)
AS_INGEST = f"-c role={service_role('ingest')} -c search_path=ingest -c timezone=UTC"


@dataclass(frozen=True)
class Reading:
    datastream_id: int
    time: datetime
    value: float | None
    quality: str
    minimum: float | None = None
    maximum: float | None = None


def readings(seed: int, count: int = 600) -> list[Reading]:
    """Three datastreams over some four hours that cross midnight: gaps, all flags, missing values, extremes."""
    chance = random.Random(seed)
    made = {}
    for _ in range(count):
        time = START + timedelta(seconds=5 * chance.randrange(3000))
        value = None if chance.random() < 0.1 else chance.uniform(-20, 400)
        spread = chance.uniform(0, 5)
        wide = value is not None and chance.random() < 0.3
        low, high = (value - spread, value + spread) if wide and value is not None else (None, None)
        reading = Reading(chance.randrange(1, 4), time, value, chance.choice(FLAGS), low, high)
        made[reading.datastream_id, time] = reading
    return sorted(made.values(), key=lambda reading: (reading.datastream_id, reading.time))


def store(url: str, rows: list[Reading]) -> None:
    with psycopg.connect(url, options=AS_INGEST) as connection:
        connection.cursor().executemany(
            "INSERT INTO observation (datastream_id, time, value, quality, minimum, maximum)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [astuple(row) for row in rows],
        )


def rolled_up(url: str, name: str) -> list[dict[str, object]]:
    with psycopg.connect(url, options=AS_INGEST) as connection:
        cursor = connection.execute(f"SELECT * FROM {name} ORDER BY datastream_id, bucket".encode())
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def assert_same(plain: str, timescale: str) -> None:
    for name in (*ROLL_UPS, *SPANS):
        expected, found = rolled_up(plain, name), rolled_up(timescale, name)
        assert len(expected) > 1, name
        assert [list(row) for row in found] == [list(row) for row in expected], name
        for one, other in zip(expected, found, strict=True):
            for key, value in one.items():
                same = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
                assert other[key] == same, (name, one, other)


@pytest.fixture(scope="module")
def timescale() -> Iterator[str]:
    with timescale_server() as url:
        migrate(url, "ingest")
        yield url


def test_the_same_rows_before_and_after_every_upkeep(timescale: str, database_url: str) -> None:
    for url in (timescale, database_url):
        store(url, readings(seed=1))
    assert_same(database_url, timescale)

    with psycopg.connect(timescale, autocommit=True) as connection:
        connection.execute("SET search_path TO ingest, public")
        for name in ROLL_UPS:
            connection.execute(f"CALL refresh_continuous_aggregate('{name}', NULL, NULL)".encode())
        chunks = connection.execute("SELECT count(compress_chunk(c)) FROM show_chunks('observation') c").fetchone()
        assert chunks == (2,)
    assert_same(database_url, timescale)

    late = readings(seed=2, count=200)
    for url in (timescale, database_url):
        store(url, late)  # into compressed chunks, as the service's own role
        store(url, late)  # and once more: stored once
    with psycopg.connect(timescale, autocommit=True) as connection:
        connection.execute("SET search_path TO ingest, public")
        for name in ROLL_UPS:
            connection.execute(f"CALL refresh_continuous_aggregate('{name}', NULL, NULL)".encode())
    assert_same(database_url, timescale)


def test_policies_run(timescale: str) -> None:
    """What the background workers of a real server would do, once, by hand."""
    with psycopg.connect(timescale, autocommit=True) as connection:
        jobs = connection.execute(
            "SELECT job_id, proc_name FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY 1"
        ).fetchall()
        assert len(jobs) == 9
        for job, _ in jobs:
            connection.execute("CALL run_job(%s::int)", [job])
        old = datetime.now(UTC) - timedelta(days=1900)
        connection.execute(
            "INSERT INTO ingest.observation (datastream_id, time, value, quality) VALUES (9, %s, 1, 'N')", [old]
        )
        [retention] = [
            row[0]
            for row in connection.execute(
                "SELECT job_id FROM timescaledb_information.jobs"
                " WHERE proc_name = 'policy_retention' AND hypertable_name = 'observation'"
            )
        ]
        connection.execute("CALL run_job(%s::int)", [retention])
        left = connection.execute("SELECT count(*) FROM ingest.observation WHERE datastream_id = 9").fetchone()
        assert left == (0,)
