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
"""At most, from one turn to the next: an evaluation costs much the same for ten readings as for a thousand."""
_BUSY_BLOCK_MS = 5
"""While shards write: then their streams are to be read again soon."""


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
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._complete = dict.fromkeys([*self._shards, REGISTRY_STREAM], float("-inf"))
        """When all that was there of a stream was last evaluated."""
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
        return asyncio.get_running_loop().time() - min(self._complete.values()) < within_s

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
        for stream, shard in self._shards.items():
            if stream not in self._busy and not shard.ready:
                await shard.begin()

    async def _end_of_registry(self) -> int:
        try:
            return (await self._reader.last_positions([REGISTRY_STREAM]))[REGISTRY_STREAM]
        except RedisError:
            return 0  # all changes so far are read again from ingest: one refresh too many does no harm

    async def _follow_until_trouble(self) -> None:
        """A shard that writes what its readings did is left to it, and the others go on meanwhile."""
        clock = asyncio.get_running_loop().time
        try:
            while True:
                found = await self._start(_BUSY_BLOCK_MS if self._busy else 1_000)
                begun = clock()
                await self._collect(_REST_S)
                took = clock() - begun
                if found < READ_COUNT:
                    await asyncio.sleep(max(0.0, min(_REST_S - took, 2 * took)))
        finally:
            await self._give_up()

    async def turn(self, block_ms: int = 1_000) -> int:
        """Read once and evaluate what came; the number of facts. Raises an outage after all shards had their turn."""
        try:
            found = await self._start(block_ms)
            await self._collect(None)
        finally:
            await self._give_up()
        return found

    async def _start(self, block_ms: int) -> int:
        """Read the streams of the shards that are free, and let them begin with what came; the number of facts."""
        await self._begin()
        free = [stream for stream in self._shards if stream not in self._busy]
        positions = {stream: self._shards[stream].position for stream in free}
        if self._registry_position is not None:
            positions[REGISTRY_STREAM] = self._registry_position
        facts = await self._reader.read(positions, block_ms=block_ms)
        by_stream: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            by_stream[fact.stream].append(fact)
        await self._note_registry(by_stream.pop(REGISTRY_STREAM, []))
        now = asyncio.get_running_loop().time()
        self._complete |= {stream: now for stream in (*free, REGISTRY_STREAM) if stream not in by_stream}
        for stream, found in by_stream.items():
            self._busy[stream] = asyncio.create_task(self._evaluate(self._shards[stream], found))
        return len(facts)

    async def _collect(self, timeout_s: float | None) -> None:
        """Wait for the shards that are busy, but no longer than that; raise what one of them failed with."""
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=timeout_s)
        ended = [task for task in self._busy.values() if task.done()]
        self._busy = {stream: task for stream, task in self._busy.items() if not task.done()}
        for error in [task.exception() for task in ended]:
            if error is not None:
                raise error
        self.trouble = None

    async def _give_up(self) -> None:
        """Whoever is busy still is stopped: it has committed what it did, or begins anew from what is stored."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._busy = {}

    async def _note_registry(self, facts: list[Fact]) -> None:
        if facts:
            await self._registry.refresh_if_possible()
            self._registry_position = facts[-1].position

    async def _evaluate(self, shard: Shard, facts: list[Fact]) -> None:
        before = shard.applied
        async with self._slots:
            continue_trace(facts[0].traceparent)
            try:
                heard = await shard.process(facts, self._clock())
            except Displaced as displaced:
                log.warning("position_moved_elsewhere", detail=str(displaced))
                return
        self._heard.note(heard, await self._registry.known(()))
        if len(facts) < READ_COUNT:
            self._complete[shard.stream] = asyncio.get_running_loop().time()
        if shard.applied != before:
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
