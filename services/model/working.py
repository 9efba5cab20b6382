"""The worker: takes runs from the queue, computes them, stores what came out. Any number may run.

At least once: a job is forgotten only after its result is committed. A worker
that dies leaves its job to another; one run that kills its workers again and again is set aside and marked failed.
Members of an atlas are computed while nothing else waits, and given back as soon as something does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.model import metrics
from services.model.ingest_client import IngestClient, IngestUnavailable
from services.model.runs.compute import RunPlan, compute
from services.model.runs.failure import RunFailure, over_time, worker_failure
from services.model.runs.gather import Limits, Registry, gather
from services.model.runs.progress import Cancelled, Progress, Watch
from services.model.runs.result import RunResult, SourceView, Trigger
from services.model.settings import ModelSettings
from services.model.store import attempts
from services.model.store import registry as registry_store
from services.model.store.attempts import Claimed
from services.model.store.runs import state_of
from services.model.wiring import open_parts
from shared.ending import end_all
from shared.messages import RunRequested, RunState
from shared.outages import DATABASE_OUTAGES
from shared.redis import BLOCK_MS
from shared.streams import Job, WorkQueue
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)

# How long a run waits for ingest before it fails with a problem that says so.
INGEST_PATIENCE_S = 20.0
_RETRY_S = 1.0

# How often a worker looks whether its run is to be stopped, and how often at most it tells how far it is.
_LOOK_S = 0.25
_TELL_S = 1.0

# While an atlas waits, the queue of the other runs is only glanced at.
_GLANCE_MS = 5

# How often a worker touches its file.
_TOUCH_S = 5.0

# How long a stopped computation may take to notice.
_STOPPING_S = 30.0


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
        self._atlas_waits = False

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._next()
            except (*DATABASE_OUTAGES, RedisError) as error:
                log.warning("worker_interrupted", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(_RETRY_S)
            except Exception:
                # The job stays pending and is tried again, a few times: see `model_job_attempts`.
                log.exception("worker_failed")
                await asyncio.sleep(_RETRY_S)

    async def _next(self) -> None:
        try:
            job = await self._queue.take(_GLANCE_MS if self._atlas_waits else BLOCK_MS)
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error), instead="taking runs from the database")
            if not await self._from_database(("manual", "alarm")) and not await self._from_database(("atlas",)):
                await asyncio.sleep(_RETRY_S)
            return
        if job is not None:
            await self._work(job)
        else:
            self._atlas_waits = await self._from_database(("atlas",))

    async def _from_database(self, triggers: Sequence[Trigger]) -> bool:
        """Take the run of these triggers that waits longest; False when none waits."""
        async with self._engine.connect() as connection:
            run_id = await attempts.oldest_waiting(connection, triggers)
        if run_id is not None:
            await self._attempt(run_id, None)
        return run_id is not None

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
            claimed = await attempts.claim(connection, run_id, self._name, now, silent_since)
            state = await state_of(connection, run_id)
        if claimed is None:
            # Another worker has it and is alive: the entry stays pending, and comes back should that one die.
            # One that waits for its like to be computed is answered with it, or put in line again by the sweep.
            if job is not None and state is not RunState.RUNNING:
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
        watch = Watch()
        computing = asyncio.create_task(self._computed(claimed, watch))
        try:
            if await self._stopped_early(claimed, watch, computing):
                watch.stop()
                await self._stopped(claimed, computing)
                return
            source, result = computing.result()
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
        finally:
            watch.stop()
            computing.cancel()
        async with self._engine.begin() as connection:
            ended = await attempts.succeed(connection, claimed, self._name, source, result, self._clock())
        self._count(claimed, ended)
        if ended is RunState.SUCCEEDED:
            metrics.RUN_SECONDS.observe(time.perf_counter() - begun)
            metrics.COMPUTE_SECONDS.observe(result.times.compute_ms / 1000.0)
            log.info("run_succeeded", run_id=str(claimed.id), compute_ms=result.times.compute_ms)

    async def _computed(self, claimed: Claimed, watch: Watch) -> tuple[SourceView, RunResult]:
        plan = await self._gather(claimed, watch)
        return plan.source, await asyncio.to_thread(timed_compute, plan, watch)

    async def _stopped_early(self, claimed: Claimed, watch: Watch, computing: asyncio.Task[Any]) -> bool:
        """Report on the computation until it ends (False), or until it is to be stopped: then store why (True)."""
        until = time.monotonic() + self._settings.model_run_limit_s
        told_at, told = time.monotonic(), watch.told
        while not (await asyncio.wait({computing}, timeout=_LOOK_S))[0]:
            now = time.monotonic()
            aloud = now - told_at >= _TELL_S and watch.told != told
            if aloud:
                told_at, told = now, watch.told
            try:
                if await self._is_to_stop(claimed, watch, now > until, aloud=aloud):
                    return True
            except DATABASE_OUTAGES as error:
                log.warning("report_lost", run_id=str(claimed.id), error=" ".join(str(error).split())[:200])
        return False

    async def _is_to_stop(self, claimed: Claimed, watch: Watch, over_limit: bool, *, aloud: bool) -> bool:
        async with self._engine.begin() as connection:
            orders = await attempts.report(connection, claimed, self._name, watch.told, self._clock(), aloud=aloud)
            if orders is None:
                return True
            if orders.cancel:
                self._count(claimed, await attempts.cancelled(connection, claimed, self._name, self._clock()))
                return True
            if orders.give_way:
                await attempts.put_back(connection, claimed, self._name, self._clock())
                return True
        if over_limit:
            await self._fail(claimed, over_time(self._settings.model_run_limit_s))
        return over_limit

    @staticmethod
    async def _stopped(claimed: Claimed, computing: asyncio.Task[Any]) -> None:
        """Wait until a computation that was told to stop has ended: one worker computes one thing at a time."""
        ended, _ = await asyncio.wait({computing}, timeout=_STOPPING_S)
        if not ended:
            log.error("computation_does_not_stop", run_id=str(claimed.id), waited_s=_STOPPING_S)
        elif (error := computing.exception()) is not None and not isinstance(error, Cancelled):
            log.warning("stopped_computation_failed", run_id=str(claimed.id), error=str(error)[:200])

    @staticmethod
    def _count(claimed: Claimed, ended: RunState | None) -> None:
        if ended is not None:
            metrics.RUNS_FINISHED.labels(ended.value, claimed.trigger).inc()

    async def _gather(self, claimed: Claimed, watch: Watch) -> RunPlan:
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
            watch.check()

    async def _fail(self, claimed: Claimed, document: dict[str, object]) -> None:
        async with self._engine.begin() as connection:
            ended = await attempts.fail(connection, claimed, self._name, document, self._clock())
        self._count(claimed, ended)
        if ended is RunState.FAILED:
            log.warning("run_failed", run_id=str(claimed.id), reason=document["detail"])

    async def _set_aside(self, claimed: Claimed, job: Job | None, deliveries: int) -> None:
        detail = f"{deliveries - 1} attempts did not finish the run; it was set aside. The workers' logs tell more."
        await self._fail(claimed, worker_failure(detail))
        if job is not None:
            await self._queue.bury(job, detail)

    @contextlib.asynccontextmanager
    async def _signs_of_life(self, claimed: Claimed, job: Job | None) -> AsyncIterator[None]:
        """While the block runs, tell the queue that this worker is alive; the database hears it with the progress."""
        if job is None:
            yield
            return

        async def tell() -> None:
            while True:
                await asyncio.sleep(self._settings.model_job_claim_after_s / 3.0)
                try:
                    await self._queue.keep(job)
                except (RedisError, OSError, TimeoutError) as error:
                    log.warning("sign_of_life_lost", run_id=str(claimed.id), error=str(error)[:200])

        task = asyncio.create_task(tell())
        try:
            yield
        finally:
            await end_all((task,))


def timed_compute(plan: RunPlan, progress: Progress | None = None) -> RunResult:
    """Compute, and note how long it took [ms] in the result."""
    begun = time.perf_counter()
    result = compute(plan, progress)
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
        alive = asyncio.create_task(_keep_touching(settings.model_worker_alive_file))
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        await end_all((task, waiting, alive))


async def _keep_touching(path: Path | None) -> None:
    """Show that the event loop turns, as `/health/live` does where there is a port to ask."""
    while path is not None:
        try:
            await asyncio.to_thread(path.touch)
        except OSError as error:
            log.warning("alive_file_not_touched", file=str(path), error=str(error))
        await asyncio.sleep(_TOUCH_S)
