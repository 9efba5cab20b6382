"""Who may make, see and change which subscriptions."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from services.gateway.audit_store import AuditEntry
from services.gateway.auth import ApiKey, KeyRecord
from services.gateway.identities import Member, MemberKind, Organisation, OrganisationKind
from services.gateway.identity_store import IdentityStore
from services.gateway.scopes import Scope
from services.gateway.store import Store
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys
from tests.gateway.test_audit import entries

PATH = "/api/v1/subscriptions"
BOTH = (Scope.SUBSCRIPTIONS_READ, Scope.SUBSCRIPTIONS_WRITE)
HOOK = {"channel": "webhook", "url": "https://example.org/hook"}


def wanted(*parks: str, **more: Any) -> dict[str, Any]:
    return {"name": "x", "parks": list(parks), "delivery": HOOK} | more


async def key_of(store: Store, id_: str, *parks: str) -> str:
    """A key of an organisation of its own."""
    now, key = utc_now(), ApiKey.new()
    note = AuditEntry(now, "-", "admin", "test", "", None, 200, "t")
    identities = IdentityStore(store._engine)
    organisation = Organisation(id_, OrganisationKind.VENDOR, id_, frozenset(parks), now)
    scopes = frozenset((Scope.READ, Scope.WRITE))
    member = Member(f"{id_}-m", organisation, MemberKind.MACHINE, frozenset(parks), scopes, now)
    await identities.put_organisation(organisation, note)
    assert await identities.put_member(member, note)
    assert await store.put_key(KeyRecord(key.prefix, id_, key.digest(), frozenset(parks), scopes, now, member=member))
    return str(key)


async def test_a_key_subscribes_to_what_it_may_read(door: Door, keys: Keys) -> None:
    north = await door.client(await keys.new("north"))
    assert (await north.post(PATH, json=wanted("south"))).status_code == 404
    assert (await north.post(PATH, json=wanted("north", "south"))).status_code == 404
    assert (await north.post(PATH, json=wanted("*"))).status_code == 403
    made = await north.post(PATH, json=wanted("north"))
    assert made.status_code == 201
    assert made.json()["kinds"] == sorted(["alarm", "flood", "incident", "notification", "run"])
    runs = await door.client(await keys.new("north", scopes=[*BOTH, Scope.RUNS_READ]))
    assert (await runs.post(PATH, json=wanted("north", kinds=["alarm"]))).status_code == 403
    assert (await runs.post(PATH, json=wanted("north"))).json()["kinds"] == ["run"]
    # Who may not read alarms could have them told to themselves.
    one = f"{PATH}/{made.json()['id']}"
    assert (await runs.get(one)).status_code == 200
    for answer in (
        await runs.patch(one, json={"delivery": HOOK}),
        await runs.post(f"{one}/test"),
        await runs.post(f"{one}/secret", json={}),
        await runs.post(f"{one}/replay", json={"since": utc_now().isoformat()}),
        await runs.get(f"{one}/dead-letters"),
        await runs.post(f"{one}/dead-letters/replay", json={}),
    ):
        assert answer.status_code == 403
    nothing = await door.client(await keys.new("north", scopes=BOTH))
    assert (await nothing.post(PATH, json=wanted("north"))).status_code == 403


async def test_a_subscription_is_seen_by_its_organisation_for_its_parks(door: Door, keys: Keys, store: Store) -> None:
    acme = await door.client(await key_of(store, "acme", "north", "south"))
    other = await door.client(await key_of(store, "other", "north", "south"))
    installation = await door.client(await keys.new("*"))
    narrow = await door.client(await keys.new("north"))
    without = await door.client(await keys.new("north", "south"))
    made = (await acme.post(PATH, json=wanted("north", "south"))).json()
    assert (made["organisation_id"], made["created_by"]) == ("acme", "acme")

    async def sees(client: httpx.AsyncClient) -> bool:
        listed = [one["id"] for one in (await client.get(PATH)).json()["items"]]
        alone = (await client.get(f"{PATH}/{made['id']}")).status_code == 200
        assert (made["id"] in listed) is alone
        return alone

    everybody = (acme, other, installation, narrow, without)
    assert [await sees(client) for client in everybody] == [True, False, True, False, False]
    made_without = (await without.post(PATH, json=wanted("north"))).json()
    assert (await narrow.get(f"{PATH}/{made_without['id']}")).status_code == 200
    assert (await acme.get(f"{PATH}/{made_without['id']}")).status_code == 404
    assert (await other.delete(f"{PATH}/{made['id']}")).status_code == 404
    assert (await acme.delete(f"{PATH}/{made['id']}")).status_code == 204
    assert not await sees(acme)


async def test_who_only_reads_does_not_see_the_path_of_a_receiver(door: Door, keys: Keys) -> None:
    writer = await door.client(await keys.new("north"))
    reader = await door.client(await keys.new("north", scopes=[Scope.READ]))
    made = (await writer.post(PATH, json=wanted("north"))).json()
    assert made["delivery"]["target"] == HOOK["url"]
    alone = (await reader.get(f"{PATH}/{made['id']}")).json()
    [listed] = (await reader.get(PATH)).json()["items"]
    assert alone["delivery"] == listed["delivery"] == {"channel": "webhook", "target": "https://example.org/..."}
    assert (await writer.get(f"{PATH}/{made['id']}")).json()["delivery"]["target"] == HOOK["url"]


async def test_subscriptions_are_listed_page_by_page_and_changed(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client(await keys.new("north", name="operator"))
    made = [(await client.post(PATH, json=wanted("north", name=str(n)))).json() for n in range(3)]
    first = (await client.get(PATH, params={"limit": 2})).json()
    # A page goes on behind one that was removed meanwhile.
    await client.delete(f"{PATH}/{made[1]['id']}")
    rest = (await client.get(PATH, params={"limit": 2, "cursor": first["next"]})).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["0", "1", "2"]
    assert rest["next"] is None
    assert (await client.get(PATH, params={"cursor": "xyz"})).status_code == 400
    one = f"{PATH}/{made[0]['id']}"
    changed = await client.patch(one, json={"name": "new", "kinds": ["run"], "least_colour": "red", "language": "zh"})
    assert {k: changed.json()[k] for k in ("name", "kinds", "least_colour", "language", "parks")} == {
        "name": "new",
        "kinds": ["run"],
        "least_colour": "red",
        "language": "zh",
        "parks": ["north"],
    }
    assert (await client.patch(one, json={"least_colour": "any"})).json()["least_colour"] is None
    assert (await client.patch(one, json={"delivery": {"channel": "wecom", "url": "https://x.org"}})).status_code == 409
    assert (await client.patch(one, json={"parks": ["south"]})).status_code == 404
    assert (await client.get(f"{PATH}/{uuid4()}")).status_code == 404
    noted = [(method, path, status) for _, method, path, _, status in await entries(store, 8)]
    assert noted[3] == ("DELETE", f"{PATH}/{made[1]['id']}", 204)
    assert noted[4] == ("PATCH", one, 200)


async def test_dead_letters_are_for_those_who_may_read_what_they_tell(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client(await keys.new("*"))
    one = f"{PATH}/{(await client.post(PATH, json=wanted('north', kinds=['run']))).json()['id']}"
    async with store._engine.begin() as connection:
        # It was about more before.
        await connection.execute(
            text(
                """
                INSERT INTO subscription_dead (subscription_id, seq, stream, position, kind, park_id, data, at,
                    died_at, error)
                SELECT CAST(:id AS uuid), seq, 'x', seq, kind, park, '{"state": "failed", "transition": "raised"}',
                    now(), now(), 'x'
                FROM (VALUES (1, 'run', 'north'), (2, 'alarm', 'north'), (3, 'run', 'south')) AS d (seq, kind, park)
                """
            ),
            {"id": one.rsplit("/", 1)[1]},
        )

    async def told(client: httpx.AsyncClient) -> list[int]:
        return [letter["seq"] for letter in (await client.get(f"{one}/dead-letters")).json()["items"]]

    narrow = await door.client(await keys.new("north", scopes=[*BOTH, Scope.RUNS_READ]))
    assert (await told(narrow), await told(client)) == ([1], [1, 2, 3])
    assert (await narrow.post(f"{one}/dead-letters/replay", json={})).json() == {"count": 1}
    assert await told(client) == [2, 3]


async def test_changes_at_the_same_time_do_not_undo_each_other(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client(await keys.new("north"))
    one = f"{PATH}/{(await client.post(PATH, json=wanted('north'))).json()['id']}"
    async with store._engine.begin() as connection:
        await connection.execute(text("SELECT FROM subscription FOR UPDATE"))
        asked = [
            asyncio.create_task(client.patch(one, json={"name": "other"})),
            asyncio.create_task(client.post(f"{one}/secret", json={})),
        ]
        waiting = text(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE datname = current_database() AND NOT granted"
        )
        async with asyncio.timeout(20):
            while True:
                async with store._engine.connect() as other:
                    if (await other.execute(waiting)).scalar_one() >= 2:
                        break
                await asyncio.sleep(0.02)
        # Meanwhile the delivery switches it off: the receiver wants nothing more.
        await connection.execute(text("UPDATE subscription SET enabled = false"))
    assert [(await answer).status_code for answer in asked] == [200, 200]
    shown = (await client.get(one)).json()
    assert (shown["name"], shown["enabled"]) == ("other", False)
    async with store._engine.connect() as connection:
        secrets = text("SELECT jsonb_array_length(secrets) FROM subscription")
        assert (await connection.execute(secrets)).scalar_one() == 2


async def test_an_organisation_has_only_so_many(
    door: Door, keys: Keys, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.subscriptions.store.MOST_OF_ONE", 1)
    monkeypatch.setattr("services.gateway.subscriptions.api.MOST_OF_ONE", 1)
    acme = await door.client(await key_of(store, "acme", "north"))
    other = await door.client(await key_of(store, "other", "north"))
    statuses = [(await client.post(PATH, json=wanted("north"))).status_code for client in (acme, other, acme)]
    assert statuses == [201, 201, 409]
    installation = await door.client(await keys.new("north"))
    for _ in range(2):
        assert (await installation.post(PATH, json=wanted("north"))).status_code == 201


async def test_dead_letters_of_an_alertmanager_are_told_by_setting_it_back(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    given = wanted("north", delivery={"channel": "alertmanager", "url": "https://example.org"})
    one = f"{PATH}/{(await client.post(PATH, json=given)).json()['id']}"
    refused = await client.post(f"{one}/dead-letters/replay", json={})
    assert (refused.status_code, f"{one}/replay" in refused.json()["detail"]) == (409, True)


WRONG: list[dict[str, Any]] = [
    {"kinds": ["observation"]},
    {"kinds": []},
    {"parks": []},
    {"parks": ["North"]},
    {"name": ""},
    {"name": "a\u0000b"},
    {"delivery": {"channel": "pigeon", "url": "https://x.org"}},
    {"delivery": {"channel": "webhook", "url": "https://10.0.0.1/x"}},
    {"delivery": {"channel": "webhook", "url": "http://example.org/x"}},
    {"delivery": {"channel": "wecom", "url": "https://example.org/x", "secret": "s"}},
    {"delivery": {"channel": "feishu", "url": "https://example.org/x", "secret": "s\n"}},
    {"delivery": {"channel": "feishu", "url": "https://example.org/x", "secret": "密"}},
    {"delivery": {"channel": "webhook", "url": f"https://{'a' * 64}.org/x"}},
    {"delivery": {"channel": "webhook", "url": "https://a..org/x"}},
    {"least_colour": "green"},
    {"surprise": 1},
]


async def test_what_is_wrong_is_refused(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("*"))
    for wrong in WRONG:
        answer = await client.post(PATH, json=wanted("north") | wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"
