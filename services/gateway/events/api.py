"""`GET /events`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from services.gateway.admission import Anybody, authenticate
from services.gateway.auth import Principal
from services.gateway.events.event import Cursor, Kind
from services.gateway.events.hub import Interest
from services.gateway.events.stream import EventStream, client_stream
from services.gateway.routing import API
from services.gateway.state import gateway_of
from services.gateway.tenancy import require_parks
from shared.problems import BadRequest, Forbidden, NotFound, Unauthorized, Unavailable, responses

router = APIRouter(prefix=API, tags=["events"])
_EXAMPLE = (
    ": fenceline\n\nevent: alarm\nid: alarms:12,runs:3\n"
    'data: {"alarm_id":"...","park_id":"bohai-demo","transition":"raised","colour":"yellow"}\n\n'
)


@router.get(
    "/events",
    response_class=EventStream,
    responses={
        200: {"description": "events until the client goes", "content": {"text/event-stream": {"example": _EXAMPLE}}},
        **responses(BadRequest, Unauthorized, Forbidden, NotFound),
    },
)
async def events(
    request: Request,
    who: Anybody,
    park_id: Annotated[list[str] | None, Query(description="only these parks; default: all of the key")] = None,
    kind: Annotated[list[str] | None, Query(description=f"{', '.join(Kind)}; several with commas")] = None,
    last_event_id: Annotated[str | None, Query(description="like the header, for clients that cannot set it")] = None,
    last_event_id_header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> EventStream:
    """Live events as server-sent events: alarm transitions, runs of the model, live values (once a second a park).

    Incidents, floods of alarms and calls of people (`notification`) too. A key hears the kinds whose resources it may
    read (`observations:read`, `runs:read`, `alarms:read` for all others). With the id of the last event heard, all that
    was missed comes first, but live values, which are not replayed. An event can come twice; alarm transitions carry
    `transition_id`, changes of incidents and floods `change_id`, calls `notification_id` to tell.
    """
    gateway = gateway_of(request)
    interest = Interest(require_parks(who, park_id or ()), _kinds(who, kind))
    try:
        cursor = Cursor.parse(last_event_id_header or last_event_id or "")
    except ValueError as error:
        raise BadRequest(f"Last-Event-ID: {error}") from error

    async def still_allowed() -> bool:
        return await _is_same(request, who)

    subscriber = gateway.events.hub.subscribe(interest, gateway.settings.gateway_event_queue)
    content = client_stream(gateway.events, subscriber, cursor, still_allowed)
    return EventStream(content, lambda: gateway.events.hub.unsubscribe(subscriber))


async def _is_same(request: Request, who: Principal) -> bool:
    """Whether the credentials of the stream still stand for the same; while that cannot be told, they do."""
    try:
        return await authenticate(request) == who
    except (Unauthorized, Forbidden):
        return False
    except Unavailable:
        return True


def _kinds(who: Principal, asked: list[str] | None) -> frozenset[Kind]:
    words = [word.strip() for part in asked or () for word in part.split(",") if word.strip()]
    try:
        named = frozenset(Kind(word) for word in words)
    except ValueError as error:
        raise BadRequest(f"kind: {error}; known are {', '.join(Kind)}") from error
    allowed = frozenset(kind for kind in Kind if who.may(kind.required()))
    if not allowed or not named <= allowed:
        missing = sorted({kind.required() for kind in (named or frozenset(Kind)) - allowed})
        raise Forbidden(f"This key does not have the scope '{missing[0]}'.", scopes=sorted(who.scopes))
    return named or allowed
