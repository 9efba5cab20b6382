"""Follows the streams for the rules across stations of this replica's parks, through every outage of what it needs."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import httpx
from redis.exceptions import RedisError

from services.alerts.engine import metrics
from services.alerts.engine.across import AcrossShare
from services.alerts.engine.across_book import AcrossBook
from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.registry import Registry
from services.alerts.store.evaluation import Displaced
from shared.streams import FactReader
from shared.telemetry import get_logger

log = get_logger(__name__)
_IDLE_S = 1.0
_RULES_S = 2.0
_VALUES_S = 1.0
_CHECKPOINT_S = 5.0
_REPORT_S = 60.0
_NOT_READING = 2**63 - 1


class AcrossWatch:
    """One task a share; a share without rules asks now and then whether there are some."""

    def __init__(
        self,
        reader: FactReader,
        shares: list[AcrossShare],
        book: AcrossBook,
        registry: Registry,
        ingest: httpx.AsyncClient,
        *,
        clock: Callable[[], datetime],
        committed: Callable[[], None],
    ) -> None:
        self.shares = shares
        self._reader = reader
        self._book = book
        self._registry = registry
        self._ingest = ingest
        self._clock = clock
        self._committed = committed
        self._trouble = {share.name: "rules across stations: not started" for share in shares}
        self._stored_due: dict[str, float] = {}
        self._report_due: dict[str, float] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_rules())
            for share in self.shares:
                group.create_task(self._follow(share))

    async def turn(self, share: AcrossShare, block_ms: int = 1_000) -> int:
        """Read once for a share and evaluate what came; the number of facts. Raises outages."""
        if not self._registry.version or not self._book.version:
            return 0
        if share.is_idle:
            return 0
        if not share.ready:
            await share.begin()
        streams = share.needed()
        if await share.end_left_over(self._clock()):
            self._committed()
        if not streams:
            if share.positions:
                await self._tell_ingest(share, dict.fromkeys(share.positions, _NOT_READING))
            await share.forget()
            return 0
        if lacking := [stream for stream in streams if stream not in share.positions]:
            await self._begin_streams(share, lacking)
            streams = [stream for stream in streams if stream in share.positions]
        facts = await self._reader.read({stream: share.positions[stream] for stream in streams}, block_ms=block_ms)
        if facts:
            try:
                await share.process(facts, self._clock())
            except Displaced as displaced:
                log.warning("position_moved_elsewhere", detail=str(displaced))
            self._committed()
        for stream, position in share.positions.items():
            metrics.ACROSS_POSITION.labels(share.name, stream).set(position)
        await self._store(share)
        return len(facts)

    async def _begin_streams(self, share: AcrossShare, lacking: list[str]) -> None:
        """From their end on; without Redis, which knows it, those go on that are read already."""
        try:
            await share.begin_streams(await self._reader.last_positions(lacking))
        except RedisError as error:
            if not share.positions:
                raise
            log.warning("across_streams_not_begun", streams=lacking, error=str(error)[:200])

    async def check(self) -> None:
        """For the readiness path: raise with the reason while the evaluation does not go on."""
        for trouble in self._trouble.values():
            raise RuntimeError(trouble)

    async def stop(self) -> None:
        """A last checkpoint of each share, if the database is there."""
        for share in self.shares:
            try:
                await share.write_checkpoint()
            except (*OUTAGES, Displaced) as error:
                log.warning("no_last_checkpoint", share=share.name, error=f"{type(error).__name__}: {error}"[:200])

    async def _follow(self, share: AcrossShare) -> None:
        while True:
            try:
                await self.turn(share)
                if self._registry.version and self._book.version:
                    self._trouble.pop(share.name, None)
            except Exception as error:  # whatever keeps one share, the others go on
                self._trouble[share.name] = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
                foreseen = isinstance(error, (*OUTAGES, Displaced))
                log.warning(
                    "across_interrupted", share=share.name, error=self._trouble[share.name], exc_info=not foreseen
                )
            if not share.ready or share.name in self._trouble:
                await asyncio.sleep(_IDLE_S)

    async def _keep_rules(self) -> None:
        while True:
            try:
                await self._book.refresh()
            except (*OUTAGES, ValueError) as error:  # a rule of a newer version: what is known goes on
                log.warning("across_rules_not_read", error=f"{type(error).__name__}: {error}"[:200])
            await asyncio.sleep(_RULES_S if self._book.version else 0.2)

    async def _store(self, share: AcrossShare) -> None:
        """What is not written at every fact, where it is due."""
        now = asyncio.get_running_loop().time()
        if now >= self._stored_due.get(f"values {share.name}", 0.0):
            self._stored_due[f"values {share.name}"] = now + _VALUES_S
            await share.tell_values()
        if now >= self._stored_due.setdefault(share.name, now + _CHECKPOINT_S):
            self._stored_due[share.name] = now + _CHECKPOINT_S
            await share.write_checkpoint()
            if now >= self._report_due.get(share.name, 0.0):
                self._report_due[share.name] = now + _REPORT_S
                await self._tell_ingest(share, share.positions)

    async def _tell_ingest(self, share: AcrossShare, positions: dict[str, int]) -> None:
        """How far facts are read for good, so that none is forgotten that a restart would read again."""
        answer = await self._ingest.put(f"/facts/readers/alerts-{share.name}", json={"positions": positions})
        answer.raise_for_status()
