"""What the handlers need, made once by the application and read from the request."""

from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine.registry import Registry
from services.alerts.engine.trials import TrialRunner
from services.alerts.settings import AlertsSettings
from shared.outbox import OutboxRelay


@dataclass(frozen=True, slots=True)
class State:
    """The service's resources."""

    settings: AlertsSettings
    database: AsyncEngine
    relay: OutboxRelay
    registry: Registry
    ingest: httpx.AsyncClient
    trials: TrialRunner


async def _state(request: Request) -> State:
    state = request.app.state.alerts
    assert isinstance(state, State)
    return state


Resources = Annotated[State, Depends(_state)]
