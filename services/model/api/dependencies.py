"""What a request may use: the parts that the lifespan opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.model.settings import ModelSettings
from services.model.wiring import Parts
from shared.outbox import OutboxRelay


@dataclass(frozen=True, slots=True)
class State:
    """Made by the lifespan, one for each application."""

    settings: ModelSettings
    parts: Parts
    relay: OutboxRelay


async def _state(request: Request) -> State:
    state: State = request.app.state.model
    return state


Uses = Annotated[State, Depends(_state)]
