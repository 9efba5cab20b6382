"""The one factory of HTTP clients between services: time-outs, the signed identity, the trace handed on."""

from collections.abc import Generator

import httpx

from shared.identity import ACTOR_HEADER, Call, IdentitySigner, ServiceIdentity
from shared.telemetry import traceparent
from shared.time import utc_now


class ServiceAuth(httpx.Auth):
    """Signs each request as `caller`, for the service `audience`, in the name that ACTOR_HEADER gives."""

    def __init__(self, internal_token: str, caller: str, audience: str) -> None:
        self._signer = IdentitySigner(internal_token)
        self._caller = caller
        self._audience = audience

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the note; the name goes into it."""
        identity = ServiceIdentity(self._caller, self._audience, request.headers.pop(ACTOR_HEADER, None))
        path, _, query = request.url.raw_path.partition(b"?")
        request.headers["Authorization"] = self._signer.write(identity, Call(request.method, path, query), utc_now())
        yield request


async def _hand_trace_on(request: httpx.Request) -> None:
    request.headers.setdefault("traceparent", traceparent())


def create_client(
    base_url: str, internal_token: str, *, caller: str, audience: str, timeout_s: float = 5.0
) -> httpx.AsyncClient:
    """A client of `caller` for the service `audience`. Connects lazily: it can be made while the service is down."""
    return httpx.AsyncClient(
        base_url=base_url,
        auth=ServiceAuth(internal_token, caller, audience),
        timeout=httpx.Timeout(timeout_s, connect=2.0),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
        event_hooks={"request": [_hand_trace_on]},
        trust_env=False,
    )


async def ping(client: httpx.AsyncClient) -> None:
    """Raise unless the service answers; for the readiness path of one that depends on it."""
    (await client.get("/health/live")).raise_for_status()
