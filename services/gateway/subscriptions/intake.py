"""Reads the facts of one producer into the log of events, from where it was left, through every outage."""

import asyncio
import json
from collections.abc import Callable, Sequence

import httpx
from pydantic import ValidationError
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.events.event import REPLAYED, Event, Kind
from services.gateway.events.feeds import OUTAGES, RETRY_S, end_of_stream, not_understood
from services.gateway.events.live import MESSAGES
from services.gateway.subscriptions.log_store import Levelled, add_events, begin_sources, source_positions
from services.gateway.subscriptions.metrics import LOGGED
from services.gateway.subscriptions.subscription import level_of
from services.gateway.tenancy import PARK_ID
from shared.outbox import http_catch_up
from shared.streams import Fact, FactReader
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)


class Intake:
    """The streams of one producer; `added` is called once new events can be sent."""

    def __init__(
        self,
        engine: AsyncEngine,
        redis: Redis,
        producer: httpx.AsyncClient,
        streams: Sequence[str],
        added: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._catch_up = http_catch_up(producer)
        self._reader = FactReader(redis, self._catch_up)
        self._streams = list(streams)
        self._added = added

    async def run(self) -> None:
        """Read until cancelled; raises what a database that is away raises, or `Overtaken`."""
        await self._begin()
        positions = {s: p for s, p in (await source_positions(self._engine)).items() if s in self._streams}
        while True:
            try:
                facts = await self._reader.read(positions)
            except OUTAGES as error:
                log.warning(
                    "facts_unavailable", streams=self._streams[0], error=f"{type(error).__name__}: {error}"[:200]
                )
                await asyncio.sleep(RETRY_S)
                continue
            if facts:
                events = [event for fact in facts if (event := _levelled(fact)) is not None]
                following = positions | {fact.stream: fact.position for fact in facts}
                await add_events(self._engine, events, positions, following, utc_now())
                positions = following
                LOGGED.inc(len(events))
                self._added()

    async def _begin(self) -> None:
        """The first time, what was before is nobody's: there was no subscription yet."""
        while new := set(self._streams) - (await source_positions(self._engine)).keys():
            try:
                known = await self._reader.last_positions(sorted(new))
                ends = {s: p or await end_of_stream(self._catch_up, s) for s, p in known.items()}
            except OUTAGES as error:
                log.warning(
                    "facts_unavailable", streams=self._streams[0], error=f"{type(error).__name__}: {error}"[:200]
                )
                await asyncio.sleep(RETRY_S)
            else:
                await begin_sources(self._engine, ends)


def _levelled(fact: Fact) -> Levelled | None:
    kind = REPLAYED[fact.stream]
    try:
        message = MESSAGES[kind].decode(fact.payload)
    except ValidationError as error:
        not_understood(fact, error)
        return _as_it_came(fact, kind)
    data = message.model_dump_json().encode()
    return Levelled(Event(kind, message.park_id, data, fact.stream, fact.position), level_of(message))


def _as_it_came(fact: Fact, kind: Kind) -> Levelled | None:
    """A fact of a later version, if it says of which park it is: who cannot make a message of it sets it aside."""
    try:
        body = json.loads(fact.payload)
        data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    park_id = body.get("park_id") if isinstance(body, dict) else None
    if not isinstance(park_id, str) or not PARK_ID.fullmatch(park_id):
        return None
    return Levelled(Event(kind, park_id, data, fact.stream, fact.position), None)
