"""Corrections reach compressed readings, and the policies bring the roll-ups after them and after late readings."""

from datetime import UTC, datetime, timedelta

import psycopg

from services.ingest.corrections.store import correct
from services.ingest.schemas import CorrectedValue, CorrectionRequest, JudgedSpan
from shared import database
from tests.support.databases import migrate

START = datetime(2026, 3, 1, tzinfo=UTC)
FILL = """
    INSERT INTO park VALUES ('p', '{}', true, 'UTC', '{}');
    INSERT INTO station (id, park_id, code, name, ring, longitude, latitude, height_m)
        VALUES ('p.s', 'p', 's', '{}', 'boundary', 0, 0, 0);
    INSERT INTO datastream (station_id, property_id, cadence, device_unit, standard_state_c)
        VALUES ('p.s', 'chlorine', 'realtime', 'mg/m3', 25);
    INSERT INTO observation (datastream_id, time, value, quality)
        SELECT 1, timestamptz '2026-03-01 00:00+00' + n * interval '1 minute', 1, 'N' FROM generate_series(0, 119) n;
"""
REFRESH = """
    SELECT job_id FROM timescaledb_information.jobs
    WHERE proc_name = 'policy_refresh_continuous_aggregate' ORDER BY job_id
"""
HOURS = "SELECT mean, count, valid FROM observation_hour WHERE datastream_id = 1 ORDER BY bucket"


def run_policies(connection: psycopg.Connection) -> None:
    """What background workers do now and then."""
    for (job,) in connection.execute(REFRESH).fetchall():
        connection.execute("CALL run_job(%s::int)", [job])


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


async def make(url: str, request: CorrectionRequest) -> None:
    engine = database.create_engine(url, "ingest", 1)
    try:
        async with engine.begin() as connection:
            await correct(connection, "p", request, "key-7")
    finally:
        await engine.dispose()


async def test_corrections_and_late_readings_reach_the_roll_ups(timescale_url: str) -> None:
    migrate(timescale_url, "ingest")
    options = "-c search_path=ingest,public -c timezone=UTC"
    with psycopg.connect(timescale_url, autocommit=True, options=options) as connection:
        # asyncpg looks types up in pg_range, which every real server lets everybody read, and this build does not.
        connection.execute(f"ALTER ROLE {database.service_role('ingest')} SUPERUSER".encode())
        for statement in FILL.strip().rstrip(";").split(";"):
            connection.execute(statement.encode())
        run_policies(connection)
        compressed = connection.execute("SELECT count(compress_chunk(c)) FROM show_chunks('observation') c").fetchone()
        assert compressed == (1,)
        assert connection.execute(HOURS).fetchall() == [(1, 60, 60), (1, 60, 60)]

    reject = JudgedSpan(datastream_id=1, start=at(60), end=at(90))
    replace = CorrectedValue(datastream_id=1, time=at(0), value=61.0)
    await make(timescale_url, CorrectionRequest(reason="gas bottle", values=[replace], spans=[reject]))

    with psycopg.connect(timescale_url, autocommit=True, options=options) as connection:
        late = "INSERT INTO observation (datastream_id, time, value, quality) VALUES (1, %s, 32, 'N')"
        connection.execute(late, [at(90) + timedelta(seconds=30)])
        run_policies(connection)
        assert connection.execute(HOURS).fetchall() == [(2, 60, 60), (2, 61, 31)]
        journal = "SELECT count(*), count(DISTINCT before_value), max(after_value) FROM correction"
        assert connection.execute(journal.encode()).fetchone() == (31, 1, 61)
