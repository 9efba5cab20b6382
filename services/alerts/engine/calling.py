"""Watches over alarms that nobody acknowledges and over floods, on wall time. Runs in every replica."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.lifecycle import Alarm, Entry
from services.alerts.notifications import Waiting, note_call, plan
from services.alerts.store import alarms as alarm_store
from services.alerts.store import floods, policies
from services.alerts.store import waiting as store
from shared.telemetry import get_logger

log = get_logger(__name__)
_MOST = 100
"""Alarms looked at in one transaction."""


class CallWatch:
    """Calls the roles that a park's policy names, step by step, and ends floods that are over."""

    def __init__(self, database: AsyncEngine, *, clock: Callable[[], datetime], committed: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._committed = committed

    async def run(self, errors: tuple[type[Exception], ...], every_s: float = 1.0) -> None:
        """Look until cancelled; through the outages that `errors` names."""
        while True:
            try:
                while await self.look() == _MOST:
                    pass
                await self.end_floods()
            except errors as error:
                log.warning("call_watch_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(every_s)

    async def look(self) -> int:
        """Make the calls that are due now; how many alarms were due."""
        now = self._clock()
        async with self._database.begin() as connection:
            due = await store.to_look_at(connection, now, _MOST)
            # Another replica may be about some of them: it calls, and these are looked at again if need be.
            locked = {alarm.id: alarm for alarm in await alarm_store.lock_free(connection, due)} if due else {}
            by_park = await store.of_alarms(connection, locked, now)
            called = False
            for park_id in sorted(by_park):
                called |= await self._call(connection, park_id, by_park[park_id], locked, now)
        if called:
            self._committed()
        return len(locked)

    async def _call(
        self,
        connection: AsyncConnection,
        park_id: str,
        waiting: list[Waiting],
        alarms: dict[UUID, Alarm],
        now: datetime,
    ) -> bool:
        policy = await policies.of_park(connection, park_id)
        flood = park_id in await floods.open_of(connection, [park_id])
        last = await store.last_calls(connection, (one.incident_id for one in waiting))
        todo = plan(waiting, policy.escalation, policy.flood, last, now, flood=flood)
        touched: dict[UUID, Alarm] = {}
        entries: list[Entry] = []
        for call in todo.calls:
            await store.call(connection, park_id, call, alarms, now, flood=flood)
            for one in call.alarms:
                alarm, entry = note_call(
                    touched.get(one.alarm_id, alarms[one.alarm_id]), store.notification_id(call), call.role, now
                )
                touched[alarm.id] = alarm
                entries.append(entry)
        await alarm_store.save(connection, touched, entries)
        await store.look_again(connection, todo.again)
        return bool(entries)

    async def end_floods(self) -> None:
        """End the floods that are over."""
        async with self._database.connect() as connection:
            parks = sorted(await floods.open_of(connection))
        for park_id in parks:
            async with self._database.begin() as connection:
                rule = (await policies.of_park(connection, park_id)).flood
                ended = await floods.end_where_over(connection, park_id, rule, self._clock())
            if ended:
                log.info("flood_ended", park_id=park_id)
                self._committed()
