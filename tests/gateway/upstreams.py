"""Small services for the gateway to stand before: real HTTP servers that tell what they were asked."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from services.gateway.routing import ROUTES, Service
from shared.health import Health
from shared.outbox import FactItem, FactPage
from shared.problems import Conflict
from shared.streams import Fact
from shared.web import create_app

PARKS = ("north", "south", "east")


class Name(BaseModel):
    """A schema that every service has."""

    zh: str
    en: str


class Echo(BaseModel):
    """What the service was asked."""

    service: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: str
    name: Name | None = None


class Upstream:
    """One service: answers every route that the gateway has for it, and some that it must not have."""

    def __init__(self, service: Service, token: str) -> None:
        self.service = service
        self.token = token
        self.asked: list[Echo] = []
        self.facts: dict[str, list[Fact]] = defaultdict(list)
        self.facts_asked: list[tuple[str, int]] = []
        self.registry_refuses = False
        self.datastreams: dict[int, str] = {1: "north", 2: "north", 3: "south"}

    def app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield

        name = self.service.value
        app = create_app(name, name, "", Health(name, {}), lifespan, internal_token=self.token)
        for route in ROUTES:
            if route.service is self.service:
                app.add_api_route(route.path, self._echo, methods=[route.method], response_model=Echo)
        app.add_api_route("/facts/{stream}", self._facts, methods=["GET"])
        app.add_api_route("/parks/{park_id}/registry", self._registry, methods=["PUT"])
        if self.service is Service.INGEST:
            app.add_api_route("/parks", self._parks, methods=["GET"])
            app.add_api_route("/datastreams", self._datastreams, methods=["GET"])
            app.add_api_route("/devices/unknown", self._echo, methods=["GET"])
        return app

    async def _echo(self, request: Request) -> Any:
        body = await request.body()
        echo = Echo(
            service=self.service,
            method=request.method,
            path=request.scope["raw_path"].decode(),
            query=request.url.query,
            headers=list(request.headers.items()),
            body=body.decode(errors="replace")[:2000],
        )
        self.asked.append(echo)
        return echo

    async def _facts(self, stream: str, after: int = 0, limit: int = 500) -> FactPage:
        self.facts_asked.append((stream, after))
        found = [fact for fact in self.facts[stream] if fact.position > after][:limit]
        return FactPage(
            items=[FactItem(position=f.position, payload=f.payload.decode(), traceparent=None) for f in found]
        )

    async def _registry(self, park_id: str, request: Request) -> Response:
        self.asked.append(await self._echo(request))
        if self.registry_refuses:
            raise Conflict("not this one")
        return Response(f'{{"taken": "{park_id}"}}', media_type="application/json")

    async def _parks(self, cursor: str | None = None) -> dict[str, Any]:
        """One park a page, so that whoever wants them all has to turn pages."""
        index = PARKS.index(cursor) if cursor else 0
        following = PARKS[index + 1] if index + 1 < len(PARKS) else None
        return {"items": [{"id": PARKS[index], "name": {"zh": "园", "en": "P"}}], "next": following}

    async def _datastreams(self) -> dict[str, Any]:
        return {"items": [{"id": id_, "park_id": park} for id_, park in self.datastreams.items()], "next": None}
