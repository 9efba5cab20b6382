"""Putting runs in line. The row in the database is the promise; the entry in Redis only makes it quick."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.model import metrics
from services.model.settings import ModelSettings
from services.model.store import attempts
from shared.messages import RunRequested
from shared.streams import WorkQueue
from shared.telemetry import get_logger, traceparent

log = get_logger(__name__)
QUEUE = "runs"

# A run that nobody took for so long is put in line again: Redis may have lost the entry.
_WAITING_TOO_LONG = timedelta(seconds=10)


def work_queue(redis: Redis, consumer: str, settings: ModelSettings) -> WorkQueue:
    """The queue of runs, as seen by one consumer."""
    return WorkQueue(redis, QUEUE, consumer, int(settings.model_job_claim_after_s * 1000))


async def ring(queue: WorkQueue, run_id: UUID, park_id: str) -> None:
    """Tell the workers of a committed run. With Redis down nothing is lost: `put_back_neglected` comes by."""
    try:
        await queue.put(RunRequested(run_id=run_id, park_id=park_id).encode(), traceparent())
    except RedisError as error:
        log.warning("redis_unavailable", error=str(error), run_id=str(run_id), instead="the run waits in the database")


async def put_back_neglected(engine: AsyncEngine, queue: WorkQueue, settings: ModelSettings, now: datetime) -> int:
    """Put runs in line again that nobody took or whose worker went silent; returns how many."""
    silence = timedelta(seconds=3.0 * settings.model_job_claim_after_s)
    async with engine.begin() as connection:
        found = await attempts.neglected(connection, now, now - _WAITING_TOO_LONG, now - silence)
    for run_id, park_id in found:
        await ring(queue, run_id, park_id)
    metrics.RUNS_TAKEN_OVER.inc(len(found))
    return len(found)
