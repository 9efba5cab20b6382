"""One attempt: the message of a subscription's channel, handed to its receiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.gateway.subscriptions import alertmanager, mail, robots, webhooks
from services.gateway.subscriptions.http import HttpSender, NotSent
from services.gateway.subscriptions.patience import Outcome
from services.gateway.subscriptions.subscription import Channel, LoggedEvent, Subscription


@dataclass(frozen=True, slots=True)
class Manner:
    """How a channel is told: so many events in a message at most, and so long between two messages [s]."""

    most_events: int = 1
    pause_s: float = 0.0


_ROBOT = Manner(robots.MOST_EVENTS, robots.PAUSE_S)
MANNERS = {
    Channel.WEBHOOK: Manner(),
    Channel.EMAIL: Manner(mail.MOST_EVENTS, mail.PAUSE_S),
    Channel.WECOM: _ROBOT,
    Channel.DINGTALK: _ROBOT,
    Channel.FEISHU: _ROBOT,
    Channel.ALERTMANAGER: Manner(alertmanager.MOST_EVENTS),
}
_JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Fenceline"}


class Sender:
    """Sends messages by every channel."""

    def __init__(self, http: HttpSender, mailer: mail.Mailer) -> None:
        self.http = http
        self.mailer = mailer

    async def send(
        self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime
    ) -> tuple[int, Outcome]:
        """Tell of the first of `events`: of how many, and what came of it."""
        try:
            match subscription.channel:
                case Channel.WEBHOOK:
                    return await self._webhook(subscription, events[0], now)
                case Channel.EMAIL:
                    return len(events), await self.mailer.send(subscription, events, now)
                case Channel.ALERTMANAGER:
                    return await self._alertmanager(subscription, events)
                case _:
                    return await self._robot(subscription, events, now)
        except NotSent as error:
            return 1, Outcome(False, str(error))

    async def _webhook(self, subscription: Subscription, event: LoggedEvent, now: datetime) -> tuple[int, Outcome]:
        body = webhooks.body_of(event)
        headers = webhooks.headers_of(event.id, body, subscription.signing(now), now)
        return 1, webhooks.outcome_of(await self.http.post(subscription.target, body, headers))

    async def _robot(
        self, subscription: Subscription, events: Sequence[LoggedEvent], now: datetime
    ) -> tuple[int, Outcome]:
        channel = subscription.channel
        text, count = robots.text_of(events, subscription.language)
        secret = next(iter(subscription.signing(now)), None)
        message = robots.message_of(channel, subscription.target, secret, text, now)
        return count, robots.outcome_of(channel, await self.http.post(message.url, message.content, _JSON))

    async def _alertmanager(self, subscription: Subscription, events: Sequence[LoggedEvent]) -> tuple[int, Outcome]:
        url = subscription.target.rstrip("/") + alertmanager.PATH
        answer = await self.http.post(url, alertmanager.alerts_of(events), _JSON)
        return len(events), webhooks.outcome_of(answer)

    async def aclose(self) -> None:
        """Close."""
        self.mailer.close()
        await self.http.aclose()
