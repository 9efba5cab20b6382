"""Observations laid into the database beside the service: questions are about what is stored, however it came."""

from collections.abc import Iterable
from datetime import datetime

import psycopg

from tests.ingest.running import Running

Reading = tuple[int, datetime, float | None, str]
"""Datastream id, time, value, quality."""


async def ids(ingest: Running) -> dict[tuple[str, str, str], int]:
    """The number of each datastream by station, property and cadence."""
    items = (await ingest.get("/datastreams"))["items"]
    return {(item["station_id"], item["property_id"], item["cadence"]): item["id"] for item in items}


async def lay(ingest: Running, readings: Iterable[Reading]) -> None:
    """Store readings as they are."""
    connect = psycopg.AsyncConnection.connect
    async with await connect(ingest.database_url, options="-c search_path=ingest") as connection:
        cursor = connection.cursor()
        async with cursor.copy("COPY observation (datastream_id, time, value, quality) FROM STDIN") as copy:
            for reading in readings:
                await copy.write_row(reading)
    await ingest.state.newest.load()  # nobody was told of these
