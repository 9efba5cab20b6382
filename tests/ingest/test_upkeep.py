from datetime import timedelta

from sqlalchemy import text

from services.ingest.upkeep import Upkeep
from shared import database


async def test_what_is_older_than_its_retention_goes_and_the_rest_stays(database_url: str) -> None:
    engine = database.create_engine(database_url, "ingest")
    try:
        async with engine.begin() as connection:
            keep = (
                await connection.execute(text("SELECT keep FROM retention WHERE relation = 'observation'"))
            ).scalar_one()
            assert keep >= timedelta(days=5 * 365)
            await connection.execute(
                text(
                    "INSERT INTO observation SELECT 1, now() - CAST(:keep AS interval) + n * interval '1 hour', n, 'N'"
                    " FROM generate_series(-25000, 9) n"
                ),
                {"keep": keep},
            )
            await connection.execute(
                text("INSERT INTO raw_frame VALUES (now() - interval '31 days', 'A', '', 'junk', NULL, '')")
            )
        # The boundary row itself is as old as its retention by the time of the sweep.
        assert await Upkeep(engine).sweep() == 25_001 + 1
        assert await Upkeep(engine).sweep() == 0
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM observation"))).scalar_one() == 9
    finally:
        await engine.dispose()
