"""Subscriptions as a part of the gateway: of all replicas one leads, reads the facts and tells the receivers."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime

import httpx
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.events.live import PRODUCERS
from services.gateway.key_directory import STORE_ERRORS
from services.gateway.routing import Service
from services.gateway.subscriptions import metrics
from services.gateway.subscriptions.delivery import Delivery
from services.gateway.subscriptions.delivery_store import DeliveryStore
from services.gateway.subscriptions.intake import Intake
from services.gateway.subscriptions.log_store import Overtaken, forget_old
from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.sending import Sender
from services.gateway.subscriptions.store import SubscriptionStore
from services.gateway.subscriptions.subscription import LoggedEvent, Subscription
from shared.ending import end_all
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
RETRY_S = 1.0
WATCH_S = 2.0
SHOW_S = 15.0
SWEEP_S = 600.0
_LOCK = "hashtext('fenceline-gateway-subscriptions')"
_LEAD = text(f"SELECT pg_try_advisory_lock({_LOCK})")
_LEAVE = text(f"SELECT pg_advisory_unlock({_LOCK})")
_STILL_THERE = text("SELECT 1")


class Subscriptions:
    """The subscriptions of one process."""

    def __init__(
        self, engine: AsyncEngine, redis: Redis, services: dict[Service, httpx.AsyncClient], sender: Sender
    ) -> None:
        self.store = SubscriptionStore(engine)
        self.engine = engine
        self.sender = sender
        self._deliveries = DeliveryStore(engine)
        self._delivery = Delivery(self._deliveries, self.sender)
        self._intakes = [
            Intake(engine, redis, services[service], streams, self._delivery.wake)
            for service, streams in PRODUCERS.items()
        ]

    def wake(self) -> None:
        """Something was changed: look at once, if this process leads."""
        self._delivery.wake()

    async def attempt(self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime) -> Outcome:
        """Send once, beside the queue: for the test button."""
        return (await self._delivery.attempt(subscription, events, now))[1]

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; through every outage."""
        while True:
            try:
                async with self.engine.connect() as connection:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    if (await connection.execute(_LEAD)).scalar():
                        try:
                            await self._lead(connection)
                        finally:
                            await _leave(connection)
            except (*STORE_ERRORS, Overtaken) as error:
                log.warning("subscriptions_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(RETRY_S)

    async def aclose(self) -> None:
        """Close."""
        await self.sender.aclose()

    async def _lead(self, connection: AsyncConnection) -> None:
        parts = [
            self._watch(connection),
            self._delivery.run(),
            self._keep_up(),
            *(intake.run() for intake in self._intakes),
        ]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await end_all(tasks)

    async def _watch(self, connection: AsyncConnection) -> None:
        """Who loses the connection has lost the lock, and leaves off at once."""
        while True:
            await asyncio.sleep(WATCH_S)
            async with asyncio.timeout(WATCH_S):
                await connection.execute(_STILL_THERE)

    async def _keep_up(self) -> None:
        swept_at = float("-inf")
        clock = asyncio.get_running_loop().time
        while True:
            try:
                metrics.show(await self._deliveries.backlog(), utc_now())
                if clock() - swept_at > SWEEP_S:
                    await forget_old(self.engine, utc_now())
                    swept_at = clock()
            except STORE_ERRORS as error:
                # Nobody is told later for that.
                log.warning("subscriptions_not_counted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(SHOW_S)


async def _leave(connection: AsyncConnection) -> None:
    """Give the lock back; with a connection that may not have, throw the connection away."""
    with contextlib.suppress(*STORE_ERRORS):
        await connection.execute(_LEAVE)
        return
    with contextlib.suppress(*STORE_ERRORS):
        await connection.invalidate()
