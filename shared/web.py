"""The one factory of the services' web applications, and how they are run.

Gives each application: problem documents, health paths, metrics of every request, the trace of the caller, a limit on
the size of bodies, and (for all but the gateway) the refusal of callers that are not services of the same installation.
"""

import gc
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.health import Health, health_router
from shared.identity import ACTOR_HEADER, SCHEME, Call, IdentityRefused, IdentitySigner
from shared.problems import TooLarge, Unauthorized, add_problem_handlers, problem_response
from shared.settings import Settings
from shared.telemetry import configure_logging, continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
OPEN_PATHS = ("/health/", "/metrics", "/openapi.json")
MAX_BODY_BYTES = 16 * 1024 * 1024
_BY_PIECES = re.compile(r"(/api/v1)?/parks/[^/]+/uploads/[^/]+")
"""Paths whose bodies are stored while they come in, and bounded by who stores them."""

_REQUESTS = Counter("fenceline_http_requests", "Requests answered", ["service", "method", "route", "status"])
_SECONDS = Histogram(
    "fenceline_http_request_seconds",
    "Time until the answer began",
    ["service", "route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)


def create_app(
    service: str,
    title: str,
    description: str,
    health: Health,
    lifespan: Lifespan,
    *,
    internal_token: str | None,
    version: str = "0.1.0",
    max_body_bytes: int = MAX_BODY_BYTES,
    openapi_url: str = "/openapi.json",
) -> FastAPI:
    """An application of `service`. With `internal_token`, only who signs with it is let in (but to OPEN_PATHS)."""

    @asynccontextmanager
    async def started(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app):
            health.started = True
            yield
            health.draining = True

    app = FastAPI(
        title=title,
        description=description,
        version=version,
        lifespan=started,
        docs_url=None,
        redoc_url=None,
        openapi_url=openapi_url,
    )
    add_problem_handlers(app)
    app.include_router(health_router(health))
    if internal_token is not None:
        app.add_middleware(_InternalOnly, token=internal_token, service=service)
    app.add_middleware(_BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(_Observe, service=service)
    return app


def actor(request: Request) -> str:
    """Who asked, as the gateway names them; `internal` for a service's own calls."""
    return request.headers.get(ACTOR_HEADER, "internal")


def serve(app: FastAPI, service: str, settings: Settings, host: str, port: int) -> None:
    """Run `app` until SIGTERM or SIGINT; requests in flight get some seconds to end."""
    configure_logging(service, settings.log_format, settings.log_level)
    # What is loaded by now stays. A collection looks at what requests made, and not after every thousandth row of one.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )


class _InternalOnly:
    """Lets in only services, by their signed identity; the actor that it names is the one that handlers hear of."""

    def __init__(self, app: ASGIApp, token: str, service: str) -> None:
        self._app = app
        self._service = service
        self._signer = IdentitySigner(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OPEN_PATHS):
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        call = Call(scope["method"], scope["raw_path"], scope["query_string"])
        try:
            identity = self._signer.read(headers.get("authorization", ""), self._service, call, utc_now())
        except IdentityRefused as error:
            log.warning("caller_refused", path=scope["path"], reason=str(error))
            await _for_services_only(scope, receive, send)
            return
        del headers[ACTOR_HEADER]
        if identity.actor is not None:
            headers[ACTOR_HEADER] = identity.actor
        await self._app(scope, receive, send)


async def _for_services_only(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem_response(
        Request(scope),
        Unauthorized.status,
        Unauthorized.slug,
        Unauthorized.title,
        "This address is for Fenceline's own services. Ask the gateway.",
        {"WWW-Authenticate": SCHEME},
    )
    await answer(scope, receive, send)


class _BodyLimit:
    """Refuses a body over the limit: at once where its length is told, else when it gets there."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _BY_PIECES.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdigit() and int(told) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        taken = 0
        answering = False

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise TooLarge(self._detail())
            return message

        async def unless_refused(message: Message) -> None:
            # What reads bodies turns every error of `receive` into a 400; that answer is held back for ours.
            nonlocal answering
            if answering or taken <= self._max_bytes:
                answering = True
                await send(message)

        await self._app(scope, limited, unless_refused)
        if taken > self._max_bytes and not answering:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem_response(Request(scope), TooLarge.status, TooLarge.slug, TooLarge.title, self._detail())
        await answer(scope, receive, send)

    def _detail(self) -> str:
        return f"A body may have at most {self._max_bytes} bytes; send it in parts."


class _Observe:
    """Counts and times requests by route, and joins the caller's trace."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = continue_trace(Headers(scope=scope).get("traceparent"))
        begun = time.perf_counter()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("X-Request-Id", trace_id)
                route = getattr(scope.get("route"), "path", "unmatched")
                _REQUESTS.labels(self._service, scope["method"], route, message["status"]).inc()
                _SECONDS.labels(self._service, route).observe(time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, observed)
