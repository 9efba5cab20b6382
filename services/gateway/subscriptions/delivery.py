"""Tells every subscription what is next for it: one message at a time each, in order, many subscriptions at once."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from services.gateway.key_directory import STORE_ERRORS
from services.gateway.subscriptions.delivery_store import Batch, DeliveryStore
from services.gateway.subscriptions.metrics import ATTEMPTS, DEAD, SECONDS
from services.gateway.subscriptions.patience import LONGEST_S, Outcome, is_given_up, is_too_old, wait_s
from services.gateway.subscriptions.sending import MANNERS, Sender
from services.gateway.subscriptions.subscription import LoggedEvent, Subscription
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
AT_ONCE = 64
LOOK_S = 1.0
"""How often to look for what fell due, or was changed through another replica."""
MOST_BURIED = 500


class Delivery:
    """The sending half of one process; runs while the process leads."""

    def __init__(self, store: DeliveryStore, sender: Sender) -> None:
        self._store = store
        self._sender = sender
        self._waked = asyncio.Event()
        self._busy: dict[UUID, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look now: there is something new, or something was changed."""
        self._waked.set()

    async def run(self) -> None:
        """Send until cancelled; raises what a database that is away raises."""
        try:
            while True:
                self._waked.clear()
                room = AT_ONCE - len(self._busy)
                due = await self._store.due(utc_now(), self._busy, room) if room else []
                for subscription in due:
                    task = asyncio.create_task(self._tell(subscription))
                    self._busy[subscription.id] = task
                    task.add_done_callback(partial(self._is_free, subscription.id))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._waked.wait()
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _is_free(self, id_: UUID, _task: asyncio.Task[None]) -> None:
        self._busy.pop(id_, None)
        self.wake()

    async def _tell(self, subscription: Subscription) -> None:
        try:
            await self._tell_next(subscription)
        except STORE_ERRORS as error:
            log.warning("subscription_waits", id=str(subscription.id), error=" ".join(str(error).split())[:200])
            await asyncio.sleep(LOOK_S)

    async def _tell_next(self, subscription: Subscription) -> None:
        manner = MANNERS[subscription.channel]
        batch = await self._store.next(subscription, manner.most_events)
        if not batch.events:
            await self._store.passed(subscription, batch.upto)
            return
        now = utc_now()
        count, outcome = await self.attempt(subscription, batch.events, now)
        if outcome.delivered:
            upto = batch.upto if batch.is_all and count == len(batch.events) else batch.events[count - 1].seq
            next_at = now + timedelta(seconds=manner.pause_s)
            await self._store.taken(subscription, upto, next_at, now, outcome.error)
        else:
            await self._not_taken(subscription, batch, count, outcome, utc_now())

    async def attempt(
        self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime
    ) -> tuple[int, Outcome]:
        """Send once: of how many events, and what came of it. Never raises."""
        begun = time.perf_counter()
        try:
            count, outcome = await self._sender.send(subscription, events, now)
        except Exception:
            # Not the receiver's fault; tried again like everything, and not for ever.
            if len(events) > 1:  # Which of them it is shows alone.
                return await self.attempt(subscription, events[:1], now)
            log.exception("subscription_message_failed", id=str(subscription.id), told=events[0].id)
            count, outcome = 1, Outcome(False, "the gateway could not make the message", refused=True)
        SECONDS.labels(subscription.channel).observe(time.perf_counter() - begun)
        ATTEMPTS.labels(subscription.channel, "delivered" if outcome.delivered else "failed").inc()
        return count, outcome

    async def _not_taken(
        self, subscription: Subscription, batch: Batch, count: int, outcome: Outcome, now: datetime
    ) -> None:
        standing, error = subscription.standing, outcome.error or "not taken"
        log.info("subscription_not_taken", id=str(subscription.id), error=error, attempts=standing.attempts + 1)
        waiting_since = max(standing.resumed_at, batch.events[0].at)
        if outcome.gone or not is_given_up(outcome, standing.attempts + 1, waiting_since, now):
            next_at = now + timedelta(seconds=wait_s(standing.attempts + 1, outcome.retry_after_s))
            await self._store.failed(subscription, error, now, next_at, gone=outcome.gone)
            return
        lost, next_at = list(batch.events[:count]), now
        if is_too_old(waiting_since, now):
            # The receiver is away: all that has waited so long goes, and the rest does not need an attempt for each.
            waiting = (await self._store.next(subscription, MOST_BURIED)).events
            lost = [event for event in waiting if is_too_old(max(standing.resumed_at, event.at), now)] or lost
            next_at = now + timedelta(seconds=LONGEST_S)
        if await self._store.bury(subscription, lost, error, now, next_at):
            DEAD.labels(subscription.channel).inc(len(lost))
            log.warning("subscription_gave_up", id=str(subscription.id), events=len(lost), error=error)
