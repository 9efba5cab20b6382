"""The application of the alerts service: what it is made of and how it starts and stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from services.alerts.api import (
    across,
    across_trials,
    alarms,
    floods,
    incidents,
    kpi,
    operations,
    overrides,
    refused,
    rules,
    suppressions,
    trials,
)
from services.alerts.api import baselines as baselines_api
from services.alerts.api.state import State
from services.alerts.conditions import SilenceRule
from services.alerts.engine.across import AcrossShare
from services.alerts.engine.across_book import AcrossBook
from services.alerts.engine.across_missed import MissedByMembers
from services.alerts.engine.across_watch import AcrossWatch
from services.alerts.engine.baselines import BaselineKeeper
from services.alerts.engine.calling import CallWatch
from services.alerts.engine.hiding import HidingWatch
from services.alerts.engine.missed import MissedReadings
from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.read_positions import ReadPositions
from services.alerts.engine.readings import Limits
from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.runner import Runner
from services.alerts.engine.shard import Shard
from services.alerts.engine.silence import RULE_ID, Heard, SilenceWatch
from services.alerts.engine.surroundings import Surroundings
from services.alerts.engine.trials import TrialRunner
from services.alerts.settings import AlertsSettings
from shared import database, http_client
from shared import redis as shared_redis
from shared.ending import end_all
from shared.health import Health
from shared.outbox import OutboxRelay, facts_router, http_catch_up
from shared.streams import FactReader, observation_stream, shard_of
from shared.telemetry import get_logger
from shared.time import utc_now
from shared.web import create_app

log = get_logger(__name__)
SERVICE = "alerts"
DESCRIPTION = "Evaluates rules in event time and runs the life of every alarm."


def build_app(settings: AlertsSettings) -> FastAPI:
    """The application. Nothing is connected to before it starts, and it starts with everything down."""
    owned = settings.owned_shards()
    health = Health(SERVICE, {})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = database.create_engine(settings.database_url.get_secret_value(), SERVICE, settings.database_pool_size)
        redis = shared_redis.create_redis(settings.redis_url.get_secret_value(), SERVICE)
        ingest = http_client.create_client(
            settings.ingest_url, settings.internal_token.get_secret_value(), caller=SERVICE, audience="ingest"
        )
        relay = OutboxRelay(engine, redis, SERVICE, keep=timedelta(days=settings.alerts_fact_days))
        registry = Registry(ingest)
        rulebook = RuleBook(engine, settings.delays)
        limits = Limits(_us(settings.alerts_live_horizon_s), _us(settings.alerts_ahead_s))
        bound = _us(settings.alerts_reorder_bound_s)
        heard = Heard()
        baselines = BaselineKeeper(
            engine,
            ingest,
            registry,
            rulebook,
            owns=lambda station_id: shard_of(station_id, settings.observation_shards) in owned,
            clock=utc_now,
        )
        runner = Runner(
            FactReader(redis, http_catch_up(ingest)),
            [
                Shard(
                    observation_stream(shard),
                    engine,
                    registry,
                    rulebook,
                    limits,
                    bound,
                    settings.habits,
                    baselines.usual,
                    MissedReadings(ingest, registry, rulebook, owns=_of_shard(shard, settings.observation_shards)),
                )
                for shard in owned
            ],
            registry,
            rulebook,
            heard,
            clock=utc_now,
            committed=relay.wake,
            baselines=baselines,
        )
        positions = ReadPositions(engine, ingest, [observation_stream(shard) for shard in owned])
        watch = SilenceWatch(
            engine,
            registry,
            heard,
            fast=SilenceRule(RULE_ID, _us(settings.alerts_silence_s)),
            slow=SilenceRule(RULE_ID, _us(settings.alerts_silence_slow_s)),
            owns=lambda station_id: shard_of(station_id, settings.observation_shards) in owned,
            is_current=runner.is_current,
            clock=utc_now,
            committed=relay.wake,
            colour=settings.alerts_silence_colour,
        )
        across_book = AcrossBook(engine, registry, settings.delays)
        across_watch = AcrossWatch(
            FactReader(redis, http_catch_up(ingest)),
            [
                AcrossShare(
                    f"across.{shard}",
                    engine,
                    registry,
                    across_book,
                    Limits(_us(settings.alerts_across_bound_s), _us(settings.alerts_ahead_s)),
                    settings.observation_shards,
                    owns=partial(_is_of, shard, settings.observation_shards),
                    habits=settings.habits,
                    missed=MissedByMembers(ingest, registry, settings.observation_shards),
                )
                for shard in owned
            ],
            across_book,
            registry,
            ingest,
            clock=utc_now,
            committed=relay.wake,
        )
        calls = CallWatch(engine, clock=utc_now, committed=relay.wake)
        surroundings = Surroundings(
            engine, ingest, registry, owns=lambda park_id: shard_of(park_id, settings.observation_shards) in owned
        )
        hiding = HidingWatch(engine, clock=utc_now, committed=relay.wake)
        health.checks |= {
            "database": lambda: database.ping(engine),
            "redis": lambda: shared_redis.ping(redis),
            "ingest": lambda: http_client.ping(ingest),
            "evaluation": runner.check,
            "across": across_watch.check,
        }
        trial_runner = TrialRunner(engine, ingest, registry, settings.delays, bound, clock=utc_now)
        app.state.alerts = State(settings, engine, relay, registry, ingest, trial_runner)
        log.info("alerts_started", shards=owned, replicas=settings.alerts_replicas)
        tasks = [
            asyncio.create_task(_for_ever("relay", relay.run)),
            asyncio.create_task(_for_ever("read_positions", lambda: positions.run(OUTAGES))),
            asyncio.create_task(_for_ever("trials", trial_runner.run)),
            asyncio.create_task(_for_ever("evaluation", runner.run)),
            asyncio.create_task(_for_ever("baselines", lambda: baselines.run(OUTAGES))),
            asyncio.create_task(_for_ever("across", across_watch.run)),
            asyncio.create_task(_for_ever("silence", lambda: watch.run(OUTAGES))),
            asyncio.create_task(_for_ever("hiding", lambda: hiding.run(OUTAGES))),
            asyncio.create_task(_for_ever("surroundings", lambda: surroundings.run(OUTAGES))),
            asyncio.create_task(_for_ever("calls", lambda: calls.run(OUTAGES))),
        ]
        try:
            yield
        finally:
            await end_all(tasks)
            await runner.stop()
            await across_watch.stop()
            await ingest.aclose()
            await redis.aclose()
            await engine.dispose()

    app = create_app(
        SERVICE,
        "Fenceline alerts",
        DESCRIPTION,
        health,
        lifespan,
        internal_token=settings.internal_token.get_secret_value(),
    )
    app.include_router(alarms.router)
    app.include_router(operations.router)
    app.include_router(suppressions.router)
    app.include_router(incidents.router)
    app.include_router(floods.router)
    app.include_router(rules.router)
    app.include_router(baselines_api.router)
    app.include_router(overrides.router)
    app.include_router(across.router)
    app.include_router(across_trials.router)
    app.include_router(trials.router)
    app.include_router(kpi.router)
    app.include_router(refused.router)
    app.include_router(facts_router(lambda: app.state.alerts.database))
    return app


def _of_shard(shard: int, shards: int) -> Callable[[str], bool]:
    """Whether a station's readings are in the stream of this shard."""
    return lambda station_id: shard_of(station_id, shards) == shard


async def _for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Keep a background task going: an error that nobody foresaw is told, and the work begun again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background_work_failed", work=name)
        await asyncio.sleep(1.0)


def _is_of(shard: int, shards: int, park_id: str) -> bool:
    return shard_of(park_id, shards) == shard


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)
