"""Follows the facts of one producer from where they end now, through every outage of Redis and of the producer."""

import asyncio
from collections.abc import Callable, Sequence

import httpx
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.streams import CatchUp, Fact, FactReader
from shared.telemetry import get_logger

log = get_logger(__name__)
RETRY_S = 1.0
PAGE = 5000
OUTAGES = (RedisError, httpx.HTTPError, OSError, TimeoutError)


class Feed:
    """The facts of some streams that have one producer; `handle` hears each, in order within its stream."""

    def __init__(
        self,
        redis: Redis,
        catch_up: CatchUp,
        streams: Sequence[str],
        handle: Callable[[Fact], None],
        began: Callable[[str, int], None] = lambda _stream, _position: None,
    ) -> None:
        self._reader = FactReader(redis, catch_up)
        self._catch_up = catch_up
        self._streams = list(streams)
        self._handle = handle
        self._began = began
        self._positions: dict[str, int] | None = None

    async def run(self) -> None:
        """Follow until cancelled; run again, it goes on where it was."""
        if self._positions is None:
            self._positions = await self._start()
            for stream, position in self._positions.items():
                self._began(stream, position)
        positions = self._positions
        while True:
            try:
                facts = await self._reader.read(positions)
            except OUTAGES as error:
                log.warning("facts_unavailable", streams=self._streams[0], error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)
                continue
            for fact in facts:
                positions[fact.stream] = fact.position
                self._tell(fact)

    async def _start(self) -> dict[str, int]:
        while True:
            try:
                positions = await self._reader.last_positions(self._streams)
            except OUTAGES as error:
                log.warning("facts_unavailable", streams=self._streams[0], error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)
            else:
                return {stream: position or await self._end_of(stream) for stream, position in positions.items()}

    async def _end_of(self, stream: str) -> int:
        try:
            return await end_of_stream(self._catch_up, stream)
        except OUTAGES as error:
            log.warning("end_of_facts_unknown", stream=stream, error=f"{type(error).__name__}: {error}")
            return 0

    def _tell(self, fact: Fact) -> None:
        try:
            self._handle(fact)
        except ValidationError as error:
            not_understood(fact, error)


async def end_of_stream(catch_up: CatchUp, stream: str) -> int:
    """Where a stream ends that Redis does not know: it is new, or Redis has lost it and the producer tells.

    Raises what `OUTAGES` lists when the producer cannot be asked.
    """
    position = 0
    while facts := await catch_up(stream, position, PAGE):
        position = facts[-1].position
    return position


def not_understood(fact: Fact, error: ValidationError) -> None:
    """Tell of a fact that has to be passed over; it must not stand in the way of those behind it."""
    log.warning("fact_not_understood", stream=fact.stream, position=fact.position, error=str(error)[:300])


def recent_only(catch_up: CatchUp) -> CatchUp:
    """A catch-up that does not go back to the beginning: for live values, which need no history."""

    async def recent(stream: str, after: int, limit: int) -> list[Fact]:
        return [] if after == 0 else await catch_up(stream, after, limit)

    return recent
