"""A gateway on real stores, before three small services on loopback."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.admin import main
from services.gateway.app import build
from services.gateway.auth import ApiKey, KeyRecord
from services.gateway.routing import Service
from services.gateway.scopes import Scope
from services.gateway.settings import GatewaySettings
from services.gateway.state import Gateway
from services.gateway.store import Store
from shared.database import create_engine
from shared.time import utc_now
from tests.gateway.serving import serving
from tests.gateway.upstreams import Upstream

Settings = Callable[..., GatewaySettings]


@pytest.fixture
def upstreams(internal_token: str) -> dict[Service, Upstream]:
    return {service: Upstream(service, internal_token) for service in Service}


@pytest.fixture
async def upstream_urls(upstreams: dict[Service, Upstream]) -> AsyncIterator[dict[str, str]]:
    async with serving(*(upstream.app() for upstream in upstreams.values())) as urls:
        yield {f"{service.value}_url": url for service, url in zip(upstreams, urls, strict=True)}


@pytest.fixture
def settings_of(database_url: str, redis_url: str, internal_token: str, upstream_urls: dict[str, str]) -> Settings:
    """Settings of a gateway before the small services; keywords override."""

    def make(**overrides: Any) -> GatewaySettings:
        given = {
            "database_url": database_url,
            "redis_url": redis_url,
            "internal_token": internal_token,
            "observation_shards": 2,
            "log_format": "console",
            **upstream_urls,
            **overrides,
        }
        return GatewaySettings(**given)

    return make


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    engine = create_engine(database_url, "gateway", pool_size=2)
    yield Store(engine)
    await engine.dispose()


@dataclass
class Keys:
    """Makes keys in the store."""

    store: Store
    made: dict[str, ApiKey] = field(default_factory=dict)

    async def new(
        self,
        *parks: str,
        scopes: Iterable[Scope] = (Scope.READ, Scope.WRITE),
        expires_at: datetime | None = None,
        name: str | None = None,
    ) -> str:
        key = ApiKey.new()
        record = KeyRecord(
            key.prefix,
            name or f"key-{key.prefix}",
            key.digest(),
            frozenset(parks),
            frozenset(scopes),
            utc_now(),
            expires_at,
        )
        assert await self.store.put_key(record)
        return str(key)


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store)


@dataclass
class Door:
    """A running gateway."""

    url: str
    app: FastAPI
    _clients: contextlib.AsyncExitStack

    @property
    def gateway(self) -> Gateway:
        state: Gateway = self.app.state.gateway
        return state

    async def client(self, key: str | None = None, **options: Any) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=10, **options)
        return await self._clients.enter_async_context(client)


@contextlib.asynccontextmanager
async def open_door(settings: GatewaySettings, dist: Path) -> AsyncIterator[Door]:
    app = build(settings, dist)
    # Clients go first: a server that ends waits for them.
    async with serving(app) as [url], contextlib.AsyncExitStack() as clients:
        yield Door(url, app, clients)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return tmp_path / "dist"


@pytest.fixture
async def door(settings_of: Settings, dist: Path) -> AsyncIterator[Door]:
    async with open_door(settings_of(), dist) as door:
        yield door


@dataclass
class Outcome:
    status: int
    out: str
    err: str


Admin = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def admin(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """The command line in a thread of this process: a new process for each call would cost seconds."""

    async def run(*arguments: str, url: str = database_url) -> Outcome:
        monkeypatch.setenv("FENCELINE_DATABASE_URL", url)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = await asyncio.to_thread(_status, list(arguments))
        return Outcome(status, out.getvalue(), err.getvalue())

    return run


def _status(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
