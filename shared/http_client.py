"""The one factory of HTTP clients between services: time-outs, the internal token, the trace handed on."""

import httpx

from shared.telemetry import traceparent


async def _hand_trace_on(request: httpx.Request) -> None:
    request.headers.setdefault("traceparent", traceparent())


def create_client(base_url: str, internal_token: str, *, timeout_s: float = 5.0) -> httpx.AsyncClient:
    """A client for one service. Connects lazily: it can be made while the service is down."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {internal_token}"},
        timeout=httpx.Timeout(timeout_s, connect=2.0),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
        event_hooks={"request": [_hand_trace_on]},
        trust_env=False,
    )


async def ping(client: httpx.AsyncClient) -> None:
    """Raise unless the service answers; for the readiness path of one that depends on it."""
    (await client.get("/health/live")).raise_for_status()
