"""One attempt: the message of a subscription's channel, handed to its receiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.gateway.subscriptions import webhooks
from services.gateway.subscriptions.http import HttpSender, NotSent
from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.subscription import Channel, LoggedEvent, Subscription


@dataclass(frozen=True, slots=True)
class Manner:
    """How a channel is told: so many events in a message at most, and so long between two messages [s]."""

    most_events: int = 1
    pause_s: float = 0.0


MANNERS = {Channel.WEBHOOK: Manner()}


class Sender:
    """Sends messages by every channel."""

    def __init__(self, http: HttpSender) -> None:
        self.http = http

    async def send(
        self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime
    ) -> tuple[int, Outcome]:
        """Tell of the first of `events`: of how many, and what came of it."""
        try:
            return await self._webhook(subscription, events[0], now)
        except NotSent as error:
            return 1, Outcome(False, str(error))

    async def _webhook(self, subscription: Subscription, event: LoggedEvent, now: datetime) -> tuple[int, Outcome]:
        body = webhooks.body_of(event)
        headers = webhooks.headers_of(event.id, body, subscription.signing(now), now)
        return 1, webhooks.outcome_of(await self.http.post(subscription.target, body, headers))

    async def aclose(self) -> None:
        """Close."""
        await self.http.aclose()
