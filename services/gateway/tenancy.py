"""A key sees its own parks and nothing of another: the one place that says so.

Everything that belongs to a park has the path `/parks/{park_id}/...`. Paths are taken literally: the ids of Fenceline
never need an escape, so a path with one (or with an empty or dotted segment) names nothing at all. What was checked
here and what is sent on to a service can then not be two different things.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.auth import Principal
from shared.problems import NotFound, problem_response

_PLAIN_SEGMENT = re.compile(rb"(?!\.{1,2}$)[A-Za-z0-9._~:@-]+")
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
    """Whether the path, as it came over the wire, is literal: no escapes, no empty and no dotted segments."""
    if raw_path == b"/":
        return True
    first, *segments = raw_path.split(b"/")
    return first == b"" and bool(segments) and all(_PLAIN_SEGMENT.fullmatch(segment) for segment in segments)


class PlainPathsOnly:
    """Answers 404 to every path that is not plain, before anything looks at it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let plain paths through."""
        if scope["type"] != "http" or (is_plain(scope["raw_path"]) and scope["raw_path"] == scope["path"].encode()):
            await self._app(scope, receive, send)
            return
        answer = problem_response(
            Request(scope), NotFound.status, NotFound.slug, NotFound.title, "Nothing has an address like this."
        )
        await answer(scope, receive, send)
