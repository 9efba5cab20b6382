"""Hands a request on to a service and its answer back, both streamed and never held whole.

Only headers on a list go in: whatever a client sends, a service hears the gateway's own credentials, the principal
that the gateway found, and nothing else about who asks.
"""

from collections.abc import AsyncIterator, Mapping

import httpx
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.gateway.auth import Principal
from services.gateway.routing import Service
from services.gateway.tenancy import without_park
from shared.identity import ACTOR_HEADER
from shared.problems import BadRequest, Problem, Unavailable
from shared.telemetry import get_logger

log = get_logger(__name__)
# The longest wait that a service offers is 30 s (a run with wait_s).
TIMEOUT = httpx.Timeout(connect=2.0, read=40.0, write=20.0, pool=5.0)
_PASSED_IN = (
    "accept",
    "accept-encoding",
    "accept-language",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
)
# Hop by hop (RFC 9110, 7.6.1), or the gateway's own to say.
_KEPT_BACK = frozenset(
    (
        "connection",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    )
)


class NoAnswerInTime(Problem):
    """The service took the request and did not answer."""

    status, slug, title = 504, "no-answer-in-time", "No answer in time"


async def forward(client: httpx.AsyncClient, service: Service, path: str, request: Request, who: Principal) -> Response:
    """Answer `request` with what `service` says at `path`. Raises `Unavailable` when the service is down."""
    outgoing = client.build_request(
        request.method,
        httpx.URL(path, query=without_park(request.url.query).encode() or None),
        headers=request_headers(request, who),
        content=_body(request),
        timeout=TIMEOUT,
    )
    answer = await send(client, service, outgoing)
    return _PassedOn(answer, service)


async def send(client: httpx.AsyncClient, service: Service, outgoing: httpx.Request) -> httpx.Response:
    """The service's answer with its body still to be read; a problem where there is none."""
    try:
        answer = await client.send(outgoing, stream=True)
    except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
        detail = f"The service {service} did not answer in time. Whether it did what was asked is not known."
        raise NoAnswerInTime(detail, service=service) from error
    except ClientDisconnect as error:
        raise BadRequest("The body broke off.") from error
    except httpx.TransportError as error:
        log.warning("service_unavailable", upstream=service, error=f"{type(error).__name__}: {error}")
        detail = f"The service {service} cannot be reached now; the rest of the API goes on."
        raise Unavailable(detail, service=service) from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        # The caller's key was good; it is ours that the service refuses. To the caller that is an outage.
        await answer.aclose()
        log.error("identity_refused", upstream=service, remedy="one FENCELINE_INTERNAL_TOKEN for all, clocks right")
        raise Unavailable(f"The service {service} refuses the gateway.", service=service)
    return answer


def request_headers(request: Request, who: Principal) -> dict[str, str]:
    """The headers that go in. The client signs them, with the actor, and adds the trace."""
    headers = {name: request.headers[name] for name in _PASSED_IN if name in request.headers}
    headers.setdefault("accept-encoding", "identity")
    length = request.headers.get("content-length", "")
    if length.isdigit() and "transfer-encoding" not in request.headers:
        headers["content-length"] = length
    headers[ACTOR_HEADER] = who.name
    return headers


def _body(request: Request) -> AsyncIterator[bytes] | None:
    told = request.headers
    if told.get("content-length", "0") == "0" and "transfer-encoding" not in told:
        return None
    return _incoming(request)


async def _incoming(request: Request) -> AsyncIterator[bytes]:
    # Where the client goes away, this raises, and the service's connection breaks too: half a body is not a whole one.
    async for chunk in request.stream():
        if chunk:
            yield chunk


def _answer_headers(headers: Mapping[str, str]) -> dict[str, str]:
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in _KEPT_BACK and name not in named}


class _PassedOn(StreamingResponse):
    """A service's answer, bit by bit as it comes."""

    def __init__(self, answer: httpx.Response, service: Service) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code, _answer_headers(answer.headers))
        self._answer = answer
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()

    async def stream_response(self, send: Send) -> None:
        """Send the answer; without its end, where the service broke off."""
        try:
            await super().stream_response(send)
        except httpx.TransportError as error:
            # The status is out. The server breaks a connection whose body was not ended: the client sees that it is
            # not whole.
            log.warning("answer_broke_off", upstream=self._service, error=f"{type(error).__name__}: {error}")
