"""The model service as an application: `python -m services.model`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.model import metrics
from services.model.api import atlases, chemicals, outputs, registry, runs, scenarios
from services.model.api.dependencies import State
from services.model.following import AlarmFollower
from services.model.queueing import put_back_neglected
from services.model.settings import ModelSettings
from services.model.store import attempts
from services.model.wiring import Parts, open_parts
from services.model.working import worker_name
from shared import database, http_client, redis
from shared.ending import end_all
from shared.health import Check, Health
from shared.outages import DATABASE_OUTAGES
from shared.outbox import OutboxRelay, facts_router, http_catch_up
from shared.streams import FactReader
from shared.telemetry import get_logger
from shared.time import utc_now
from shared.web import create_app

log = get_logger(__name__)
_SWEEP_S = 3.0


def build_app(settings: ModelSettings) -> FastAPI:
    """The application; needs nothing to be up."""
    health = Health("model", {})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(open_parts(settings, worker_name(), "model"))
            relay = OutboxRelay(parts.engine, parts.redis, "model", keep=timedelta(days=settings.model_fact_days))
            app.state.model = State(settings, parts, relay)
            health.checks.update(_checks(parts))
            await stack.enter_async_context(_background(settings, parts, relay))
            yield

    app = create_app(
        "model",
        "Fenceline model",
        "Dispersion on demand: footprints, exposure of sensitive targets, source tracing.",
        health,
        lifespan,
        internal_token=settings.internal_token.get_secret_value(),
    )
    app.include_router(chemicals.router)
    app.include_router(registry.router)
    app.include_router(runs.router)
    app.include_router(outputs.router)
    app.include_router(scenarios.router)
    app.include_router(atlases.router)
    app.include_router(facts_router(lambda: _engine_of(app)))
    return app


def _engine_of(app: FastAPI) -> AsyncEngine:
    state: State = app.state.model
    return state.parts.engine


def _checks(parts: Parts) -> dict[str, Check]:
    return {
        "database": lambda: database.ping(parts.engine),
        "redis": lambda: redis.ping(parts.redis),
        "ingest": lambda: http_client.ping(parts.ingest_http),
    }


@asynccontextmanager
async def _background(settings: ModelSettings, parts: Parts, relay: OutboxRelay) -> AsyncIterator[None]:
    reader = FactReader(parts.redis, http_catch_up(parts.alerts_http))
    follower = AlarmFollower(parts.engine, reader, parts.queue, settings, wake=relay.wake)
    tasks = [
        asyncio.create_task(relay.run()),
        asyncio.create_task(follower.run()),
        asyncio.create_task(follower.renew_forever()),
        asyncio.create_task(_sweep(settings, parts)),
    ]
    try:
        yield
    finally:
        await end_all(tasks)


async def _sweep(settings: ModelSettings, parts: Parts) -> None:
    """Put neglected runs back in line and count what waits, until cancelled."""
    while True:
        try:
            now = utc_now()
            await put_back_neglected(parts.engine, parts.queue, settings, now)
            async with parts.engine.connect() as connection:
                counts, age = await attempts.census(connection, now)
            for state, count in counts.items():
                metrics.RUNS_UNFINISHED.labels(state).set(count)
            metrics.QUEUE_AGE.set(age)
        except (*DATABASE_OUTAGES, RedisError) as error:
            log.warning("sweep_interrupted", error=" ".join(str(error).split())[:200])
        except Exception:
            log.exception("sweep_failed")
        await asyncio.sleep(_SWEEP_S)
