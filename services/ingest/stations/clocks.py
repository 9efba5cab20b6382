"""The clocks of devices: what their messages show, flags for readings of one that is off, and what is reported of it.

They are kept in memory, of registered devices only, and written every half minute. A process that starts anew knows
them again after a few messages.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.meaning.clock import DeviceClock
from services.ingest.meaning.normalise import Normalised
from services.ingest.registry.snapshot import Device
from shared.hj212.commands import parse_time
from shared.hj212.segment import Segment
from shared.outages import DATABASE_OUTAGES
from shared.quality import Quality
from shared.telemetry import get_logger

log = get_logger(__name__)
EVERY_S = 30.0
_LOOK_AGAIN = timedelta(seconds=5)
"""A device that sends more often than this shows nothing new of its clock in between."""
# Ordered by MN, so that two replicas never wait for each other in a circle.
_WRITE = text(
    """
    INSERT INTO device_clock AS held (mn, skew_s, beyond_limit, measured_at)
    SELECT * FROM unnest(CAST(:mn AS text[]), CAST(:skew_s AS float8[]), CAST(:beyond_limit AS boolean[]),
        CAST(:measured_at AS timestamptz[])) AS new (mn, skew_s, beyond_limit, measured_at) ORDER BY mn
    ON CONFLICT (mn) DO UPDATE SET skew_s = excluded.skew_s, beyond_limit = excluded.beyond_limit,
        measured_at = excluded.measured_at WHERE held.measured_at < excluded.measured_at
    """
)


class Clocks:
    """All clocks that a process hears; beyond ``limit``, normal readings are flagged as clock-skewed."""

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit
        self._clocks: dict[str, DeviceClock] = {}
        self._looked_at: dict[str, datetime] = {}
        self._unwritten: set[str] = set()

    def hear(self, device: Device, message: Segment, now: datetime) -> None:
        """A message that the device made itself has come in at ``now``. One that it sends again tells nothing."""
        looked_at = self._looked_at.get(device.mn)
        if message.resent or (looked_at is not None and timedelta() <= now - looked_at < _LOOK_AGAIN):
            return
        self._looked_at[device.mn] = now
        sent = parse_time(message.qn)
        if sent is None:
            return
        clock = self._clocks.setdefault(device.mn, DeviceClock())
        before = clock.updated
        clock.observe(sent.replace(tzinfo=device.zone), now)
        if clock.updated != before:
            self._unwritten.add(device.mn)

    def flagged(self, device: Device, data: Normalised) -> Normalised:
        """The readings of a device, normal ones flagged where its clock is off. Over range stays: it is worse news."""
        clock = self._clocks.get(device.mn)
        if clock is None or not clock.is_beyond(self._limit):
            return data
        observations = tuple(
            row._replace(quality=Quality.CLOCK_SKEWED.value) if row.quality == Quality.NORMAL.value else row
            for row in data.observations
        )
        return replace(data, observations=observations)

    async def run(self, engine: AsyncEngine) -> None:
        """Write what was measured, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write(engine)
            except DATABASE_OUTAGES as error:
                log.warning("clocks_not_written", error=" ".join(str(error).split())[:200])

    async def write(self, engine: AsyncEngine) -> None:
        """Write what was measured since the last time."""
        beyond = {mn for mn, clock in self._clocks.items() if clock.is_beyond(self._limit)}
        metrics.CLOCKS_SKEWED.set(len(beyond))
        due = sorted(self._unwritten)
        known = [(mn, clock) for mn in due if (clock := self._clocks[mn]).skew is not None]
        if known:
            async with engine.begin() as connection:
                await connection.execute(
                    _WRITE,
                    {
                        "mn": [mn for mn, _ in known],
                        "skew_s": [clock.skew.total_seconds() for _, clock in known if clock.skew is not None],
                        "beyond_limit": [mn in beyond for mn, _ in known],
                        "measured_at": [clock.updated for _, clock in known],
                    },
                )
        self._unwritten.difference_update(due)
