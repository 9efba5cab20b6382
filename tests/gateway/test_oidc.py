"""Tokens of an identity provider: the right one comes in, and every other is refused."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.gateway.providers import FRESH_S, RETRY_S, STALE_S, Keyring, Providers
from services.gateway.settings import GatewaySettings, OidcProvider
from services.gateway.tokens import MOST_CHARACTERS, TokenRefused, usable_keys
from shared.problems import Unavailable
from shared.time import utc_now
from tests.gateway.conftest import Admin, Door, Settings, open_door
from tests.gateway.serving import serving

NORTH = "/api/v1/parks/north/stations"
AUDIENCE = "fenceline"
Key = RSAKey | ECKey


class Provider:
    """An identity provider on loopback."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.listed: list[Key] = [self.key]
        self.url = ""
        self.says_issuer: str | None = None
        self.asked = 0

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/.well-known/openid-configuration", self._discovery)
        app.add_api_route("/keys", self._keys)
        return app

    def _discovery(self) -> dict[str, Any]:
        return {"issuer": self.says_issuer or self.url, "jwks_uri": f"{self.url}/keys"}

    def _keys(self) -> dict[str, Any]:
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.listed]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(utc_now().timestamp())
        told = {"iss": self.url, "sub": "u-1", "aud": AUDIENCE, "iat": now, "exp": now + 300} | changes
        return {name: value for name, value in told.items() if value is not None}

    def token(self, key: Key | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        head = {"alg": "RS256", "kid": "first"} | (header or {})
        return jwt.encode(head, self.claims(**changes), key or self.key, algorithms=[head["alg"]])

    def settings(self) -> OidcProvider:
        return OidcProvider(issuer=self.url, audience=AUDIENCE)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    async with serving(provider.app()) as [url]:
        provider.url = url
        yield provider


@asynccontextmanager
async def member_door(settings_of: Settings, provider: Provider, admin: Admin, dist: Path) -> AsyncIterator[Door]:
    """A gateway that takes the provider's tokens, with the member u-1 who may read alarms and stations of north."""
    await admin("create-organisation", "--id", "prov", "--kind", "province", "--name", "省", "--park", "north")
    subject = ("--issuer", provider.url, "--subject", "u-1")
    scopes = ("--scope", "parks:read", "--scope", "alarms:write")
    made = await admin("create-member", "--id", "li", "--organisation", "prov", "--kind", "user", *scopes, *subject)
    assert made.status == 0, made.err
    given = json.dumps([{"issuer": provider.url, "audience": AUDIENCE}])
    async with open_door(settings_of(gateway_oidc=given), dist) as door:
        yield door


async def status(door: Door, token: str, path: str = NORTH) -> int:
    return (await (await door.client()).get(path, headers={"Authorization": f"Bearer {token}"})).status_code


async def test_a_token_brings_in_the_member_with_the_members_rights(
    settings_of: Settings, provider: Provider, admin: Admin, dist: Path
) -> None:
    async with member_door(settings_of, provider, admin, dist) as door:
        client = await door.client(provider.token(scope="admin", parks=["*"]))
        answer = await client.get(NORTH)
        assert answer.status_code == 200
        received = dict(answer.json()["headers"])
        assert received["x-fenceline-actor"] == "li"
        assert (await client.get(NORTH.replace("north", "south"))).status_code == 404
        assert (await client.get("/api/v1/parks/north/alarms")).status_code == 403
        assert (await client.post("/api/v1/parks/north/alarms/a1/acknowledge", json={})).status_code == 200
        assert (await client.get("/api/v1/audit")).status_code == 403
        assert (await client.get("/api/v1/session")).json()["key_name"] == "li"
        stranger = await client.get(NORTH, headers={"Authorization": f"Bearer {provider.token(sub='u-2')}"})
        assert (stranger.status_code, "u-2" in stranger.json()["detail"]) == (403, True)

        await door.gateway.audit.flush()
        entry = json.loads((await admin("audit", "--actor", "li", "--format", "ndjson")).out)
        assert (entry["via"], entry["organisation_id"], entry["status"]) == ("oidc", "prov", 200)
        await admin("disable-member", "li")
        door.gateway.members._remembered.clear()
        assert (await client.get(NORTH)).status_code == 401


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def attacks(provider: Provider) -> dict[str, str]:
    now = int(utc_now().timestamp())
    good = provider.token()
    head, claims, signature = good.split(".")
    other = RSAKey.generate_key(2048, {"kid": "first"})
    by_secret = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{claims}"
    public = hmac.digest(provider.key.as_pem(private=False), by_secret.encode(), "sha256")
    more = encoded(provider.claims(sub="admin"))
    return {
        "expired": provider.token(exp=now - 60),
        "not yet valid": provider.token(nbf=now + 600),
        "issued in the future": provider.token(iat=now + 600),
        "never ends": provider.token(exp=None),
        "end is a word": provider.token(exp="tomorrow"),
        "nobody": provider.token(sub=None),
        "an empty subject": provider.token(sub=""),
        "a subject that is a number": provider.token(sub=7),
        "a subject that is a list": provider.token(sub=["u-1"]),
        "another issuer": provider.token(iss="https://evil.example"),
        "almost the issuer": provider.token(iss=f"{provider.url}/"),
        "no issuer": provider.token(iss=None),
        "another audience": provider.token(aud="other"),
        "other audiences": provider.token(aud=["other", "fenceline2"]),
        "no audience": provider.token(aud=None),
        "alg none": f"{encoded({'alg': 'none', 'kid': 'first'})}.{claims}.",
        "alg none with a signature": f"{encoded({'alg': 'none', 'kid': 'first'})}.{claims}.{signature}",
        "alg None": f"{encoded({'alg': 'NonE'})}.{claims}.{signature}",
        "the public key as a secret": f"{by_secret}.{base64.urlsafe_b64encode(public).decode().rstrip('=')}",
        "another key": provider.token(other),
        "a key in the header": provider.token(other, {"jwk": other.as_dict(private=False)}),
        "a key that is not there": provider.token(other, {"kid": "second"}),
        "a key by a path": provider.token(other, {"kid": "../../dev/null"}),
        "other claims": f"{head}.{more}.{signature}",
        "another header": f"{encoded({'alg': 'PS256', 'kid': 'first'})}.{claims}.{signature}",
        "no signature": f"{head}.{claims}.",
        "half of it": f"{head}.{claims}",
        "five parts": f"{good}.{claims}.{signature}",
        "twice": f"{good} {good}",
        "not JSON": f"{head}.bm90IGpzb24.{signature}",
        "claims that are a list": f"{head}.{encoded([1])}.{signature}",
        "deep claims": f"{head}.{base64.urlsafe_b64encode(b'[' * 3000).decode().rstrip('=')}.{signature}",
        "too long": provider.token(padding="x" * MOST_CHARACTERS),
    }


async def test_every_other_token_is_refused_alike(
    settings_of: Settings, provider: Provider, admin: Admin, dist: Path
) -> None:
    async with member_door(settings_of, provider, admin, dist) as door:
        assert await status(door, provider.token()) == 200
        client = await door.client()
        for name, token in attacks(provider).items():
            answer = await client.get(NORTH, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, name
            assert answer.json()["detail"] == "The API key or token is wrong, has expired or was revoked.", name
        assert provider.asked == 1, "unknown keys do not make the gateway ask again and again"


async def test_a_gateway_without_a_provider_takes_no_token(door: Door, provider: Provider) -> None:
    assert await status(door, provider.token()) == 401


async def test_new_keys_of_the_provider_are_heard_and_old_ones_outlive_an_outage(
    provider: Provider, unused_port: Callable[[], int]
) -> None:
    now = 0.0
    providers = Providers([provider.settings()], lambda: now)
    assert (await providers.identify(provider.token())).subject == "u-1"
    second = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
    provider.listed.append(second)
    signed = provider.token(second, {"alg": "ES256", "kid": "second"})
    with pytest.raises(TokenRefused):
        await providers.identify(signed)
    now = RETRY_S + 1
    assert (await providers.identify(signed)).subject == "u-1"
    provider.listed.remove(provider.key)
    now += FRESH_S + 1
    with pytest.raises(TokenRefused):
        await providers.identify(provider.token())
    provider.says_issuer = "https://evil.example"
    now += FRESH_S + 1
    assert (await providers.identify(signed)).subject == "u-1", "what was heard before is kept"
    now += STALE_S
    with pytest.raises(Unavailable):
        await providers.identify(signed)
    await providers.aclose()

    gone = OidcProvider(issuer=f"http://127.0.0.1:{unused_port()}", audience="x")
    with pytest.raises(Unavailable):
        await Keyring(gone, providers._client.__class__(trust_env=False)).keys(None)


def test_only_keys_that_prove_something_are_taken() -> None:
    good = RSAKey.generate_key(2048, {"kid": "good"})
    public = good.as_dict(private=False)
    weak = {**public, "kid": "weak", "n": str(public["n"])[:171]}
    secret = OctKey.import_key("s" * 32).as_dict(private=True) | {"kid": "secret"}
    listed = [public, weak, secret, {**public, "kid": "enc", "use": "enc"}, {"kty": "RSA"}, {"kty": "EC"}, 7, None]
    assert [key.kid for key in usable_keys({"keys": listed})] == ["good"]
    empty: tuple[Any, ...] = (None, [], {}, {"keys": 1})
    for document in empty:
        assert list(usable_keys(document)) == []


@pytest.mark.parametrize(
    "text", ["{", '[{"issuer": "http://id.example", "audience": "a"}]', '[{"issuer": "https://id.example"}]', "[1]"]
)
def test_wrong_settings_are_told_in_a_line(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x", "INTERNAL_TOKEN": "t" * 32}.items():
        monkeypatch.setenv(f"FENCELINE_{name}", value)
    monkeypatch.setenv("FENCELINE_GATEWAY_OIDC", '[{"issuer": "https://id.example", "audience": "a"}]')
    assert GatewaySettings.load().gateway_oidc[0].audience == "a"
    monkeypatch.setenv("FENCELINE_GATEWAY_OIDC", text)
    with pytest.raises(SystemExit, match="2"):
        GatewaySettings.load()
    assert capsys.readouterr().err.startswith("FENCELINE_GATEWAY_OIDC")
