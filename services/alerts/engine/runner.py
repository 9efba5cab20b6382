"""Follows the streams of this replica's shards, through every outage of what it needs."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from redis.exceptions import RedisError

from services.alerts.engine.baselines import BaselineKeeper
from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.shard import Shard
from services.alerts.engine.silence import Heard
from services.alerts.store.evaluation import Displaced
from shared.streams import READ_COUNT, Fact, FactReader
from shared.telemetry import continue_trace, get_logger

log = get_logger(__name__)
REGISTRY_STREAM = "registry"
_AT_ONCE = 4
_REFRESH_S = 60.0
_RULES_S = 2.0
_VALUES_S = 1.0
_CHECKPOINT_S = 5.0
_SHARE = 0.02
"""Of the time that checkpoints may take at most: where there is much to write, they are written less often."""
_STOP_S = 5.0
_REST_S = 0.01
"""At most, between two turns: an evaluation costs much the same for ten readings as for a thousand."""


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
        baselines: BaselineKeeper | None = None,
    ) -> None:
        self._reader = reader
        self._shards = {shard.stream: shard for shard in shards}
        self._registry = registry
        self._rulebook = rulebook
        self._heard = heard
        self._clock = clock
        self._committed = committed
        self._baselines = baselines
        self._registry_position: int | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._last_complete = float("-inf")
        self._last_turn_s = 0.0
        self._checkpoint_due: dict[str, float] = {}
        self.trouble: str | None = "not started"

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = 0.1
        while True:
            try:
                await self.prepare()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._keep_fresh())
                    group.create_task(self._keep_stored())
                    await self._follow_until_trouble()
            except* OUTAGES as errors:
                self.trouble = _words(errors)
                log.warning("evaluation_interrupted", error=self.trouble)
            # A cancellation that comes together with an error of the connection being made is lost on the way.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError
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
        """Take up rules, registry and what is stored of the shards; raises while something that is needed is down."""
        await self._rulebook.refresh()
        if self._registry_position is None:
            # From here on changes are told; what was before is in the snapshot that follows.
            self._registry_position = await self._end_of_registry()
        await self._registry.refresh_if_possible()
        if self._baselines is not None:
            await self._baselines.load()
        await self._begin()

    async def _begin(self) -> None:
        for shard in self._shards.values():
            if not shard.ready:
                await shard.begin()

    async def _end_of_registry(self) -> int:
        try:
            return (await self._reader.last_positions([REGISTRY_STREAM]))[REGISTRY_STREAM]
        except RedisError:
            return 0  # all changes so far are read again from ingest: one refresh too many does no harm

    async def _follow_until_trouble(self) -> None:
        while True:
            found = await self.turn()
            if found < READ_COUNT:
                await asyncio.sleep(min(_REST_S, 2 * self._last_turn_s))

    async def turn(self, block_ms: int = 1_000) -> int:
        """Read once and evaluate what came; the number of facts. Raises an outage after all shards had their turn."""
        await self._begin()
        positions = {stream: shard.position for stream, shard in self._shards.items()}
        if self._registry_position is not None:
            positions[REGISTRY_STREAM] = self._registry_position
        facts = await self._reader.read(positions, block_ms=block_ms)
        begun = asyncio.get_running_loop().time()
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
        self._last_turn_s = asyncio.get_running_loop().time() - begun
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
                heard = await shard.process(facts, self._clock())
            except Displaced as displaced:
                log.warning("position_moved_elsewhere", detail=str(displaced))
                return
        self._heard.note(heard, await self._registry.known(()))
        self._committed()

    async def store(self, *, at_once: bool = False) -> None:
        """Write what is not written at every fact: values of standing alarms, and checkpoints, where they are due."""
        clock = asyncio.get_running_loop().time
        for stream, shard in self._shards.items():
            await shard.tell_values()
            begun = clock()
            if at_once or begun >= self._checkpoint_due.setdefault(stream, begun + _CHECKPOINT_S):
                await shard.write_checkpoint()
                self._checkpoint_due[stream] = clock() + max(_CHECKPOINT_S, (clock() - begun) / _SHARE)

    async def stop(self) -> None:
        """A last checkpoint, if that is quickly done, so that the next start has little to evaluate again."""
        try:
            async with asyncio.timeout(_STOP_S):
                await self.store(at_once=True)
        except OUTAGES as error:
            log.warning("no_last_checkpoint", error=f"{type(error).__name__}: {error}"[:200])

    async def _keep_stored(self) -> None:
        while True:
            await asyncio.sleep(_VALUES_S)
            await self.store()

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


def _words(errors: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type(first).__name__}: {' '.join(str(first).split())}"[:300]
