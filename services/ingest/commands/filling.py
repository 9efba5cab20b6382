"""Asks devices for records that are missing, by itself: looks for gaps, asks for a few at a time, tells what came.

What comes is data like any other, stored once. A replica looks after the devices that are linked to it; a device gets
one request at a time and the database only a few of all devices, so that an outage of the platform is not followed by
one of its making.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.commands import gap_store, store
from services.ingest.commands.dispatcher import Dispatcher
from services.ingest.commands.filled import GapState, Outcome, outcome
from services.ingest.commands.gap_store import StoredGap
from services.ingest.commands.gaps import (
    ALLOWED,
    Span,
    datastreams_of,
    expected,
    interval_of,
    last_record,
    merged,
    missing,
    pieces,
    without,
)
from services.ingest.commands.loggers import History
from services.ingest.registry.snapshot import Device
from services.ingest.stations.links import Link, Links
from services.ingest.stations.session import Directory
from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
LOOKS_A_ROUND = 200
SETTLED_A_ROUND = 100
RECORDS_A_REQUEST = 1440
ORIGIN = "gap"


@dataclass(frozen=True, slots=True)
class GapRules:
    """How gaps are filled.

    ``settle`` is how long a device that is back is left to send again what it has kept, ``look_every`` how often its
    records are looked through, ``horizon`` how far back, ``requests`` how many devices are asked at once in all.
    """

    enabled: bool
    every_s: float
    settle: timedelta
    look_every: timedelta
    horizon: timedelta
    requests: int


class GapFilling:
    """The loop of one process."""

    def __init__(
        self,
        engine: AsyncEngine,
        links: Links,
        directory: Directory,
        dispatcher: Dispatcher,
        rules: GapRules,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._links = links
        self._directory = directory
        self._dispatcher = dispatcher
        self._rules = rules
        self._clock = clock
        self._next_look: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look, ask and settle until cancelled; nothing at all where it is switched off."""
        while self._rules.enabled:
            try:
                await self.round()
            except DATABASE_OUTAGES as error:
                log.warning("gaps_not_filled", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(self._rules.every_s)

    async def round(self) -> None:
        """One round of all three."""
        await self._settle()
        await self._look()
        await self._ask()

    # ---- look ----

    async def _look(self) -> None:
        now = self._clock()
        links = {link.mn: link for link in self._links.all()}
        settle = self._rules.settle
        self._next_look = {mn: self._next_look.get(mn, link.since + settle) for mn, link in links.items()}
        due = sorted((at, mn) for mn, at in self._next_look.items() if at <= now)[:LOOKS_A_ROUND]
        if not due:
            return
        async with self._engine.connect() as connection:
            off = await gap_store.disabled(connection, [mn for _, mn in due])
        for _, mn in due:
            self._next_look[mn] = now + self._rules.look_every
            if mn not in off:
                await self._look_through(links[mn], now)

    async def _look_through(self, link: Link, now: datetime) -> None:
        for cadence in ALLOWED:
            ids = datastreams_of(link.device, cadence)
            if not ids:
                continue
            async with self._engine.begin() as connection:
                await gap_store.take_turn(connection, link.mn)
                await self._record_gaps(connection, link.device, cadence, ids, now)

    async def _record_gaps(
        self, connection: AsyncConnection, device: Device, cadence: str, ids: list[int], now: datetime
    ) -> None:
        interval = interval_of(await gap_store.recent_times(connection, ids, now), cadence)
        if interval is None:
            return
        looked = await gap_store.looked_until(connection, device.mn, cadence)
        begin = now - self._rules.horizon if looked is None else max(looked, now - self._rules.horizon)
        earlier = (await gap_store.recent_times(connection, ids, begin))[-1:]
        present = await gap_store.times(connection, ids, Span(begin, now))
        if not present:
            return
        found = missing([*(_moved_to(time, begin, interval) for time in earlier), *present], interval)
        spans = without(found, await gap_store.known(connection, device.mn, cadence, begin - interval))
        asked = [piece for span in merged(spans, interval) for piece in pieces(span, interval, RECORDS_A_REQUEST)]
        await gap_store.add(connection, device.park_id, device.mn, cadence, asked, interval, until=present[-1], now=now)
        if asked:
            log.info("records_missing", mn=device.mn, cadence=cadence, gaps=len(asked))

    # ---- ask ----

    async def _ask(self) -> None:
        now = self._clock()
        connected = [link.mn for link in self._links.all()]
        async with self._engine.connect() as connection:
            free = self._rules.requests - await gap_store.asked_now(connection)
            gaps = await gap_store.due(connection, connected, free, now) if free > 0 and connected else []
        for gap in gaps:
            async with self._engine.begin() as connection:
                if await gap_store.take(connection, gap):
                    await self._ask_for(connection, gap, now)
        if gaps:
            self._dispatcher.wake()

    async def _ask_for(self, connection: AsyncConnection, gap: StoredGap, now: datetime) -> None:
        if await self._present(connection, gap) >= expected(gap.span, gap.interval):
            # The device has sent it again by itself.
            await gap_store.settle(connection, gap, Outcome(GapState.FILLED, gap.tries))
            return
        request = History.model_validate(
            {
                "command": "history",
                "cadence": gap.cadence,
                "begin": gap.span.begin,
                "end": last_record(gap.span, gap.interval),
            }
        )
        patience = self._dispatcher.patience
        # The device is connected now. When it goes, the others must not wait for it.
        patience = replace(patience, connection=patience.over_time * (patience.tries + 1))
        command = await store.add(
            connection, gap.park_id, gap.mn, request, origin=ORIGIN, by=ORIGIN, now=now, patience=patience
        )
        if command is not None:
            await gap_store.ask(connection, gap, command)

    # ---- settle ----

    async def _settle(self) -> None:
        now = self._clock()
        async with self._engine.begin() as connection:
            for gap, ended in await gap_store.answered(connection, SETTLED_A_ROUND):
                present = await self._present(connection, gap)
                became = outcome(ended, gap.tries, present, expected(gap.span, gap.interval), now)
                await gap_store.settle(connection, gap, became)
                log.info("gap_settled", mn=gap.mn, state=became.state.value, records=present)

    async def _present(self, connection: AsyncConnection, gap: StoredGap) -> int:
        device = self._directory(gap.mn)
        ids = [] if device is None else datastreams_of(device, gap.cadence)
        return len(await gap_store.times(connection, ids, gap.span)) if ids else 0


def _moved_to(time: datetime, begin: datetime, interval: timedelta) -> datetime:
    """The last moment before ``begin`` on the grid of a record that may lie long before it."""
    return max(time, begin - (begin - time) % interval)
