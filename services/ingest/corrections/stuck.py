"""Looks for gas readings that stand still: flagged as stuck after the fact, by a correction like a reviewer's.

Not when they come in: what a reading is must not depend on the order in which readings arrive. A value at or below the
detection limit may stand still for ever. The flag takes no value from an alarm: a sensor may stand still at the end of
its range.
"""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.corrections.store import correct
from services.ingest.schemas import CorrectionRequest, JudgedSpan
from shared.outages import DATABASE_OUTAGES
from shared.problems import Problem
from shared.quality import Quality
from shared.telemetry import get_logger
from shared.time import MICROSECOND, utc_now
from shared.vocabulary import observed_properties

log = get_logger(__name__)
EVERY_S = 300.0
AUTHOR = "fenceline"
_PORTION = 200
_LEAST = 10
"""Readings without which a span tells nothing."""
# One span of the index a datastream. Readings that are already flagged as stuck count as standing still.
_STANDING = text(
    """
    SELECT s.park_id, d.id, r.first_at, r.last_at, r.value
    FROM (
        SELECT id, station_id, detection_limit FROM datastream
        WHERE active AND cadence = 'realtime' AND property_id = ANY(CAST(:gases AS text[])) AND id > :after
        ORDER BY id LIMIT :portion
    ) d JOIN station s ON s.id = d.station_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS readings, count(*) FILTER (WHERE quality = 'N') AS normal, min(value) AS value,
               max(value) AS highest, bool_and(quality IN ('N', 'K')) AS sound, min(time) AS first_at,
               max(time) AS last_at
        FROM observation o WHERE o.datastream_id = d.id AND o.time > :since AND o.time <= :now
    ) r
    WHERE r.sound AND r.normal > 0 AND r.readings >= :least AND r.value = r.highest
      AND r.value > coalesce(d.detection_limit, 0) AND r.last_at - r.first_at >= CAST(:after_span AS interval) * 0.9
    ORDER BY d.id
    """
)
_LAST = text(
    """
    SELECT max(id) FROM (
        SELECT id FROM datastream
        WHERE active AND cadence = 'realtime' AND property_id = ANY(CAST(:gases AS text[])) AND id > :after
        ORDER BY id LIMIT :portion
    ) part
    """
)


class StuckReadings:
    """Looks every few minutes; what one replica has flagged, the next finds flagged."""

    def __init__(self, engine: AsyncEngine, after: timedelta) -> None:
        self._engine = engine
        self._after = after
        self._gases = [name for name, known in observed_properties().items() if known.kind == "gas"]

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                flagged = await self.look(utc_now())
                if flagged:
                    log.warning("stuck_readings_flagged", readings=flagged)
            except (*DATABASE_OUTAGES, Problem) as error:
                log.warning("stuck_readings_not_looked_for", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(EVERY_S)

    async def look(self, now: datetime) -> int:
        """Flag what stands still in the time up to ``now``; how many readings were flagged."""
        flagged, after = 0, 0
        while True:
            asked = {"gases": self._gases, "after": after, "portion": _PORTION}
            span = {"since": now - self._after, "now": now, "least": _LEAST, "after_span": self._after}
            async with self._engine.connect() as connection:
                last = (await connection.execute(_LAST, asked)).scalar()
                found = (await connection.execute(_STANDING, {**asked, **span})).all() if last else []
            if not last:
                return flagged
            flagged += sum([await self._flag(row) for row in found])
            after = last

    async def _flag(self, row: Row[tuple[str, int, datetime, datetime, float]]) -> int:
        span = JudgedSpan(
            datastream_id=row.id, start=row.first_at, end=row.last_at + MICROSECOND, quality=Quality.STUCK
        )
        request = CorrectionRequest(reason=f"{row.value:g} without a change since {row.first_at:%H:%M}", spans=[span])
        async with self._engine.begin() as connection:
            return (await correct(connection, row.park_id, request, AUTHOR)).corrected
