"""What a running ingest process holds; handlers get it from the request."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.archive.replaying import Replays
from services.ingest.commands.dispatcher import Dispatcher
from services.ingest.exporting.sending import Exports
from services.ingest.intake.idempotency import Idempotency
from services.ingest.intake.judge import Judge
from services.ingest.intake.limits import CallerLimits
from services.ingest.intake.uploads import Uploads
from services.ingest.mqtt.messages import Messages
from services.ingest.questions.newest import Newest
from services.ingest.registry.live import Registry
from services.ingest.stations.server import StationServer
from services.ingest.writing.writer import Writer
from shared.outbox import OutboxRelay


@dataclass(frozen=True, slots=True)
class State:
    """The parts of one process."""

    engine: AsyncEngine
    redis: Redis
    registry: Registry
    writer: Writer
    newest: Newest = field(kw_only=True)
    relay: OutboxRelay
    server: StationServer
    commands: Dispatcher = field(kw_only=True)
    judge: Judge = field(kw_only=True)
    callers: CallerLimits = field(kw_only=True)
    idempotency: Idempotency = field(kw_only=True)
    uploads: Uploads = field(kw_only=True)
    valid_share: float
    replays: Replays
    questions: AsyncEngine
    messages: Messages | None = field(default=None, kw_only=True)
    exports: Exports = field(default_factory=Exports, kw_only=True)


async def state_of(request: Request) -> State:
    """A dependency of handlers."""
    state: State = request.app.state.ingest
    return state


Ingest = Annotated[State, Depends(state_of)]
"""The state, as handlers ask for it."""
