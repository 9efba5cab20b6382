"""The parts that the service and its workers hold: stores, queue, clients. All connect when first used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from services.model.ingest_client import IngestClient
from services.model.queueing import work_queue
from services.model.settings import ModelSettings
from shared.database import create_engine
from shared.http_client import create_client
from shared.redis import create_redis
from shared.streams import WorkQueue


@dataclass(frozen=True, slots=True)
class Parts:
    """Open for as long as the process lives."""

    engine: AsyncEngine
    redis: Redis
    queue: WorkQueue
    ingest_http: httpx.AsyncClient
    ingest: IngestClient
    alerts_http: httpx.AsyncClient


@asynccontextmanager
async def open_parts(settings: ModelSettings, consumer: str, process: str) -> AsyncIterator[Parts]:
    """Make the parts, and close them afterwards. Nothing needs to be up yet."""
    token = settings.internal_token.get_secret_value()
    engine = create_engine(settings.database_url.get_secret_value(), "model", settings.database_pool_size)
    redis = create_redis(settings.redis_url.get_secret_value(), process)
    async with (
        create_client(settings.ingest_url, token, caller="model", audience="ingest") as ingest,
        create_client(settings.alerts_url, token, caller="model", audience="alerts") as alerts,
    ):
        yield Parts(engine, redis, work_queue(redis, consumer, settings), ingest, IngestClient(ingest), alerts)
    await redis.aclose()
    await engine.dispose()
