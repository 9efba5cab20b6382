"""Who may come in."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.gateway.auth import ApiKey
from services.gateway.key_directory import FRESH_S, STALE_S, KeyDirectory
from services.gateway.scopes import Scope
from services.gateway.store import Store
from shared.problems import Unavailable
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.serving import Relay

ROUTE = "/api/v1/parks/north/stations"


def test_a_key_is_written_and_read() -> None:
    key = ApiKey.new()
    assert ApiKey.parse(str(key)) == key
    assert key.secret not in repr(key)
    assert key.digest() != ApiKey(key.prefix, ApiKey.new().secret).digest()


@pytest.mark.parametrize(
    "text",
    ["", "fl_", "fl_demo_short", "xx_demo_" + "a" * 43, "fl_DEMO_" + "a" * 43, "fl_demo_" + "a" * 43 + "\n", "fl_é_a"],
)
def test_what_is_no_key_is_not_taken_for_one(text: str) -> None:
    assert ApiKey.parse(text) is None


async def test_a_valid_key_comes_in(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    answer = await client.get(ROUTE)
    assert answer.status_code == 200
    assert answer.json()["path"] == "/parks/north/stations"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Basic ZmVuY2VsaW5lOng=",
        "Bearer not-a-key",
        f"Bearer fl_unknown_{'a' * 43}",
        "Bearer {internal}",
        "Bearer {wrong_secret}",
        "Bearer {revoked}",
        "Bearer {expired}",
        "Token {valid}",
        "Bearer {valid} {valid}",
        "Bearer {valid}x",
        "{valid}",
    ],
)
async def test_every_other_credential_is_refused_alike(
    door: Door, keys: Keys, store: Store, internal_token: str, header: str | None
) -> None:
    valid = await keys.new("north")
    revoked = await keys.new("north", name="revoked")
    await store.revoke("revoked", utc_now())
    expired = await keys.new("north", expires_at=utc_now() - timedelta(seconds=1))
    wrong_secret = valid[:-43] + ApiKey.new().secret
    client = await door.client()
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(
            valid=valid, revoked=revoked, expired=expired, wrong_secret=wrong_secret, internal=internal_token
        )
    answer = await client.get(ROUTE, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("/unauthorized")


async def test_scopes_are_kept_apart(door: Door, keys: Keys) -> None:
    reader = await door.client(await keys.new("north", scopes=[Scope.READ]))
    writer = await door.client(await keys.new("north", scopes=[Scope.WRITE]))
    admin = await door.client(await keys.new("north", scopes=[Scope.ADMIN]))
    assert (await reader.post("/api/v1/parks/north/observations", json={})).status_code == 403
    assert (await writer.get(ROUTE)).status_code == 403
    assert (await writer.post("/api/v1/parks/north/observations", json={})).status_code == 200
    assert (await admin.get(ROUTE)).status_code == 200
    assert (await admin.post("/api/v1/parks/north/observations", json={})).status_code == 200


async def test_a_key_is_stored_as_a_digest_and_its_use_is_noted(door: Door, keys: Keys, store: Store) -> None:
    text = await keys.new("north")
    await (await door.client(text)).get(ROUTE)
    await door.gateway.keys.write_last_used()
    [record] = await store.keys()
    assert record.last_used_at is not None
    assert text[-43:].encode() not in record.secret_digest
    assert len(record.secret_digest) == 32


async def test_a_revoked_key_is_refused_within_seconds(keys: Keys, store: Store) -> None:
    now = 0.0
    directory = KeyDirectory(store, lambda: now)
    key = ApiKey.parse(await keys.new("north", name="leaver"))
    assert key is not None
    await directory.find(key.prefix)
    await store.revoke("leaver", utc_now())
    now = FRESH_S + 0.1
    record = await directory.find(key.prefix)
    assert record is not None
    assert not record.is_valid(utc_now())


async def test_reading_goes_on_while_the_database_is_down(
    settings_of: Settings, keys: Keys, database_url: str, dist: Path
) -> None:
    known, stranger = await keys.new("north"), await keys.new("north")
    async with Relay(database_url) as relay, open_door(settings_of(database_url=relay.url), dist) as door:
        client = await door.client(known)
        assert (await client.get(ROUTE)).status_code == 200
        await relay.cut()
        door.gateway.keys._remembered[known.split("_")[1]].at -= FRESH_S
        assert (await client.get(ROUTE)).status_code == 200
        refused = await (await door.client(stranger)).get(ROUTE)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert refused.json()["missing"] == ["database"]
        door.gateway.keys._remembered[known.split("_")[1]].at -= STALE_S
        assert (await client.get(ROUTE)).status_code == 503
        await relay.mend()
        await asyncio.sleep(1.1)
        assert (await client.get(ROUTE)).status_code == 200


async def test_a_directory_without_a_database_says_so(unused_port: Callable[[], int]) -> None:
    from shared.database import create_engine

    engine = create_engine(f"postgresql://x:y@127.0.0.1:{unused_port()}/z", "gateway")
    with pytest.raises(Unavailable):
        await KeyDirectory(Store(engine)).find("nobody")
    await engine.dispose()
