"""Ends what has an end: shelving, maintenance, alarms out of service. On wall time; whichever replica comes first."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine.effects import count_transitions, refit
from services.alerts.lifecycle import Entry
from services.alerts.store import alarms as store
from services.alerts.store import suppressions
from shared.telemetry import get_logger

log = get_logger(__name__)
_AT_ONCE = 500


class HidingWatch:
    """Makes alarms what suppressions and the time ask for.

    An alarm that was raised at the same moment at which somebody put its station under maintenance is put right too.
    """

    def __init__(self, database: AsyncEngine, *, clock: Callable[[], datetime], committed: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._committed = committed

    async def run(self, errors: tuple[type[Exception], ...], every_s: float = 1.0) -> None:
        """Look until cancelled; through the outages that `errors` names."""
        while True:
            try:
                await self.look()
            except errors as error:
                log.warning("hiding_watch_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(every_s)

    async def look(self) -> list[Entry]:
        """Look once; the journal entries of what was to be done."""
        now = self._clock()
        async with self._database.begin() as connection:
            await suppressions.end_due(connection, now)
            keys = await store.misfits(connection, now, _AT_ONCE)
            entries = await refit(connection, keys, now) if keys else []
        if entries:
            count_transitions(entries)
            self._committed()
        return entries
