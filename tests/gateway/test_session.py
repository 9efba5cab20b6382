"""The page's session."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.gateway.scopes import Scope
from services.gateway.sessions import COOKIE, Session, SessionSigner
from services.gateway.store import Store
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys, Settings, open_door

SESSION = "/api/v1/session"
ACKNOWLEDGE = "/api/v1/parks/north/alarms/a1/acknowledge"
PAGE = {"X-Fenceline-Request": "page"}


async def test_sign_in_use_and_sign_out(door: Door, keys: Keys) -> None:
    client = await door.client()
    assert (await client.get(SESSION)).status_code == 401
    answer = await client.post(SESSION, json={"api_key": await keys.new("north", name="control room")})
    expected = {
        "authenticated": True,
        "key_name": "control room",
        "parks": ["north"],
        "scopes": ["read", "write"],
        "demo": False,
    }
    assert answer.json() == expected
    cookie = answer.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert attribute in cookie
    assert (await client.get(SESSION)).json() == expected
    assert (await client.get("/api/v1/parks/north/stations")).status_code == 200
    assert (await client.get("/api/v1/parks/south/stations")).status_code == 404

    assert (await client.delete(SESSION)).status_code == 403
    assert (await client.delete(SESSION, headers=PAGE)).status_code == 204
    assert (await client.get(SESSION)).status_code == 401


async def test_a_wrong_key_does_not_sign_in(door: Door, keys: Keys) -> None:
    client = await door.client()
    valid = await keys.new("north")
    for key in ("", "nonsense", valid[:-3] + "abc"):
        answer = await client.post(SESSION, json={"api_key": key})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    # A form of another site cannot send JSON without the browser asking us first.
    form = await client.post(SESSION, content=f'{{"api_key": "{valid}"}}', headers={"Content-Type": "text/plain"})
    assert form.status_code == 422


async def test_a_change_with_the_cookie_needs_the_pages_header(door: Door, keys: Keys) -> None:
    client = await door.client()
    key = await keys.new("north")
    await client.post(SESSION, json={"api_key": key})
    for headers in ({}, {"X-Fenceline-Request": "other"}):
        forged = await client.post(ACKNOWLEDGE, json={}, headers=headers)
        assert forged.status_code == 403
        assert "X-Fenceline-Request" in forged.json()["detail"]
    assert (await client.post(ACKNOWLEDGE, json={}, headers=PAGE)).status_code == 200
    # With a key in the header nothing can be forged.
    by_key = await client.post(ACKNOWLEDGE, json={}, headers={"Authorization": f"Bearer {key}"})
    assert by_key.status_code == 200


async def test_a_session_ends_with_its_key(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client()
    await client.post(SESSION, json={"api_key": await keys.new("north", name="leaver")})
    await store.revoke("leaver", utc_now())
    door.gateway.keys._remembered.clear()
    assert (await client.get(SESSION)).status_code == 401


async def test_a_session_cannot_be_made_up(door: Door, keys: Keys) -> None:
    key = await keys.new("north")
    client = await door.client()
    await client.post(SESSION, json={"api_key": key})
    cookie = client.cookies[COOKIE]
    for forged in (cookie[:-4] + "AAA=", cookie.replace(".", ".A"), "a.b", "", ".", cookie + "." + cookie, "é.b"):
        other = await door.client()
        answer = await other.get(SESSION, headers=[(b"Cookie", f"{COOKIE}={forged}".encode())])
        assert answer.status_code == 401, forged


def test_sessions_are_signed_and_end() -> None:
    now = utc_now().replace(microsecond=0)
    signer = SessionSigner(b"k" * 32)
    session = Session("prefix", "print", now + timedelta(hours=1), demo=True)
    cookie = signer.write(session)
    assert signer.read(cookie, now) == session
    assert signer.read(cookie, now + timedelta(hours=1)) is None
    assert SessionSigner(b"j" * 32).read(cookie, now) is None


@contextlib.asynccontextmanager
async def demo_door(settings_of: Settings, keys: Keys, dist: Path) -> AsyncIterator[Door]:
    key = await keys.new("north", scopes=[Scope.READ, Scope.WRITE], name="demo")
    async with open_door(settings_of(gateway_demo_key=key), dist) as door:
        yield door


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "127.0.0.9"])
async def test_a_demo_opens_by_itself_on_this_machine(settings_of: Settings, keys: Keys, dist: Path, host: str) -> None:
    async with demo_door(settings_of, keys, dist) as door:
        client = await door.client()
        answer = await client.get("/", headers={"Host": host.format(port=door.url.rpartition(":")[2])})
        assert COOKIE in answer.headers["set-cookie"]
        cookie = answer.headers["set-cookie"].partition(";")[0]
        session = await (await door.client()).get(SESSION, headers={"Cookie": cookie})
        assert session.json() == {
            "authenticated": True,
            "key_name": "demo",
            "parks": ["north"],
            "scopes": ["read", "write"],
            "demo": True,
        }


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "fenceline.example"},
        {"Host": "attacker.example:8000"},
        {"Host": "localhost.attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "10.0.0.7:8000"},
        {"Host": ""},
        {"X-Forwarded-For": "203.0.113.5"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=203.0.113.5"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_a_demo_opens_for_nobody_else(
    settings_of: Settings, keys: Keys, dist: Path, headers: dict[str, str]
) -> None:
    async with demo_door(settings_of, keys, dist) as door:
        answer = await (await door.client()).get("/", headers=headers)
        assert "set-cookie" not in answer.headers


async def test_without_a_demo_key_nothing_opens(door: Door) -> None:
    assert "set-cookie" not in (await (await door.client()).get("/")).headers


async def test_the_demo_does_not_replace_who_is_signed_in(settings_of: Settings, keys: Keys, dist: Path) -> None:
    async with demo_door(settings_of, keys, dist) as door:
        client: httpx.AsyncClient = await door.client()
        await client.post(SESSION, json={"api_key": await keys.new("south", name="visitor")})
        await client.get("/")
        assert (await client.get(SESSION)).json()["key_name"] == "visitor"
