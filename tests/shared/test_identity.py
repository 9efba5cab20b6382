"""Calls between services: signed, for one service, one method and address, and soon stale."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from shared.health import Health
from shared.http_client import ServiceAuth
from shared.identity import (
    ACTOR_HEADER,
    MOST_AGE_S,
    SCHEME,
    Call,
    IdentityRefused,
    IdentitySigner,
    ServiceIdentity,
)
from shared.time import utc_now
from shared.web import actor, create_app

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SECRET = "s" * 32
SIGNER = IdentitySigner(SECRET)
IDENTITY = ServiceIdentity("gateway", "alerts", "操作员")
CALL = Call("POST", b"/parks/p/alarms/a%20b", b"x=1&y=%26")


def test_what_was_written_is_read() -> None:
    header = SIGNER.write(IDENTITY, CALL, NOW)
    assert SECRET not in header
    for seconds in (-MOST_AGE_S, 0, MOST_AGE_S):
        assert SIGNER.read(header, "alerts", CALL, NOW + timedelta(seconds=seconds)) == IDENTITY
    nobody = ServiceIdentity("alerts", "ingest", None)
    assert SIGNER.read(SIGNER.write(nobody, CALL, NOW), "ingest", CALL, NOW) == nobody


@pytest.mark.parametrize(
    ("audience", "call", "late_s"),
    [
        ("ingest", CALL, 0),
        ("alerts", CALL, MOST_AGE_S + 1),
        ("alerts", CALL, -MOST_AGE_S - 1),
        ("alerts", Call("GET", CALL.path, CALL.query), 0),
        ("alerts", Call("POST", b"/parks/q/alarms/a%20b", CALL.query), 0),
        ("alerts", Call("POST", b"/parks/p/alarms/a b", CALL.query), 0),
        ("alerts", Call("POST", CALL.path, b""), 0),
        ("alerts", Call("POST", CALL.path, b"x=2&y=%26"), 0),
    ],
)
def test_a_note_is_good_for_its_call_alone(audience: str, call: Call, late_s: int) -> None:
    header = SIGNER.write(IDENTITY, CALL, NOW)
    with pytest.raises(IdentityRefused):
        SIGNER.read(header, audience, call, NOW + timedelta(seconds=late_s))


def test_another_secret_signs_for_nobody() -> None:
    header = IdentitySigner("t" * 32).write(IDENTITY, CALL, NOW)
    with pytest.raises(IdentityRefused):
        SIGNER.read(header, "alerts", CALL, NOW)


@given(st.data())
def test_a_note_that_was_tampered_with_is_refused(data: st.DataObject) -> None:
    header = SIGNER.write(IDENTITY, CALL, NOW)
    at = data.draw(st.integers(0, len(header) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=255).filter(lambda other: other != header[at]))
    with pytest.raises(IdentityRefused):
        SIGNER.read(header[:at] + letter + header[at + 1 :], "alerts", CALL, NOW)


@given(st.text(max_size=100) | st.text(max_size=100).map(lambda text: f"{SCHEME} {text}"))
def test_nothing_else_is_taken_for_a_note(text: str) -> None:
    with pytest.raises(IdentityRefused):
        SIGNER.read(text, "alerts", CALL, NOW)


@pytest.fixture
async def service() -> AsyncIterator[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app("alerts", "Alerts", "", Health("alerts", {}), lifespan, internal_token=SECRET)

    @app.get("/who/{name}")
    async def who(request: Request, name: str) -> list[str]:
        return [actor(request), name, *request.headers.getlist(ACTOR_HEADER)]

    async with app.router.lifespan_context(app):
        yield app


def client(service: FastAPI, auth: httpx.Auth | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://alerts", auth=auth)


async def test_the_actor_is_the_one_that_was_signed(service: FastAPI) -> None:
    async with client(service, ServiceAuth(SECRET, "gateway", "alerts")) as signed:
        named = await signed.get("/who/a b?x=%20&y", headers={ACTOR_HEADER: "li"})
        assert named.json() == ["li", "a b", "li"]
        assert (await signed.get("/who/x?")).json() == ["internal", "x"]
    # Who sits between two services and adds a name to a call that is signed for none.
    note = SIGNER.write(ServiceIdentity("gateway", "alerts", None), Call("GET", b"/who/x", b""), utc_now())
    async with client(service, None) as between:
        forged = await between.get("/who/x", headers={"Authorization": note, ACTOR_HEADER: "director"})
        assert forged.json() == ["internal", "x"]


async def test_a_service_refuses_everybody_else(service: FastAPI) -> None:
    call = Call("GET", b"/who/x", b"")
    old = SIGNER.write(ServiceIdentity("gateway", "alerts", None), call, utc_now() - timedelta(seconds=MOST_AGE_S + 5))
    elsewhere = SIGNER.write(ServiceIdentity("gateway", "ingest", None), call, utc_now())
    async with client(service, None) as stranger:
        assert (await stranger.get("/who/x")).status_code == 401
        assert (await stranger.get("/health/live")).status_code == 200
        for shown in ("", f"Bearer {SECRET}", SECRET, f"{SCHEME} ", f"{SCHEME} .", old, elsewhere):
            answer = await stranger.get("/who/x", headers={"Authorization": shown})
            assert answer.status_code == 401, shown
            assert answer.headers["www-authenticate"] == SCHEME
            assert answer.headers["content-type"] == "application/problem+json"
