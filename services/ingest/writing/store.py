"""One batch into the database, in one transaction: observations, conflicts, raw frames, counters, facts."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from services.ingest.meaning.normalise import Observation
from services.ingest.writing.batch import Batch, RowStatus
from services.ingest.writing.binary_copy import encode_numbered, encode_observations
from shared import outbox
from shared.messages import ObservationsStored
from shared.streams import observation_stream
from shared.time import from_microseconds, to_microseconds, utc_now

Connection = psycopg.AsyncConnection[Any]
MAX_UNKNOWN_DEVICES = 10_000
"""Made-up MNs must not fill the database; above this, new ones are kept as raw frames only."""

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
_COMPARE = """
    SELECT s.number, o.value, o.quality,
           o.value IS NOT DISTINCT FROM s.value AND o.quality = s.quality
           AND o.minimum IS NOT DISTINCT FROM s.minimum AND o.maximum IS NOT DISTINCT FROM s.maximum
    FROM staging s JOIN observation o ON o.datastream_id = s.datastream_id AND o.time = s.time
    WHERE o.time BETWEEN %s AND %s
    ORDER BY s.number
"""
_JOURNAL = """
    INSERT INTO conflict (datastream_id, time, stored_value, stored_quality, value, quality, minimum, maximum, source)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (datastream_id, time, value, quality, minimum, maximum)
    DO UPDATE SET times = conflict.times + 1, last_at = now()
"""
_COPY_FRAMES = (
    "COPY raw_frame (received_at, mn, remote, verdict, detail, frame, unmapped) FROM STDIN (FORMAT binary)"
)
_FRAME_TYPES = ["timestamptz", "text", "text", "text", "text", "bytea", "int4"]
_COUNT = """
    INSERT INTO device_counter
        (mn, frames, accepted, crc_errors, bad_length, refused, resync_bytes, unmapped, last_seen)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (mn) DO UPDATE SET
        frames = device_counter.frames + excluded.frames,
        accepted = device_counter.accepted + excluded.accepted,
        crc_errors = device_counter.crc_errors + excluded.crc_errors,
        bad_length = device_counter.bad_length + excluded.bad_length,
        refused = device_counter.refused + excluded.refused,
        resync_bytes = device_counter.resync_bytes + excluded.resync_bytes,
        unmapped = device_counter.unmapped + excluded.unmapped,
        last_seen = greatest(device_counter.last_seen, excluded.last_seen)
"""
_COUNT_UNKNOWN = """
    INSERT INTO unknown_device (mn, frames, remote, first_seen, last_seen)
    SELECT %(mn)s, %(frames)s, %(remote)s, %(seen)s, %(seen)s
    WHERE (SELECT count(*) FROM unknown_device) < %(limit)s
       OR EXISTS (SELECT FROM unknown_device WHERE mn = %(mn)s)
    ON CONFLICT (mn) DO UPDATE SET frames = unknown_device.frames + excluded.frames, remote = excluded.remote,
        last_seen = greatest(unknown_device.last_seen, excluded.last_seen)
"""


async def prepare(connection: Connection) -> None:
    """Once a connection."""
    async with connection.transaction():
        await connection.execute(CREATE_STAGING)


async def store(connection: Connection, batch: Batch) -> list[RowStatus]:
    """Store a batch and commit; the status of each of its rows. After an exception nothing of it is stored."""
    async with connection.transaction():
        statuses = await _store_rows(connection, batch)
        await _store_frames(connection, batch)
        await _count(connection, batch)
        await _announce(connection, batch, statuses)
    return statuses


async def _store_rows(connection: Connection, batch: Batch) -> list[RowStatus]:
    """First as if all were new, which they nearly always are; when one is not, by comparison."""
    rows = batch.rows
    if not rows:
        return []
    order = sorted(range(len(rows)), key=lambda index: (rows[index][:2], index))
    if len({row[:2] for row in rows}) == len(rows):
        try:
            async with connection.transaction():
                await _copy(connection, _COPY_OBSERVATIONS, encode_observations(rows[index] for index in order))
            return [RowStatus.ACCEPTED] * len(rows)
        except UniqueViolation:
            pass
    await _copy(connection, _COPY_STAGING, encode_numbered((index, rows[index]) for index in order))
    return await _merge(connection, batch)


async def _merge(connection: Connection, batch: Batch) -> list[RowStatus]:
    cursor = await connection.execute(_MERGE)
    new = {(datastream, to_microseconds(time)) for datastream, time in await cursor.fetchall()}
    statuses = [RowStatus.DUPLICATE] * len(batch.rows)
    for number, row in enumerate(batch.rows):
        if row[:2] in new:
            new.remove(row[:2])
            statuses[number] = RowStatus.ACCEPTED
    times = [row.time for row in batch.rows]
    cursor = await connection.execute(_COMPARE, (from_microseconds(min(times)), from_microseconds(max(times))))
    conflicts: list[tuple[Any, ...]] = []
    for number, value, quality, same in await cursor.fetchall():
        if not same:
            statuses[number] = RowStatus.CONFLICTING
            conflicts.append(_conflict(batch.rows[number], value, quality, batch.sources[number]))
    if conflicts:
        conflicts.sort(key=_key)
        await connection.cursor().executemany(_JOURNAL, conflicts)
    return statuses


def _conflict(row: Observation, stored: float | None, stored_quality: str, source: str) -> tuple[Any, ...]:
    at = from_microseconds(row.time)
    return (
        row.datastream_id,
        at,
        stored,
        stored_quality,
        row.value,
        row.quality,
        row.minimum,
        row.maximum,
        source,
    )


def _key(conflict: tuple[Any, ...]) -> tuple[Any, ...]:
    return conflict[:2]


async def _copy(connection: Connection, statement: str, data: bytes) -> None:
    async with connection.cursor().copy(statement) as copy:
        await copy.write(data)


async def _store_frames(connection: Connection, batch: Batch) -> None:
    if not batch.frames:
        return
    async with connection.cursor().copy(_COPY_FRAMES) as copy:
        copy.set_types(_FRAME_TYPES)
        for frame in batch.frames:
            seen = (frame.received_at, frame.mn, frame.remote, frame.verdict.value, frame.detail)
            await copy.write_row((*seen, frame.frame, frame.unmapped))


async def _count(connection: Connection, batch: Batch) -> None:
    known, unknown = batch.tallies()
    cursor = connection.cursor()
    if known:
        await cursor.executemany(
            _COUNT,
            [
                (
                    mn,
                    tally.frames,
                    tally.accepted,
                    tally.crc_errors,
                    tally.bad_length,
                    tally.refused,
                    tally.resync_bytes,
                    tally.unmapped,
                    tally.last_seen,
                )
                for mn, tally in sorted(known.items())
            ],
        )
    if unknown:
        await cursor.executemany(
            _COUNT_UNKNOWN,
            [
                {
                    "mn": mn,
                    "frames": tally.frames,
                    "remote": tally.remote,
                    "seen": tally.last_seen,
                    "limit": MAX_UNKNOWN_DEVICES,
                }
                for mn, tally in sorted(unknown.items())
            ],
        )


async def _announce(connection: Connection, batch: Batch, statuses: Sequence[RowStatus]) -> None:
    """One fact a shard, with the rows that are new, in the order in which they came."""
    shards: dict[int, list[Observation]] = defaultdict(list)
    for row, status in zip(batch.rows, statuses, strict=True):
        if status is RowStatus.ACCEPTED:
            shards[row.shard].append(row)
    if not shards:
        return
    now = to_microseconds(utc_now())
    facts = [outbox.row(observation_stream(shard), _fact(shards[shard], now)) for shard in sorted(shards)]
    await connection.cursor().executemany(outbox.INSERT_SQL, facts)


def _fact(rows: list[Observation], received_at: int) -> ObservationsStored:
    return ObservationsStored.of(((row.datastream_id, row.time, row.value, row.quality) for row in rows), received_at)
