"""Keeps the roll-ups by the hour where no continuous aggregate does: see migration 0007 for what makes them exact.

Nothing that is asked waits for it: hours that are not rolled up yet are computed from the readings when asked for.
"""

import asyncio
import time
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger
from shared.time import EPOCH, utc_now

log = get_logger(__name__)
EVERY_S = 5.0
SETTLED_AFTER = timedelta(hours=1)
"""An hour is rolled up when it has been over for so long: most of what comes late has come by then."""
HOUR = timedelta(hours=1)
_PORTION = 500
"""Hours of one transaction: half a million readings where there is one in 3.6 s."""
_START = (0, EPOCH)

_PROGRESS = text("SELECT logged_before, rolled_before FROM roll_up_progress")
# What writers share while they note what they stored; whoever has it alone knows that all of them have committed.
_WRITERS = text("SELECT pg_advisory_xact_lock(hashtextextended('ingest.roll_up_progress', 0))")
_ROLLER = text("SELECT pg_try_advisory_xact_lock(hashtextextended('ingest.hour_roll_up', 0))")
_LOG_BEFORE = text("UPDATE roll_up_progress SET logged_before = greatest(logged_before, :until)")
# One probe of the index a datastream, instead of a scan of all that it has.
_HOUR_IS_STALE = text(
    """
    WITH RECURSIVE stream (id) AS (
        (SELECT datastream_id FROM observation ORDER BY datastream_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.datastream_id FROM observation o WHERE o.datastream_id > stream.id
                ORDER BY o.datastream_id LIMIT 1)
        FROM stream WHERE stream.id IS NOT NULL
    )
    INSERT INTO stale_hour (datastream_id, bucket)
    SELECT id, :since FROM stream
    WHERE EXISTS (SELECT FROM observation o WHERE o.datastream_id = id AND o.time >= :since AND o.time < :until)
    """
)
_ROLLED_BEFORE = text("UPDATE roll_up_progress SET rolled_before = :until WHERE rolled_before = :since")
# One statement, so that what is read, deleted and written comes of one state. Hours that retention has begun to
# delete stay as they were rolled up.
_ROLL_UP = text(
    """
    WITH picked AS MATERIALIZED (
        SELECT DISTINCT datastream_id, bucket FROM stale_hour
        WHERE (datastream_id, bucket) > (:after_id, :after_bucket)
          AND bucket < (SELECT rolled_before FROM roll_up_progress)
        ORDER BY datastream_id, bucket LIMIT :portion
    ), gone AS (
        DELETE FROM stale_hour s USING picked p WHERE s.datastream_id = p.datastream_id AND s.bucket = p.bucket
    ), rolled_up AS (
        INSERT INTO hour_roll_up AS h (datastream_id, bucket, count, valid, over_range, mean, minimum, maximum, total,
                                       total_sine, total_cosine)
        SELECT p.datastream_id, p.bucket, r.*
        FROM picked p CROSS JOIN LATERAL hour_of_readings(p.datastream_id, p.bucket) r
        WHERE r.count > 0
          AND p.bucket > now() - (SELECT keep FROM retention WHERE relation = 'observation') + interval '1 hour'
        ON CONFLICT (datastream_id, bucket) DO UPDATE SET
            count = excluded.count, valid = excluded.valid, over_range = excluded.over_range, mean = excluded.mean,
            minimum = excluded.minimum, maximum = excluded.maximum, total = excluded.total,
            total_sine = excluded.total_sine, total_cosine = excluded.total_cosine
    )
    SELECT datastream_id, bucket FROM picked ORDER BY datastream_id DESC, bucket DESC LIMIT 1
    """
)


class RollUps:
    """Runs in every replica; they take turns."""

    def __init__(self, engine: AsyncEngine, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._every_s = every_s
        self._after: tuple[int, datetime] = _START

    async def run(self) -> None:
        """Roll up until cancelled. While there is much to do, it rests for as long as it works."""
        while True:
            begun = time.monotonic()
            try:
                advanced = await self.advance(utc_now())
                more = await self.work_off()
                rest = time.monotonic() - begun if advanced or more else self._every_s
            except DATABASE_OUTAGES as error:
                log.warning("rolling_up_failed", error=" ".join(str(error).split())[:200])
                rest = 2 * self._every_s
            await asyncio.sleep(rest)

    async def advance(self, now: datetime) -> bool:
        """Take in the next hour that is over, if there is one; whether there was."""
        async with self._engine.connect() as connection:
            progress = (await connection.execute(_PROGRESS)).first()
        if progress is None:  # TimescaleDB does it
            return False
        since = progress.rolled_before
        until = since + HOUR
        if until > now - SETTLED_AFTER:
            return False
        if progress.logged_before < until:
            async with self._engine.begin() as connection:
                # A writer that takes long must not make the others queue behind us.
                await connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                await connection.execute(_WRITERS)
                await connection.execute(_LOG_BEFORE, {"until": until})
        async with self._engine.begin() as connection:
            if await _alone(connection):
                moved = await connection.execute(_ROLLED_BEFORE, {"since": since, "until": until})
                if moved.rowcount:
                    await connection.execute(_HOUR_IS_STALE, {"since": since, "until": until})
        return True

    async def work_off(self) -> bool:
        """Roll up a portion of the stale hours; whether there may be more."""
        async with self._engine.begin() as connection:
            if (await connection.execute(_PROGRESS)).first() is None or not await _alone(connection):
                return False
            after_id, after_bucket = self._after
            parameters = {"after_id": after_id, "after_bucket": after_bucket, "portion": _PORTION}
            last = (await connection.execute(_ROLL_UP, parameters)).first()
        more = last is not None or self._after != _START
        self._after = _START if last is None else (last.datastream_id, last.bucket)
        return more


async def _alone(connection: AsyncConnection) -> bool:
    """Whether no other replica rolls up; until the end of the transaction."""
    return bool((await connection.execute(_ROLLER)).scalar_one())
