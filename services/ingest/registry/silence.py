"""Silence of devices as a fact: announced when one has sent nothing for too long, and when it is heard again.

In every replica; what one has announced stands in the database, so no other announces it again.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messages import DeviceSilenceChanged
from shared.outages import DATABASE_OUTAGES
from shared.outbox import enqueue
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
DEVICE_STREAM = "devices"
EVERY_S = 10.0
GRACE = timedelta(seconds=60)
"""After a start or an outage of ours devices get so long to connect again: the silence was not theirs."""
AT_ONCE = 1000

_LIMIT = "coalesce(d.silent_after_s, CAST(:after AS float8))"
_IS_SILENT = f"greatest(c.last_seen, d.registered_at) < CAST(:now AS timestamptz) - make_interval(secs => {_LIMIT})"
# Rows in the order of MNs, so that two replicas never wait for each other in a circle.
_FALLEN_SILENT = text(
    f"""
    WITH fallen AS (
        SELECT d.mn, s.park_id, d.station_id, c.last_seen, {_LIMIT} AS silent_after_s
        FROM device d JOIN station s ON s.id = d.station_id LEFT JOIN device_counter c ON c.mn = d.mn
        WHERE {_IS_SILENT} AND NOT EXISTS (SELECT FROM silent_device q WHERE q.mn = d.mn)
        ORDER BY d.mn LIMIT {AT_ONCE}
    ), new AS (
        INSERT INTO silent_device (mn, noticed_at) SELECT mn, :now FROM fallen ORDER BY mn
        ON CONFLICT (mn) DO NOTHING RETURNING mn
    )
    SELECT fallen.* FROM fallen JOIN new USING (mn) ORDER BY mn
    """  # noqa: S608  (constants of this file)
)
_HEARD_AGAIN = text(
    f"""
    WITH heard AS (
        SELECT q.mn, s.park_id, d.station_id, c.last_seen, {_LIMIT} AS silent_after_s
        FROM silent_device q JOIN device d ON d.mn = q.mn JOIN station s ON s.id = d.station_id
        LEFT JOIN device_counter c ON c.mn = d.mn
        WHERE NOT {_IS_SILENT} ORDER BY q.mn LIMIT {AT_ONCE} FOR UPDATE OF q
    ), gone AS (
        DELETE FROM silent_device q USING heard WHERE q.mn = heard.mn RETURNING q.mn
    )
    SELECT heard.* FROM heard JOIN gone USING (mn) ORDER BY mn
    """  # noqa: S608  (constants of this file)
)
_NO_LONGER_REGISTERED = text("DELETE FROM silent_device q WHERE NOT EXISTS (SELECT FROM device d WHERE d.mn = q.mn)")


class SilenceWatch:
    """Looks every ten seconds. ``after`` is how long a device may be silent that is not told its own limit."""

    def __init__(
        self,
        engine: AsyncEngine,
        committed: Callable[[], None],
        *,
        after: timedelta,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._committed = committed
        self._after = after
        self._clock = clock
        self._watching_since: datetime | None = None
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Look until cancelled; through every outage of the database."""
        while True:
            try:
                await self.look()
            except DATABASE_OUTAGES as error:
                self._watching_since = None
                log.warning("silence_watch_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Announce what has changed; how many devices that are."""
        now = self._clock()
        announced = await self._announce(_HEARD_AGAIN, now, silent=False)
        if self._has_watched(now):
            announced += await self._announce(_FALLEN_SILENT, now, silent=True)
        return announced

    def _has_watched(self, now: datetime) -> bool:
        """Whether we have listened long enough to blame a device, and did not stand still meanwhile."""
        before, self._looked_at = self._looked_at, now
        if self._watching_since is None or (before is not None and now - before > GRACE / 2):
            self._watching_since = now
        return now - self._watching_since >= GRACE

    async def _announce(self, statement: TextClause, now: datetime, *, silent: bool) -> int:
        announced = 0
        while True:
            async with self._engine.begin() as connection:
                await connection.execute(_NO_LONGER_REGISTERED)
                found = await connection.execute(statement, {"now": now, "after": self._after.total_seconds()})
                rows = found.all()
                for row in rows:
                    await enqueue(connection, DEVICE_STREAM, _fact(row, now, silent=silent))
            if rows:
                self._committed()
                log.info("devices_silent" if silent else "devices_heard_again", devices=len(rows))
            announced += len(rows)
            if len(rows) < AT_ONCE:
                return announced


def _fact(row: Row[Any], now: datetime, *, silent: bool) -> DeviceSilenceChanged:
    return DeviceSilenceChanged(
        park_id=row.park_id,
        station_id=row.station_id,
        mn=row.mn,
        silent=silent,
        silent_after_s=row.silent_after_s,
        last_seen=row.last_seen,
        at=now,
    )
