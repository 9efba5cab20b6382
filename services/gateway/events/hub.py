"""The clients of one process and the fan-out to them. No I/O; everything happens in one turn of the event loop."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from services.gateway.events.event import REPLAYED, Event, Kind
from services.gateway.scopes import ALL_PARKS

_CLIENTS = Gauge("fenceline_gateway_sse_clients", "Clients that listen to live events")
_EVENTS = Counter("fenceline_gateway_sse_events", "Events handed to clients", ["kind"])
_DROPPED = Counter("fenceline_gateway_sse_dropped", "Clients that were too slow and have to connect again")
TOO_SLOW = "too slow: connect again with the last id"
ENDING = "the gateway ends: connect again with the last id"


@dataclass(frozen=True, slots=True)
class Interest:
    """What a client asked for and may see."""

    parks: frozenset[str]
    kinds: frozenset[Kind]

    def covers(self, event: Event) -> bool:
        """Whether the event is for this client."""
        return event.kind in self.kinds and (ALL_PARKS in self.parks or event.park_id in self.parks)


class Subscriber:
    """One client: the events that wait for it, at most `capacity`."""

    def __init__(self, interest: Interest, capacity: int) -> None:
        self.interest = interest
        self.ended: str | None = None
        self._capacity = capacity
        self._waiting: deque[Event] = deque()
        self._wake = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Have the event wait for the client; a client that is too far behind is given up."""
        if self.ended is not None or not self.interest.covers(event):
            return
        if len(self._waiting) >= self._capacity:
            _DROPPED.inc()
            self._waiting.clear()
            self.end(TOO_SLOW)
            return
        self._waiting.append(event)
        self._wake.set()

    def end(self, reason: str) -> None:
        """Have the stream end, after what waits, with `reason` as its last words."""
        self.ended = self.ended or reason
        self._wake.set()

    async def next(self, timeout_s: float) -> Event | None:
        """The next event; None when none came in time or the stream is to end (`ended`)."""
        if not self._waiting and self.ended is None:
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout_s)
        # Looked at again after a time-out too: an event may have come in the same turn of the loop.
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        _EVENTS.labels(event.kind).inc()
        return event


class Hub:
    """Fans events out. `positions` is how far each replayed stream was fanned out, once that is known."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self._subscribers: set[Subscriber] = set()
        self._began = asyncio.Event()
        self._ending = False

    def begin(self, stream: str, position: int) -> None:
        """A replayed stream is followed from `position` on."""
        self.positions[stream] = position
        if self.positions.keys() >= REPLAYED.keys():
            self._began.set()

    async def has_begun(self, timeout_s: float) -> bool:
        """Whether all replayed streams are followed; waits for it up to `timeout_s`."""
        try:
            await asyncio.wait_for(self._began.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def publish(self, event: Event) -> None:
        """Offer the event to every client."""
        self.pass_position(event.stream, event.position)
        for subscriber in self._subscribers:
            subscriber.offer(event)

    def pass_position(self, stream: str | None, position: int) -> None:
        """A fact has been dealt with, whether or not it became an event."""
        if stream in REPLAYED and stream is not None:
            self.positions[stream] = position

    def subscribe(self, interest: Interest, capacity: int) -> Subscriber:
        """A new client; it hears every event from this moment on."""
        subscriber = Subscriber(interest, capacity)
        if self._ending:
            subscriber.end(ENDING)
        self._subscribers.add(subscriber)
        _CLIENTS.set(len(self._subscribers))
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """The client has gone."""
        self._subscribers.discard(subscriber)
        _CLIENTS.set(len(self._subscribers))

    def end(self) -> None:
        """End every stream, and those to come: the process is about to stop."""
        self._ending = True
        for subscriber in self._subscribers:
            subscriber.end(ENDING)

    @property
    def has_clients(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscribers)
