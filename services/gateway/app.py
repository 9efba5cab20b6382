"""The application: the parts put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.gateway import audit_api, docs, parks, sign_in
from services.gateway.admission import admission
from services.gateway.audit import Audit, Audited
from services.gateway.auth import Principal
from services.gateway.ending import on_stop_signal
from services.gateway.events import api as events_api
from services.gateway.events.live import LiveEvents
from services.gateway.identity_store import IdentityStore
from services.gateway.key_directory import STORE_ERRORS, Directory, KeyDirectory
from services.gateway.openapi import OpenApi
from services.gateway.page import DIST, Page, SecurityHeaders
from services.gateway.providers import Providers
from services.gateway.proxy import forward
from services.gateway.routing import API, ROUTES, Route, Service
from services.gateway.sessions import SessionSigner
from services.gateway.settings import GatewaySettings
from services.gateway.state import Gateway, gateway_of
from services.gateway.store import Store
from services.gateway.subscriptions import api as subscriptions_api
from services.gateway.subscriptions.http import HttpSender
from services.gateway.subscriptions.mail import Mailer
from services.gateway.subscriptions.sending import Sender
from services.gateway.subscriptions.service import Subscriptions
from services.gateway.tenancy import PlainPathsOnly
from shared import database, http_client, redis
from shared.ending import end_all
from shared.health import Health
from shared.park_file import ParkFile
from shared.telemetry import get_logger
from shared.web import create_app

log = get_logger(__name__)
SERVICE = "gateway"
DESCRIPTION = (
    "Early warning of toxic gas for chemical parks. Send an API key as `Authorization: Bearer fl_...`, or a "
    "token of an identity provider that the gateway takes; a key sees the parks that it was made for. Errors are "
    "problem documents (RFC 9457)."
)


def build(settings: GatewaySettings, dist: Path = DIST) -> FastAPI:
    """The gateway with `settings`. Nothing is connected to until it is needed, so everything may still be down."""
    urls = {
        Service.INGEST: settings.ingest_url,
        Service.ALERTS: settings.alerts_url,
        Service.MODEL: settings.model_url,
    }
    token = settings.internal_token.get_secret_value()
    services = {
        service: http_client.create_client(url, token, caller=SERVICE, audience=service)
        for service, url in urls.items()
    }
    engine = database.create_engine(settings.database_url.get_secret_value(), SERVICE, settings.database_pool_size)
    store = Store(engine)
    redis_client = redis.create_redis(settings.redis_url.get_secret_value(), SERVICE)
    audit = Audit(store)
    health = Health(
        SERVICE,
        {
            "database": partial(database.ping, engine),
            "redis": partial(redis.ping, redis_client),
            **{service.value: partial(http_client.ping, client) for service, client in services.items()},
        },
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app.state.gateway):
            yield

    app = create_app(SERVICE, "Fenceline", DESCRIPTION, health, lifespan, internal_token=None, openapi_url="")
    app.state.gateway = Gateway(
        settings=settings,
        engine=engine,
        redis=redis_client,
        services=services,
        keys=KeyDirectory(store),
        members=Directory("member", IdentityStore(engine).by_identity),
        providers=Providers(settings.gateway_oidc),
        sessions=SessionSigner(settings.session_signing_key()),
        audit=audit,
        events=LiveEvents(redis_client, services, settings.observation_shards),
        subscriptions=Subscriptions(engine, redis_client, services, _sender(settings)),
        openapi=OpenApi(services, partial(_own_description, app)),
    )
    app.router.redirect_slashes = False
    _add_routes(app, Page(dist))
    app.add_middleware(Audited, audit=audit)
    app.add_middleware(PlainPathsOnly)
    app.add_middleware(SecurityHeaders)
    return app


def _sender(settings: GatewaySettings) -> Sender:
    return Sender(HttpSender(settings.gateway_subscription_networks), Mailer(settings.mail_server()))


def _add_routes(app: FastAPI, page: Page) -> None:
    own = (
        parks.router,
        sign_in.router,
        events_api.router,
        subscriptions_api.router,
        audit_api.router,
        docs.document_router,
    )
    for router in (*own, _proxied(), docs.index_router, page.router):
        app.include_router(router)
    # Asked last, and only for what no route has: a mount at "/" would take the 405 of every route upon itself.
    app.router.default = page.files


def _proxied() -> APIRouter:
    """A route for each row of the table; not described here, as the services describe them."""
    router = APIRouter(include_in_schema=False)
    for route in ROUTES:
        router.add_api_route(API + route.path, _handler(route), methods=[route.method], response_model=None)
    return router


def _handler(route: Route) -> Callable[..., Awaitable[Response]]:
    admit = Depends(admission(route.required()))

    async def handle(request: Request, who: Principal = admit) -> Response:
        client = gateway_of(request).services[route.service]
        return await forward(client, route.service, route.target(request.path_params), request, who)

    return handle


def _own_description(app: FastAPI) -> dict[str, Any]:
    """The gateway's own routes, with the park file that one of them takes (read from the body by hand)."""
    description = dict(app.openapi())
    schema = ParkFile.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**description.get("components", {}).get("schemas", {}), **schema.pop("$defs", {}), "ParkFile": schema}
    return {**description, "components": {"schemas": schemas}}


@contextlib.asynccontextmanager
async def _running(gateway: Gateway) -> AsyncIterator[None]:
    parts = {
        "events": gateway.events.run,
        "audit": gateway.audit.run,
        "last_used": gateway.keys.keep_last_used,
        "subscriptions": gateway.subscriptions.run,
    }
    tasks = [asyncio.create_task(_kept_running(name, run)) for name, run in parts.items()]
    try:
        with on_stop_signal(gateway.events.hub.end):
            yield
    finally:
        gateway.events.hub.end()
        await end_all(tasks)
        await _close(gateway)


async def _kept_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Outages are the parts' own business; what is left is a fault of ours, told and begun again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("part_failed", part=name)
            await asyncio.sleep(1.0)


async def _close(gateway: Gateway) -> None:
    try:
        await asyncio.wait_for(gateway.audit.flush(), 2.0)
        await asyncio.wait_for(gateway.keys.write_last_used(), 1.0)
    except STORE_ERRORS as error:
        log.warning("not_written_at_end", error=f"{type(error).__name__}: {error}"[:200])
    for client in gateway.services.values():
        await client.aclose()
    await gateway.providers.aclose()
    await gateway.subscriptions.aclose()
    await gateway.redis.aclose()
    await gateway.engine.dispose()
