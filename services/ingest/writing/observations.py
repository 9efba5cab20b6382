"""Observations of a batch into their table: what is new, what was sent twice, what contradicts."""

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation

from services.ingest.writing.batch import ACCEPTED, CONFLICTING, DUPLICATE, NO_CODES, Batch, StatusCodes
from services.ingest.writing.binary_copy import encode_numbered, encode_observations
from services.ingest.writing.columns import Columns
from shared.time import from_microseconds, to_microseconds

Connection = psycopg.AsyncConnection[Any]

CREATE_STAGING = """
    CREATE TEMPORARY TABLE staging (
        number integer, datastream_id integer, time timestamptz, value float8, quality character(1),
        minimum float8, maximum float8
    ) ON COMMIT DELETE ROWS
"""
_COPY_OBSERVATIONS = "COPY observation FROM STDIN (FORMAT binary)"
_COPY_STAGING = "COPY staging FROM STDIN (FORMAT binary)"
# Sorted by key, so that two writers with the same keys never wait for each other in a circle.
_MERGE = """
    INSERT INTO observation (datastream_id, time, value, quality, minimum, maximum)
    SELECT DISTINCT ON (datastream_id, time) datastream_id, time, value, quality, minimum, maximum
    FROM staging ORDER BY datastream_id, time, number
    ON CONFLICT (datastream_id, time) DO NOTHING
    RETURNING datastream_id, time
"""
# What was sent counts, not what a correction made of it; and the same reading is the same by a clock that is off.
_COMPARE = """
    SELECT s.number, o.value, o.quality
    FROM staging s JOIN observation o ON o.datastream_id = s.datastream_id AND o.time = s.time
    WHERE o.time BETWEEN %s AND %s
      AND (o.value IS DISTINCT FROM s.value
           OR o.quality <> s.quality AND (o.quality, s.quality) NOT IN (('N', 'W'), ('W', 'N'))
           OR o.minimum IS DISTINCT FROM s.minimum OR o.maximum IS DISTINCT FROM s.maximum)
      AND NOT EXISTS (
           SELECT FROM (
               SELECT * FROM correction WHERE datastream_id = s.datastream_id AND time = s.time ORDER BY id LIMIT 1
           ) c
           WHERE c.before_value IS NOT DISTINCT FROM s.value AND c.before_quality = s.quality
             AND c.before_minimum IS NOT DISTINCT FROM s.minimum AND c.before_maximum IS NOT DISTINCT FROM s.maximum)
    ORDER BY s.datastream_id, s.time, s.number
"""
_JOURNAL = """
    INSERT INTO conflict (datastream_id, time, stored_value, stored_quality, value, quality, minimum, maximum, source)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (datastream_id, time, value, quality, minimum, maximum)
    DO UPDATE SET times = conflict.times + 1, last_at = now()
"""


async def store_observations(connection: Connection, batch: Batch) -> StatusCodes:
    """First as if all were new, which they nearly always are; when one is not, by comparison.

    Begins the transaction; where something is not new, it is rolled back once and begun again.
    """
    columns = batch.columns
    if not len(columns):
        return NO_CODES
    order = np.lexsort((columns.time, columns.datastream_id))
    ordered = columns.take(order)
    if not _has_repeats(ordered):
        try:
            await _copy(connection, _COPY_OBSERVATIONS, encode_observations(ordered))
            return np.full(len(columns), ACCEPTED, np.uint8)
        except UniqueViolation:
            await connection.rollback()
    await _copy(connection, _COPY_STAGING, encode_numbered(ordered, order))
    return await _merge(connection, batch, order)


def _has_repeats(ordered: Columns) -> bool:
    same = (np.diff(ordered.datastream_id) == 0) & (np.diff(ordered.time) == 0)
    return bool(same.any())


async def _merge(connection: Connection, batch: Batch, order: NDArray[np.intp]) -> StatusCodes:
    columns = batch.columns
    cursor = await connection.execute(_MERGE)
    new = {(datastream, to_microseconds(time)) for datastream, time in await cursor.fetchall()}
    codes = np.full(len(columns), DUPLICATE, np.uint8)
    ids, times = columns.datastream_id.tolist(), columns.time.tolist()
    for index in order.tolist():
        key = (ids[index], times[index])
        if key in new:
            new.remove(key)
            codes[index] = ACCEPTED
    span = (from_microseconds(min(times)), from_microseconds(max(times)))
    cursor = await connection.execute(_COMPARE, span)
    differing = await cursor.fetchall()
    if differing:
        codes[[number for number, _, _ in differing]] = CONFLICTING
        conflicts = [_conflict(batch, number, value, quality) for number, value, quality in differing]
        await connection.cursor().executemany(_JOURNAL, conflicts)
    return codes


def _conflict(batch: Batch, number: int, stored: float | None, stored_quality: str) -> tuple[Any, ...]:
    row = batch.columns.row(number)
    sent = (row.value, row.quality, row.minimum, row.maximum, batch.source_of(number))
    return (row.datastream_id, from_microseconds(row.time), stored, stored_quality, *sent)


async def _copy(connection: Connection, statement: str, data: bytes) -> None:
    async with connection.cursor().copy(statement) as copy:
        await copy.write(data)
