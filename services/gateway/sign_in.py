"""The page's session: sign in with an API key, say who is signed in, sign out."""

import ipaddress

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.gateway.admission import Anybody, authenticate, principal_of_key, refuse_forgery
from services.gateway.auth import ApiKey, KeyRecord, Principal
from services.gateway.routing import API
from services.gateway.scopes import Scope
from services.gateway.sessions import COOKIE, LIFETIME, Session
from services.gateway.state import Gateway, gateway_of
from shared.problems import Unauthorized, responses
from shared.time import utc_now

router = APIRouter(prefix=API, tags=["session"])
_FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class SignIn(BaseModel):
    """What the page sends to sign in."""

    api_key: str = Field(max_length=200, examples=["fl_<prefix>_<secret>"])


class SessionView(BaseModel):
    """Who asks, and what they may see and do."""

    authenticated: bool = True
    key_name: str
    parks: list[str] = Field(description="park ids, or `*` for all")
    scopes: list[Scope]
    demo: bool = Field(description="the session of a demo, which opened by itself")


@router.get("/session", responses=responses(Unauthorized))
async def who_am_i(who: Anybody) -> SessionView:
    """Who is signed in."""
    return _view(who)


@router.post("/session", responses=responses(Unauthorized))
async def sign_in(body: SignIn, request: Request, response: Response) -> SessionView:
    """Sign in with an API key: the answer sets the session's cookie."""
    key = ApiKey.parse(body.api_key.strip())
    principal = await principal_of_key(request, key) if key else None
    if key is None or principal is None:
        raise Unauthorized("The API key is wrong, has expired or was revoked.")
    request.state.principal = principal
    set_cookie(request, response, key, demo=False)
    return _view(principal)


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """Sign out: the cookie is taken back. Does no harm to one who is not signed in."""
    if COOKIE in request.cookies:
        try:
            principal = await authenticate(request)
        except Unauthorized:
            principal = None
        if principal is not None:
            refuse_forgery(request, principal)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def open_demo(request: Request, response: Response) -> None:
    """At a demo on one's own machine, sign the page in by itself.

    Only where a demo key is set, the client is this machine, and the page was asked for under a name of this machine:
    another site that has its name point here (DNS rebinding) does not get a session, nor does a proxy's client.
    """
    gateway = gateway_of(request)
    shown = gateway.settings.gateway_demo_key
    key = ApiKey.parse(shown.get_secret_value()) if shown else None
    if key is None or not _is_from_this_machine(request):
        return
    if not _has_session(gateway, request):
        set_cookie(request, response, key, demo=True)


def set_cookie(request: Request, response: Response, key: ApiKey, *, demo: bool) -> None:
    """Set the cookie of a session of `key`; that the key is good is looked at with each request."""
    now = utc_now()
    record = KeyRecord(key.prefix, "", key.digest(), frozenset(), frozenset(), now)
    session = Session(key.prefix, record.fingerprint(), now + LIFETIME, demo)
    response.set_cookie(
        COOKIE,
        gateway_of(request).sessions.write(session),
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _has_session(gateway: Gateway, request: Request) -> bool:
    session = gateway.sessions.read(request.cookies.get(COOKIE, ""), utc_now())
    return session is not None and not session.demo


def _is_from_this_machine(request: Request) -> bool:
    if any(name in request.headers for name in _FORWARDING):
        return False
    client = request.client.host if request.client else ""
    host = request.headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return _is_loopback(client) and (name.lower() == "localhost" or _is_loopback(name))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _view(who: Principal) -> SessionView:
    return SessionView(key_name=who.name, parks=sorted(who.parks), scopes=sorted(who.scopes), demo=who.demo)
