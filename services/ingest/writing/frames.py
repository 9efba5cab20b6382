"""Raw frames of a batch into the archive, and what they add to the counters of their devices."""

from typing import Any

import psycopg

from services.ingest.writing.batch import Batch, Tally

Connection = psycopg.AsyncConnection[Any]
MAX_UNKNOWN_DEVICES = 10_000
"""Made-up MNs must not fill the database; above this, new ones are kept as raw frames only."""

# Not by COPY: this goes to the server together with all that follows it.
_ARCHIVE = """
    INSERT INTO raw_frame (received_at, mn, remote, verdict, detail, frame, unmapped)
    SELECT * FROM unnest(%b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::int4[])
"""
_COUNT = """
    INSERT INTO device_counter
        (mn, frames, accepted, crc_errors, bad_length, refused, resync_bytes, unmapped, last_seen)
    SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
        %b::bigint[], %b::bigint[], %b::timestamptz[])
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
_COUNTED = ("frames", "accepted", "crc_errors", "bad_length", "refused", "resync_bytes", "unmapped", "last_seen")
_COUNT_UNKNOWN = """
    INSERT INTO unknown_device (mn, frames, remote, first_seen, last_seen)
    SELECT %(mn)s, %(frames)s, %(remote)s, %(seen)s, %(seen)s
    WHERE (SELECT count(*) FROM unknown_device) < %(limit)s
       OR EXISTS (SELECT FROM unknown_device WHERE mn = %(mn)s)
    ON CONFLICT (mn) DO UPDATE SET frames = unknown_device.frames + excluded.frames, remote = excluded.remote,
        last_seen = greatest(unknown_device.last_seen, excluded.last_seen)
"""


async def store_frames(connection: Connection, batch: Batch) -> None:
    """Archive the frames and count them."""
    if not batch.frames:
        return
    columns = zip(
        *(
            (frame.received_at, frame.mn, frame.remote, frame.verdict.value, frame.detail, frame.frame, frame.unmapped)
            for frame in batch.frames
        ),
        strict=True,
    )
    await connection.execute(_ARCHIVE, [list(column) for column in columns])
    known, unknown = batch.tallies()
    if known:
        await _count(connection, known)
    if unknown:
        await _count_unknown(connection, unknown)


async def _count(connection: Connection, tallies: dict[str, Tally]) -> None:
    """In the order of MNs, so that two writers never wait for each other in a circle."""
    mns = sorted(tallies)
    counted = [[getattr(tallies[mn], name) for mn in mns] for name in _COUNTED]
    await connection.execute(_COUNT, [mns, *counted])


async def _count_unknown(connection: Connection, tallies: dict[str, Tally]) -> None:
    await connection.cursor().executemany(
        _COUNT_UNKNOWN,
        [
            {
                "mn": mn,
                "frames": tally.frames,
                "remote": tally.remote,
                "seen": tally.last_seen,
                "limit": MAX_UNKNOWN_DEVICES,
            }
            for mn, tally in sorted(tallies.items())
        ],
    )
