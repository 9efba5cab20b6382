"""Follows the streams of this replica's shards, through every outage of what it needs."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import httpx
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.shard import Shard
from services.alerts.engine.silence import Heard
from services.alerts.store.evaluation import Displaced
from shared.streams import READ_COUNT, Fact, FactReader
from shared.telemetry import continue_trace, get_logger

log = get_logger(__name__)
REGISTRY_STREAM = "registry"
OUTAGES = (DBAPIError, PoolTimeout, RedisError, httpx.HTTPError, OSError, TimeoutError)
"""What passes by itself: wait and try again. Everything else is about the fact that is evaluated."""
_AT_ONCE = 4
_REFRESH_S = 60.0
_RULES_S = 2.0


class Runner:
    """Reads facts and hands them to the shards. `trouble` says what keeps it from that, None when it goes on."""

    def __init__(
        self,
        reader: FactReader,
        shards: list[Shard],
        registry: Registry,
        rulebook: RuleBook,
        heard: Heard,
        *,
        clock: Callable[[], datetime],
        committed: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._shards = {shard.stream: shard for shard in shards}
        self._registry = registry
        self._rulebook = rulebook
        self._heard = heard
        self._clock = clock
        self._committed = committed
        self._registry_position: int | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._last_complete = float("-inf")
        self.trouble: str | None = "not started"

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = 0.1
        while True:
            try:
                await self.prepare()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._keep_fresh())
                    await self._follow_until_trouble()
            except* OUTAGES as errors:
                self.trouble = _words(errors)
                log.warning("evaluation_interrupted", error=self.trouble)
            pause = 0.1 if self.is_current(5.0) else min(pause * 2, 2.0)
            await asyncio.sleep(pause)

    def is_current(self, within_s: float = 10.0) -> bool:
        """Whether all that was there to read was evaluated within the last seconds."""
        return asyncio.get_running_loop().time() - self._last_complete < within_s

    async def check(self) -> None:
        """For the readiness path: raise with the reason while the evaluation does not go on."""
        if self.trouble is not None and not self.is_current():
            raise RuntimeError(self.trouble)

    async def prepare(self) -> None:
        """Take up positions, rules and registry; raises while something that is needed is down."""
        for shard in self._shards.values():
            await shard.begin()
        await self._rulebook.refresh()
        if self._registry_position is None:
            # From here on changes are told; what was before is in the snapshot that follows.
            self._registry_position = await self._end_of_registry()
        await self._registry.refresh_if_possible()

    async def _end_of_registry(self) -> int:
        try:
            return (await self._reader.last_positions([REGISTRY_STREAM]))[REGISTRY_STREAM]
        except RedisError:
            return 0  # all changes so far are read again from ingest: one refresh too many does no harm

    async def _follow_until_trouble(self) -> None:
        while True:
            await self.turn()

    async def turn(self, block_ms: int = 1_000) -> int:
        """Read once and evaluate what came; the number of facts. Raises an outage after all shards had their turn."""
        positions = {stream: shard.position for stream, shard in self._shards.items()}
        if self._registry_position is not None:
            positions[REGISTRY_STREAM] = self._registry_position
        facts = await self._reader.read(positions, block_ms=block_ms)
        by_stream: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            by_stream[fact.stream].append(fact)
        await self._note_registry(by_stream.pop(REGISTRY_STREAM, []))
        outcomes = await asyncio.gather(
            *(self._evaluate(self._shards[stream], found) for stream, found in by_stream.items()),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if all(len(found) < READ_COUNT for found in by_stream.values()):
            self._last_complete = asyncio.get_running_loop().time()
            self.trouble = None
        return len(facts)

    async def _note_registry(self, facts: list[Fact]) -> None:
        if facts:
            await self._registry.refresh_if_possible()
            self._registry_position = facts[-1].position

    async def _evaluate(self, shard: Shard, facts: list[Fact]) -> None:
        async with self._slots:
            continue_trace(facts[0].traceparent)
            try:
                await self._process(shard, facts)
            except Displaced as displaced:
                log.warning("position_moved_elsewhere", detail=str(displaced))
                await shard.begin()

    async def _process(self, shard: Shard, facts: list[Fact]) -> None:
        try:
            readings = await shard.process(facts, self._clock())
        except Exception as error:
            if isinstance(error, Displaced) or _is_outage(error):
                raise
            await self._find_culprit(shard, facts, error)
            return
        self._heard.note(readings.heard, await self._registry.known(()))
        self._committed()

    async def _find_culprit(self, shard: Shard, facts: list[Fact], error: Exception) -> None:
        """One of the facts cannot be used. Alone it is set aside; among others each is tried by itself."""
        if len(facts) == 1:
            log.error("fact_refused", stream=shard.stream, position=facts[0].position, exc_info=error)
            await shard.refuse(facts[0], f"{type(error).__name__}: {error}")
            return
        for fact in facts:
            await self._process(shard, [fact])

    async def _keep_fresh(self) -> None:
        """Ask for changed rules often and for the whole registry now and then, should its fact have been missed."""
        clock = asyncio.get_running_loop().time
        refreshed = clock()
        while True:
            await asyncio.sleep(_RULES_S)
            await self._rulebook.refresh()
            if self._registry.stale or clock() - refreshed > _REFRESH_S:
                await self._registry.refresh_if_possible()
                refreshed = clock()


def _is_outage(error: Exception) -> bool:
    """Whether waiting helps. Data that the database refuses (SQLSTATE class 22) will be refused again."""
    refused = isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", "")).startswith("22")
    return isinstance(error, OUTAGES) and not refused


def _words(errors: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type(first).__name__}: {' '.join(str(first).split())}"[:300]
