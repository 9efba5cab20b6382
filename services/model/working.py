"""The worker: takes runs from the queue, computes them, stores what came out. Any number may run.

At least once: a job is forgotten only after its result is committed. A worker
that dies leaves its job to another; one run that kills its workers again and again is set aside and marked failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.model import metrics
from services.model.ingest_client import IngestClient, IngestUnavailable
from services.model.runs.compute import RunPlan, compute
from services.model.runs.failure import RunFailure, worker_failure
from services.model.runs.gather import Limits, Registry, gather
from services.model.runs.result import RunResult
from services.model.settings import ModelSettings
from services.model.stopping import stop
from services.model.store import registry as registry_store
from services.model.store import runs as run_store
from services.model.store.runs import Claimed
from services.model.wiring import open_parts
from shared.messages import RunRequested
from shared.streams import Job, WorkQueue
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)

# How long a run waits for ingest before it fails with a problem that says so.
INGEST_PATIENCE_S = 20.0
_RETRY_S = 1.0


class Worker:
    """Takes one run after the other until it is cancelled; survives outages of database, Redis and ingest."""

    def __init__(
        self,
        engine: AsyncEngine,
        queue: WorkQueue,
        ingest: IngestClient,
        settings: ModelSettings,
        name: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        ingest_patience_s: float = INGEST_PATIENCE_S,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._ingest = ingest
        self._settings = settings
        self._name = name
        self._clock = clock
        self._patience_s = ingest_patience_s

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._next()
            except (RedisError, DBAPIError, OSError, TimeoutError) as error:
                log.warning("worker_interrupted", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(_RETRY_S)
            except Exception:
                # The job stays pending and is tried again, a few times: see `model_job_attempts`.
                log.exception("worker_failed")
                await asyncio.sleep(_RETRY_S)

    async def _next(self) -> None:
        try:
            job = await self._queue.take()
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error), instead="taking runs from the database")
            await self._from_database()
            return
        if job is not None:
            await self._work(job)

    async def _from_database(self) -> None:
        """While Redis is down, take the run that waits longest."""
        async with self._engine.connect() as connection:
            run_id = await run_store.oldest_waiting(connection)
        if run_id is None:
            await asyncio.sleep(_RETRY_S)
            return
        await self._attempt(run_id, None)

    async def _work(self, job: Job) -> None:
        continue_trace(job.traceparent)
        try:
            request = RunRequested.decode(job.payload)
        except ValueError as error:
            log.warning("job_unreadable", job=job.id.decode(), error=str(error)[:200])
            await self._queue.bury(job, "unreadable")
            return
        await self._attempt(request.run_id, job)

    async def _attempt(self, run_id: UUID, job: Job | None) -> None:
        now = self._clock()
        silent_since = now - timedelta(seconds=0.8 * self._settings.model_job_claim_after_s)
        async with self._engine.begin() as connection:
            claimed = await run_store.claim(connection, run_id, self._name, now, silent_since)
            ended = True if claimed else await run_store.finished(connection, run_id)
        if claimed is None:
            # Another worker has it and is alive: the entry stays pending, and comes back should that one die.
            if job is not None and ended is not False:
                await self._queue.done(job)
            return
        deliveries = max(claimed.attempts, job.deliveries if job else 0)
        if deliveries > self._settings.model_job_attempts:
            await self._set_aside(claimed, job, deliveries)
            return
        async with self._signs_of_life(claimed, job):
            await self._compute_and_store(claimed)
        if job is not None:
            await self._queue.done(job)

    async def _compute_and_store(self, claimed: Claimed) -> None:
        begun = time.perf_counter()
        try:
            plan = await self._gather(claimed)
            result = await asyncio.to_thread(timed_compute, plan)
        except RunFailure as failure:
            await self._fail(claimed, failure.document)
            return
        except ValueError as error:
            refused = RunFailure(
                "engine-refused",
                "The engine refused the inputs",
                f"The engine refused the inputs: {error}.",
                f"模型拒绝了输入：{error}。",
            )
            await self._fail(claimed, refused.document)
            return
        async with self._engine.begin() as connection:
            stored = await run_store.succeed(connection, claimed, self._name, plan.source, result, self._clock())
        if stored:
            metrics.RUNS_FINISHED.labels("succeeded", claimed.trigger).inc()
            metrics.RUN_SECONDS.observe(time.perf_counter() - begun)
            metrics.COMPUTE_SECONDS.observe(result.times.compute_ms / 1000.0)
            log.info("run_succeeded", run_id=str(claimed.id), compute_ms=result.times.compute_ms)

    async def _gather(self, claimed: Claimed) -> RunPlan:
        """Gather the run's inputs, waiting a while for an ingest that does not answer."""
        async with self._engine.connect() as connection:
            registry = Registry(
                await registry_store.risk_sources(connection, claimed.park_id),
                await registry_store.receptors(connection, claimed.park_id),
            )
        limits = Limits(self._settings.model_met_stale_s, self._settings.model_met_refuse_s)
        until = time.monotonic() + self._patience_s
        while True:
            try:
                return await gather(claimed.park_id, claimed.inputs, registry, self._ingest, self._clock(), limits)
            except IngestUnavailable as error:
                if time.monotonic() > until:
                    raise RunFailure(
                        "ingest-unavailable",
                        "Ingest does not answer",
                        f"The run needs readings or weather, but {error}. Ask again, or give them in the request.",
                        "计算需要监测读数或气象数据，但数据接入服务没有响应；请稍后重试，或在请求中给出。",
                        status=503,
                    ) from error
            await asyncio.sleep(_RETRY_S)

    async def _fail(self, claimed: Claimed, document: dict[str, object]) -> None:
        async with self._engine.begin() as connection:
            stored = await run_store.fail(connection, claimed, self._name, document, self._clock())
        if stored:
            metrics.RUNS_FINISHED.labels("failed", claimed.trigger).inc()
            log.warning("run_failed", run_id=str(claimed.id), reason=document["detail"])

    async def _set_aside(self, claimed: Claimed, job: Job | None, deliveries: int) -> None:
        detail = f"{deliveries - 1} attempts did not finish the run; it was set aside. The workers' logs tell more."
        await self._fail(claimed, worker_failure(detail))
        if job is not None:
            await self._queue.bury(job, detail)

    @contextlib.asynccontextmanager
    async def _signs_of_life(self, claimed: Claimed, job: Job | None) -> AsyncIterator[None]:
        """While the block runs, tell queue and database that this worker is alive."""

        async def tell() -> None:
            while True:
                await asyncio.sleep(self._settings.model_job_claim_after_s / 3.0)
                try:
                    if job is not None:
                        await self._queue.keep(job)
                    async with self._engine.begin() as connection:
                        await run_store.seen(connection, claimed.id, self._name, self._clock())
                except (RedisError, DBAPIError, OSError, TimeoutError) as error:
                    log.warning("sign_of_life_lost", run_id=str(claimed.id), error=str(error)[:200])

        task = asyncio.create_task(tell())
        try:
            yield
        finally:
            await stop((task,))


def timed_compute(plan: RunPlan) -> RunResult:
    """Compute, and note how long it took [ms] in the result."""
    begun = time.perf_counter()
    result = compute(plan)
    result.times.compute_ms = round(1000.0 * (time.perf_counter() - begun), 1)
    return result


def worker_name() -> str:
    """A name that no other worker has, on any host, at any time."""
    return f"{socket.gethostname()}-{os.getpid()}-{time.time_ns():x}"


async def work(settings: ModelSettings) -> None:
    """Run one worker until SIGTERM or SIGINT. A run in hand is given up: another worker takes it, or this one later."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    name = worker_name()
    async with open_parts(settings, name, "model-worker") as parts:
        log.info("worker_started", worker=name)
        task = asyncio.create_task(Worker(parts.engine, parts.queue, parts.ingest, settings, name).run())
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        await stop((task, waiting))
