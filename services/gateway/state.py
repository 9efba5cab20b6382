"""What the gateway's handlers work with; one object, made with the application."""

from dataclasses import dataclass
from typing import cast

import httpx
from fastapi import Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.audit import Audit
from services.gateway.events.live import LiveEvents
from services.gateway.identities import Member
from services.gateway.key_directory import Directory, KeyDirectory
from services.gateway.openapi import OpenApi
from services.gateway.providers import Providers
from services.gateway.routing import Service
from services.gateway.sessions import SessionSigner
from services.gateway.settings import GatewaySettings
from services.gateway.subscriptions.service import Subscriptions
from services.gateway.tokens import Identity


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: GatewaySettings
    engine: AsyncEngine
    redis: Redis
    services: dict[Service, httpx.AsyncClient]
    keys: KeyDirectory
    members: Directory[Identity, Member]
    providers: Providers
    sessions: SessionSigner
    audit: Audit
    events: LiveEvents
    subscriptions: Subscriptions
    openapi: OpenApi


def gateway_of(request: Request) -> Gateway:
    """The gateway that `request` came to."""
    return cast(Gateway, request.app.state.gateway)
