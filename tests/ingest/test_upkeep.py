from datetime import timedelta

import pytest
from sqlalchemy import text

from services.ingest.upkeep import Upkeep, _forgetting
from shared import database

REGISTERED = (
    "INSERT INTO park VALUES ('p', '{}', true, 'UTC', '{}')",
    """
    INSERT INTO station (id, park_id, code, name, ring, longitude, latitude, height_m)
    VALUES ('p.s', 'p', 's', '{}', 'source', 0, 0, 0)
    """,
    """
    INSERT INTO datastream (station_id, property_id, cadence, device_unit, standard_state_c)
    SELECT 'p.s', 'chlorine', cadence, 'mg/m3', 25 FROM unnest(ARRAY['realtime', 'minute']) cadence
    """,
)


async def test_what_is_older_than_its_retention_goes_and_the_rest_stays(database_url: str) -> None:
    engine = database.create_engine(database_url, "ingest")
    try:
        async with engine.begin() as connection:
            keep = (
                await connection.execute(text("SELECT keep FROM retention WHERE relation = 'observation'"))
            ).scalar_one()
            assert keep >= timedelta(days=5 * 365)
            for statement in REGISTERED:
                await connection.execute(text(statement))
            await connection.execute(
                text(
                    "INSERT INTO observation SELECT 2, now() - CAST(:keep AS interval) + n * interval '1 hour', n, 'N'"
                    " FROM generate_series(-25000, 9) n"
                ),
                {"keep": keep},
            )
            await connection.execute(
                text("INSERT INTO raw_frame VALUES (now() - interval '31 days', 'A', '', 'junk', NULL, '')")
            )
            await connection.execute(
                text(
                    "INSERT INTO conflict (datastream_id, time, stored_quality, quality, source, last_at)"
                    " SELECT n, now(), 'N', 'N', '', now() - n * interval '1000 days' FROM generate_series(1, 3) n"
                )
            )
        # The boundary row itself is as old as its retention by the time of the sweep.
        assert await Upkeep(engine).sweep() == 25_001 + 1 + 2
        assert await Upkeep(engine).sweep() == 0
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM observation"))).scalar_one() == 9
    finally:
        await engine.dispose()


@pytest.mark.parametrize(
    ("relation", "column"),
    [
        ("observation", "time"),
        ("observation_as_sent", "time"),
        ("raw_frame", "received_at"),
        ("conflict", "last_at"),
        ("correction", "made_at"),
    ],
)
async def test_what_is_due_is_found_without_reading_the_table(database_url: str, relation: str, column: str) -> None:
    engine = database.create_engine(database_url, "ingest")
    try:
        async with engine.begin() as connection:
            flag = text("SELECT by_datastream FROM retention WHERE relation = :relation")
            by_datastream = (await connection.execute(flag, {"relation": relation})).scalar_one()
            # A table of a test is small enough to be read; what can be done without is what counts.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = text(f"EXPLAIN {_forgetting(relation, column, by_datastream=by_datastream).text}")
            plan = "\n".join((await connection.execute(explain, {"keep": timedelta(days=30)})).scalars())
    finally:
        await engine.dispose()
    assert f"Tid Scan on {relation}" in plan, plan
    assert f"Index Cond: ({column} <" in plan or "Index Cond: ((datastream_id" in plan, plan
    assert f"Seq Scan on {relation}" not in plan, plan
