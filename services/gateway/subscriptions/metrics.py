"""What subscriptions tell Prometheus; by channel, so that their number does not grow with that of subscriptions."""

from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from services.gateway.subscriptions.delivery_store import Backlog
from services.gateway.subscriptions.subscription import Channel

LOGGED = Counter("fenceline_gateway_subscription_events", "Events that were read into the log of subscriptions")
ATTEMPTS = Counter("fenceline_gateway_subscription_attempts", "Messages sent, by outcome", ["channel", "outcome"])
DEAD = Counter("fenceline_gateway_subscription_dead_letters", "Events given up", ["channel"])
SECONDS = Histogram(
    "fenceline_gateway_subscription_attempt_seconds",
    "Time that a receiver took",
    ["channel"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15),
)
_WAITING = Gauge("fenceline_gateway_subscription_backlog", "Events that wait for receivers", ["channel"])
_OLDEST = Gauge("fenceline_gateway_subscription_oldest_age_seconds", "Age of the oldest that waits", ["channel"])
_FAILING = Gauge("fenceline_gateway_subscription_failing", "Subscriptions whose receiver does not take", ["channel"])


def show(backlogs: list[Backlog], now: datetime) -> None:
    """Set what waits; 0 for a channel without subscriptions."""
    found = {backlog.channel: backlog for backlog in backlogs}
    for channel in Channel:
        backlog = found.get(channel, Backlog(channel, 0, 0, 0, None))
        _WAITING.labels(channel).set(backlog.waiting)
        _OLDEST.labels(channel).set((now - backlog.oldest).total_seconds() if backlog.oldest else 0.0)
        _FAILING.labels(channel).set(backlog.failing)
