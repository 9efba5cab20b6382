"""What sessions count of each device beside what is counted with its frames; written every few seconds.

These tell of the line, not of data: what a crash forgets of them is a few seconds.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.stations.session import Received
from services.ingest.stations.verdicts import Verdict
from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger

log = get_logger(__name__)
EVERY_S = 5.0
# Ordered by MN, so that two replicas never wait for each other in a circle.
_ADD = text(
    """
    INSERT INTO device_session AS held (mn, connections, connected_at, resent, incomplete, wrong_passwords)
    SELECT mn, connections, connected_at, resent, incomplete, wrong_passwords FROM unnest(
        CAST(:mn AS text[]), CAST(:connections AS bigint[]), CAST(:connected_at AS timestamptz[]),
        CAST(:resent AS bigint[]), CAST(:incomplete AS bigint[]), CAST(:wrong_passwords AS bigint[])
    ) AS new (mn, connections, connected_at, resent, incomplete, wrong_passwords) ORDER BY mn
    ON CONFLICT (mn) DO UPDATE SET connections = held.connections + excluded.connections,
        connected_at = greatest(held.connected_at, excluded.connected_at), resent = held.resent + excluded.resent,
        incomplete = held.incomplete + excluded.incomplete,
        wrong_passwords = held.wrong_passwords + excluded.wrong_passwords
    """
)


@dataclass(slots=True)
class _Count:
    connections: int = 0
    connected_at: datetime | None = None
    resent: int = 0
    incomplete: int = 0
    wrong_passwords: int = 0


class SessionCounters:
    """Counts in memory, of registered devices only, so that there are no more than these."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def connected(self, mn: str, at: datetime) -> None:
        """A device has connected, or come back on another connection."""
        count = self._of(mn)
        count.connections += 1
        count.connected_at = at

    def note(self, received: Received) -> None:
        """A message of a registered device has been stored."""
        if received.device is None or received.segment is None:
            return
        if received.verdict is Verdict.WRONG_PASSWORD:
            self._of(received.device.mn).wrong_passwords += 1
        if received.segment.extra and received.segment.resent:
            self._of(received.device.mn).resent += 1
            metrics.RESENT.inc()
        if received.part.complete:
            metrics.DIVIDED.labels("complete").inc()
        if received.part.lost:
            self.lost(received.part.lost)

    def lost(self, mns: Iterable[str]) -> None:
        """Messages in parts of these devices stay incomplete."""
        for mn in mns:
            self._of(mn).incomplete += 1
            metrics.DIVIDED.labels("incomplete").inc()

    def _of(self, mn: str) -> _Count:
        return self._counts.setdefault(mn, _Count())

    async def run(self, engine: AsyncEngine) -> None:
        """Write every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.flush(engine)
            except DATABASE_OUTAGES as error:
                log.warning("session_counters_not_written", error=" ".join(str(error).split())[:200])

    async def flush(self, engine: AsyncEngine) -> None:
        """Write what was counted since the last time; what cannot be written is kept."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        names = ("connections", "connected_at", "resent", "incomplete", "wrong_passwords")
        rows = {name: [getattr(count, name) for count in counts.values()] for name in names}
        try:
            async with engine.begin() as connection:
                await connection.execute(_ADD, {"mn": list(counts), **rows})
        except BaseException:
            for mn, count in counts.items():
                self._merge(mn, count)
            raise

    def _merge(self, mn: str, count: _Count) -> None:
        held = self._of(mn)
        held.connections += count.connections
        held.connected_at = held.connected_at or count.connected_at
        held.resent += count.resent
        held.incomplete += count.incomplete
        held.wrong_passwords += count.wrong_passwords
