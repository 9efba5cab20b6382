"""Lets a request in: who asks (key, token, cookie), not forged by another site, in their parks and scopes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from services.gateway.auth import ApiKey, Principal, Via, principal_of, principal_of_member
from services.gateway.scopes import ALL_PARKS, Scope
from services.gateway.sessions import COOKIE
from services.gateway.state import gateway_of
from services.gateway.tenancy import require_park
from services.gateway.tokens import TokenRefused, looks_like_token
from shared.problems import Forbidden, Unauthorized
from shared.telemetry import get_logger
from shared.time import utc_now

log = get_logger(__name__)
PAGE_HEADER = "X-Fenceline-Request"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fenceline"'}


async def authenticate(request: Request) -> Principal:
    """Who asks; raises `Unauthorized`. A key or a token in the header counts before a cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, shown = header.partition(" ")
        principal = await _principal_of_bearer(request, shown.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            raise Unauthorized("The API key or token is wrong, has expired or was revoked.", headers=_CHALLENGE)
    else:
        principal = await _principal_of_cookie(request)
        if principal is None:
            detail = "Send an API key as `Authorization: Bearer fl_...`, or sign in at the page."
            raise Unauthorized(detail, headers=_CHALLENGE)
    request.state.principal = principal
    return principal


async def _principal_of_bearer(request: Request, shown: str) -> Principal | None:
    key = ApiKey.parse(shown)
    if key is not None:
        return await principal_of_key(request, key)
    gateway = gateway_of(request)
    if not gateway.providers or not looks_like_token(shown):
        return None
    try:
        identity = await gateway.providers.identify(shown)
    except TokenRefused as error:
        log.info("token_refused", reason=str(error))
        return None
    member = await gateway.members.find(identity)
    if member is None:
        detail = f"The identity provider knows {identity.subject[:80]!r}, but no member here has that subject."
        raise Forbidden(detail, remedy="fenceline admin create-member --issuer ... --subject ...")
    return principal_of_member(member) if member.is_active() else None


async def principal_of_key(request: Request, key: ApiKey) -> Principal | None:
    """Who holds `key`, None when it is not a valid one."""
    keys, now = gateway_of(request).keys, utc_now()
    record = await keys.find(key.prefix)
    if record is None or not record.belongs_to(key) or not record.is_valid(now):
        return None
    keys.note_use(record.prefix, now)
    return principal_of(record)


async def _principal_of_cookie(request: Request) -> Principal | None:
    gateway, now = gateway_of(request), utc_now()
    session = gateway.sessions.read(request.cookies.get(COOKIE, ""), now)
    if session is None:
        return None
    record = await gateway.keys.find(session.key_prefix)
    if record is None or record.fingerprint() != session.fingerprint or not record.is_valid(now):
        return None
    gateway.keys.note_use(record.prefix, now)
    return principal_of(record, Via.SESSION, demo=session.demo)


def refuse_forgery(request: Request, principal: Principal) -> None:
    """A browser adds the cookie to whatever another site makes it send, but not this header."""
    if (
        principal.via is Via.SESSION
        and request.method not in SAFE_METHODS
        and request.headers.get(PAGE_HEADER) != "page"
    ):
        raise Forbidden(f"A change with the page's cookie needs the header `{PAGE_HEADER}: page`.")


def admission(scope: Scope, *, all_parks: bool = False) -> Callable[[Request], Awaitable[Principal]]:
    """The dependency of a route that takes `scope`; its park, if its path has one, must be the principal's.

    With `all_parks`, the route is about every park at once and takes a principal that sees them all.
    """

    async def admit(request: Request) -> Principal:
        principal = await authenticate(request)
        refuse_forgery(request, principal)
        park_id = request.path_params.get("park_id")
        if park_id is not None:
            require_park(principal, park_id)
        elif (all_parks or scope is Scope.ADMIN) and ALL_PARKS not in principal.parks:
            raise Forbidden("This is about all parks at once, and the key is for some.", parks=sorted(principal.parks))
        if not principal.may(scope):
            raise Forbidden(f"This key does not have the scope '{scope}'.", scopes=sorted(principal.scopes))
        gateway_of(request).audit.require_room(request.method)
        return principal

    return admit


async def identify(request: Request) -> Principal:
    """The dependency of a route that any principal may ask."""
    principal = await authenticate(request)
    refuse_forgery(request, principal)
    return principal


Anybody = Annotated[Principal, Depends(identify)]
ParkReader = Annotated[Principal, Depends(admission(Scope.PARKS_READ))]
ParkWriter = Annotated[Principal, Depends(admission(Scope.PARKS_WRITE))]
