"""One batch into the database, in one transaction: observations, as sent too, conflicts, frames, counters, facts."""

from contextlib import suppress
from typing import Any

import psycopg

from services.ingest.writing.announcement import announce
from services.ingest.writing.answers import store_answers
from services.ingest.writing.as_sent import store_as_sent
from services.ingest.writing.batch import Batch, StatusCodes
from services.ingest.writing.binary_copy import BinaryArray, BinaryArrayDumper
from services.ingest.writing.frames import store_frames
from services.ingest.writing.observations import CREATE_STAGING, store_observations
from services.ingest.writing.reports import store_reports
from shared.time import to_microseconds, utc_now

Connection = psycopg.AsyncConnection[Any]


async def prepare(connection: Connection) -> None:
    """Once a connection."""
    async with connection.transaction():
        await connection.execute(CREATE_STAGING)
    connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)


async def store(connection: Connection, batch: Batch) -> StatusCodes:
    """Store a batch and commit; what became of each observation. After an exception nothing of it is stored."""
    try:
        return await write(connection, batch, commit=True)
    except BaseException:
        with suppress(psycopg.Error):
            await connection.rollback()
        raise


async def write(connection: Connection, batch: Batch, *, commit: bool) -> StatusCodes:
    """The same for who ends the transaction.

    Every wait for the server is a wait for the event loop too, which bursts of frames keep busy: so all that follows
    the observations goes out at once, with the commit.
    """
    codes = await store_observations(connection, batch)
    async with connection.pipeline():
        await store_as_sent(connection, batch, codes)
        await store_frames(connection, batch)
        await store_reports(connection, batch)
        await store_answers(connection, batch, codes)
        await announce(connection, batch, codes, to_microseconds(utc_now()))
        if commit:
            await connection.commit()
    return codes
