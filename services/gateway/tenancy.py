"""A key sees its own parks and nothing of another: the one place that says so.

Everything that belongs to a park has the path `/parks/{park_id}/...`. Paths are taken literally: the ids of Fenceline
never need an escape, so a path with one (or with an empty or dotted segment) names nothing at all. What was checked
here and what is sent on to a service can then not be two different things. Devices alone bring their own numbers along:
in their segment, escapes stand for what cannot stand for itself.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.auth import Principal
from services.gateway.routing import API
from shared.problems import NotFound, problem_response

_PLAIN_SEGMENT = re.compile(rb"(?!\.{1,2}$)[A-Za-z0-9._~:@-]+")
_SEGMENT = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")  # RFC 3986, 3.3
_DEVICE = re.compile(re.escape(API.encode()) + rb"/parks/[^/]+/devices/([^/]+)(/.*)?", re.DOTALL)
PARK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def require_park(principal: Principal, park_id: str) -> None:
    """Raise `NotFound` unless the principal sees the park; the same for one that does not exist."""
    if not (PARK_ID.fullmatch(park_id) and principal.sees(park_id)):
        raise NotFound(f"There is no park {park_id[:80]!r} that this key may see.")


def require_parks(principal: Principal, park_ids: Iterable[str]) -> frozenset[str]:
    """The parks asked for, or the principal's own where none were."""
    asked = frozenset(park_ids)
    for park_id in sorted(asked):
        require_park(principal, park_id)
    return asked or principal.parks


def without_park(query: str) -> str:
    """A query string without `park_id`: which park is meant stands in the path alone."""
    if "park" not in query.lower() and "%" not in query:
        return query
    return urlencode([(name, value) for name, value in parse_qsl(query, True) if name.lower() != "park_id"])


def is_plain(raw_path: bytes) -> bool:
    """Whether the path, as it came over the wire, is literal: no escapes, no empty and no dotted segments.

    In the place of a device's MN, an MN with escapes is literal too (`is_escaped_mn`).
    """
    if raw_path == b"/":
        return True
    device = _DEVICE.fullmatch(raw_path)
    if device and is_escaped_mn(device[1]):
        raw_path = raw_path[: device.start(1)] + b"mn" + raw_path[device.end(1) :]
    first, *segments = raw_path.split(b"/")
    return first == b"" and bool(segments) and all(_PLAIN_SEGMENT.fullmatch(segment) for segment in segments)


def is_escaped_mn(segment: bytes) -> bool:
    """Whether a segment says an MN, whatever of it is escaped: it is sent on in one way only (`routing.escaped`).

    An MN with a slash has no address: whoever decodes it finds two segments.
    """
    try:
        mn = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return False
    written = _SEGMENT.fullmatch(segment) is not None
    return written and mn.isprintable() and "/" not in mn and mn not in (".", "..")


class PlainPathsOnly:
    """Answers 404 to every path that is not plain, before anything looks at it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let plain paths through."""
        if scope["type"] != "http" or _is_as_written(scope):
            await self._app(scope, receive, send)
            return
        answer = problem_response(
            Request(scope), NotFound.status, NotFound.slug, NotFound.title, "Nothing has an address like this."
        )
        await answer(scope, receive, send)


def _is_as_written(scope: Scope) -> bool:
    """Whether the path that routes are found by says what came over the wire."""
    raw_path: bytes = scope["raw_path"]
    return is_plain(raw_path) and unquote_to_bytes(raw_path) == scope["path"].encode()
