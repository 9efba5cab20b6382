"""The ingest application: its parts, started and stopped together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from services.ingest.api import ROUTERS
from services.ingest.archive.replaying import Replays
from services.ingest.commands import parts as command_parts
from services.ingest.corrections.stuck import StuckReadings
from services.ingest.intake.idempotency import Idempotency
from services.ingest.intake.judge import Judge
from services.ingest.intake.limits import CallerLimits
from services.ingest.intake.upload_store import UploadStore
from services.ingest.intake.uploads import Uploads
from services.ingest.mqtt.messages import Messages
from services.ingest.mqtt.subscriber import Subscriber
from services.ingest.mqtt.templates import read_templates
from services.ingest.questions.newest import Newest
from services.ingest.registry.live import Registry
from services.ingest.registry.silence import SilenceWatch
from services.ingest.rolling_up import RollUps
from services.ingest.settings import IngestSettings
from services.ingest.state import State
from services.ingest.stations.limits import ServerLimits
from services.ingest.stations.server import StationServer
from services.ingest.upkeep import Upkeep
from services.ingest.writing.announcement import renewed
from services.ingest.writing.store import Connection
from services.ingest.writing.writer import Writer
from shared import database
from shared import redis as shared_redis
from shared.ending import end_all
from shared.fact_readers import readers_router
from shared.health import Health
from shared.outbox import OutboxRelay, facts_router
from shared.streams import observation_stream
from shared.telemetry import get_logger
from shared.web import create_app

log = get_logger(__name__)
SERVICE = "ingest"
DRAIN_S = 3.0


def build_state(settings: IngestSettings) -> State:
    """The parts of a process; none of them has connected yet."""
    database_url = settings.database_url.get_secret_value()
    engine = database.create_engine(database_url, SERVICE, settings.database_pool_size)
    questions = database.create_engine(
        database_url, SERVICE, settings.ingest_question_connections, round(1000 * settings.ingest_question_timeout_s)
    )
    redis = shared_redis.create_redis(settings.redis_url.get_secret_value(), SERVICE)
    registry = Registry(engine, redis, settings.observation_shards)
    relay = OutboxRelay(engine, redis, SERVICE, keep=timedelta(days=settings.ingest_fact_days), waits_for_readers=True)

    async def connect() -> Connection:
        return await database.connect(database_url, SERVICE)

    writer = Writer(
        connect,
        batch_rows=settings.ingest_batch_rows,
        batch_wait_s=settings.ingest_batch_wait_s,
        queue_rows=settings.ingest_queue_rows,
        lanes=settings.ingest_writer_lanes,
    )
    writer.on_commit = relay.wake
    newest = Newest(engine, redis, [observation_stream(shard) for shard in range(settings.observation_shards)])
    writer.on_stored = newest.note
    clock_ahead = timedelta(seconds=settings.ingest_clock_ahead_s)
    late = timedelta(days=settings.ingest_late_days)
    limits = ServerLimits(
        max_connections=settings.ingest_max_connections,
        max_connections_per_address=settings.ingest_max_connections_per_address,
        idle_timeout_s=settings.ingest_idle_timeout_s,
        half_frame_timeout_s=settings.ingest_half_frame_timeout_s,
        send_timeout_s=settings.ingest_send_timeout_s,
        clock_ahead=clock_ahead,
        bytes_per_s=settings.ingest_bytes_per_s,
        burst_bytes=settings.ingest_burst_bytes,
        late=late,
        clock_skew=timedelta(seconds=settings.ingest_clock_skew_s),
    )
    server = StationServer(settings.ingest_hj212_host, settings.ingest_hj212_port, registry.device, writer, limits)
    judge = Judge(registry, ahead=clock_ahead, late=late)
    replays = Replays(engine, registry, writer, ahead=clock_ahead, late=late)
    commands = command_parts.dispatcher(engine, server.links, registry.device, settings, relay.wake)
    return State(
        engine,
        redis,
        registry,
        writer,
        relay,
        server,
        settings.ingest_valid_share,
        replays,
        judge=judge,
        questions=questions,
        newest=newest,
        commands=commands,
        callers=CallerLimits(settings.ingest_caller_rows_per_s, settings.ingest_caller_burst_rows),
        idempotency=Idempotency(engine),
        messages=_messages(settings, registry, judge, writer),
        uploads=Uploads(UploadStore(engine), judge, writer, max_bytes=settings.ingest_upload_bytes),
    )


def _messages(settings: IngestSettings, registry: Registry, judge: Judge, writer: Writer) -> Messages | None:
    """What MQTT messages say, where there are templates."""
    if settings.ingest_mqtt_templates is None:
        return None
    return Messages(
        read_templates(settings.ingest_mqtt_templates),
        registry,
        judge,
        writer,
        max_bytes=settings.ingest_mqtt_message_bytes,
    )


def build_app(settings: IngestSettings) -> FastAPI:
    """The application. Starts while database and Redis are down; /health/ready tells."""
    state = build_state(settings)
    health = Health(
        SERVICE,
        {
            "database": lambda: database.ping(state.engine),
            "redis": lambda: shared_redis.ping(state.redis),
            "registry": state.registry.check,
            "writer": state.writer.check,
            "stations": state.server.check,
        },
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.ingest = state
        await state.server.start()
        parts = {
            "registry": state.registry.run(),
            "writer": state.writer.run(),
            "relay": state.relay.run(),
            "newest": state.newest.run(),
            "session_counters": state.server.counters.run(state.engine),
            "clocks": state.server.clocks.run(state.engine),
            "upkeep": Upkeep(state.engine).run(),
            "commands": state.commands.run(),
            "gaps": command_parts.gap_filling(
                state.engine, state.server.links, state.registry.device, state.commands, settings
            ).run(),
            "roll_ups": RollUps(state.engine).run(),
            "replays": state.replays.run(),
            "silence": SilenceWatch(
                state.engine, state.relay.wake, after=timedelta(seconds=settings.ingest_silent_after_s)
            ).run(),
        }
        if settings.ingest_stuck_after_s is not None:
            stuck_after = timedelta(seconds=settings.ingest_stuck_after_s)
            parts["stuck_readings"] = StuckReadings(state.engine, stuck_after).run()
        if settings.ingest_mqtt_url is not None and state.messages is not None:
            parts["mqtt"] = Subscriber(settings, state.messages, state.engine).run()
        tasks = [asyncio.create_task(_forever(name, part)) for name, part in parts.items()]
        tasks.append(asyncio.create_task(_listen(state)))
        try:
            yield
        finally:
            await _stop(state, tasks)

    app = create_app(
        SERVICE,
        "Fenceline ingest",
        "Takes readings in over HJ 212 and HTTP, stores them, and answers every question about them.",
        health,
        lifespan,
        internal_token=settings.internal_token.get_secret_value(),
    )
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(readers_router(lambda: state.engine))
    app.include_router(facts_router(lambda: state.engine, renewed))
    return app


async def _listen(state: State) -> None:
    """Stations are let in once it is known who they are."""
    await state.registry.loaded.wait()
    await state.server.listen()


async def _forever(name: str, part: Coroutine[Any, Any, None]) -> None:
    """A part that ends by an error that it does not know ends the process: the supervisor starts a clean one."""
    try:
        await part
    except Exception:
        log.exception("part_failed", part=name)
        asyncio.get_running_loop().call_soon(_exit)


def _exit() -> None:
    raise SystemExit(1)


async def _stop(state: State, tasks: list[asyncio.Task[None]]) -> None:
    await state.server.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await state.writer.drained()
    await end_all(tasks)
    await state.redis.aclose()
    await state.questions.dispose()
    await state.engine.dispose()
