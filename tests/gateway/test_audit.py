"""Who did what stays on record."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.gateway import audit_store
from services.gateway.audit import Audit
from services.gateway.audit_files import COLUMNS
from services.gateway.audit_store import AuditEntry
from services.gateway.key_directory import FRESH_S
from services.gateway.scopes import Scope
from services.gateway.store import Store
from shared.problems import Unavailable
from shared.time import utc_now
from tests.gateway.conftest import Admin, Door, Keys, Settings, open_door
from tests.gateway.serving import Relay

ACKNOWLEDGE = "/api/v1/parks/north/alarms/a1/acknowledge"


async def entries(store: Store, count: int) -> list[tuple[str, str, str, str | None, int]]:
    """The audit once it has `count` entries, or after 5 s."""
    rows = []
    for _ in range(100):
        async with store._engine.connect() as connection:
            found = await connection.execute(
                text("SELECT actor, method, path, park_id, status, at FROM audit ORDER BY id")
            )
            rows = list(found)
        if len(rows) >= count:
            break
        await asyncio.sleep(0.05)
    assert all(utc_now() - row.at < timedelta(minutes=1) for row in rows)
    return [(row.actor, row.method, row.path, row.park_id, row.status) for row in rows]


async def test_changes_are_recorded_whatever_their_outcome(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client(await keys.new("north", name="operator"))
    reader = await door.client(await keys.new("north", name="reader", scopes=[Scope.READ]))
    await client.post(ACKNOWLEDGE, json={"comment": "on my way"})
    await client.post(ACKNOWLEDGE.replace("north", "south"), json={})
    await reader.post(ACKNOWLEDGE, json={})
    await client.get("/api/v1/parks/north/alarms")
    await (await door.client()).post(ACKNOWLEDGE, json={})
    assert await entries(store, 3) == [
        ("operator", "POST", ACKNOWLEDGE, "north", 200),
        ("operator", "POST", ACKNOWLEDGE.replace("north", "south"), "south", 404),
        ("reader", "POST", ACKNOWLEDGE, "north", 403),
    ]


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
async def test_the_audit_is_append_only(store: Store, statement: str) -> None:
    await store.append_audit([AuditEntry(utc_now(), "p", "operator", "POST", "/x", "north", 200, "t")])
    with pytest.raises(DBAPIError, match="append only"):
        async with store._engine.begin() as connection:
            await connection.execute(text(statement))


async def test_entries_wait_for_the_database(
    settings_of: Settings, keys: Keys, store: Store, database_url: str, dist: Path
) -> None:
    key = await keys.new("north", name="operator")
    async with Relay(database_url) as relay, open_door(settings_of(database_url=relay.url), dist) as door:
        client = await door.client(key)
        await client.get("/api/v1/parks/north/alarms")
        await relay.cut()
        door.gateway.keys._remembered[key.split("_")[1]].at -= FRESH_S
        assert (await client.post(ACKNOWLEDGE, json={})).status_code == 200
        await relay.mend()
        assert len(await entries(store, 1)) == 1


async def test_without_room_for_a_record_changes_are_refused(store: Store) -> None:
    audit = Audit(store, capacity=1)
    audit.require_room("POST")
    audit.add(AuditEntry(utc_now(), "p", "operator", "POST", "/x", None, 200, "t"))
    audit.require_room("GET")
    with pytest.raises(Unavailable):
        audit.require_room("POST")
    await audit.flush()
    audit.require_room("POST")


def entry(path: str, park_id: str | None = None, status: int = 200) -> AuditEntry:
    return AuditEntry(utc_now(), "p", "operator", "POST", path, park_id, status, "t")


async def test_what_is_no_park_is_not_recorded_as_one(door: Door, keys: Keys, store: Store) -> None:
    client = await door.client(await keys.new("north", name="operator"))
    for park_id in (token_hex(3000), "North"):
        assert (await client.post(ACKNOWLEDGE.replace("north", park_id), json={})).status_code == 404
    await client.post(ACKNOWLEDGE, json={})
    assert [park_id for _, _, _, park_id, _ in await entries(store, 3)] == [None, None, "north"]


async def test_an_entry_that_cannot_be_written_does_not_hold_up_the_others(store: Store) -> None:
    audit = Audit(store)
    for one in (entry("/1"), entry("/2", token_hex(3000)), entry("/3")):
        audit.add(one)
    await audit.flush()
    assert [path for _, _, path, _, _ in await entries(store, 2)] == ["/1", "/3"]


async def test_refused_requests_do_not_fill_the_memory(store: Store) -> None:
    audit = Audit(store, capacity=1)
    for one in (entry("/1"), entry("/2", status=403), entry("/3", status=503), entry("/4")):
        audit.add(one)
    await audit.flush()
    assert [path for _, _, path, _, _ in await entries(store, 2)] == ["/1", "/4"]


AUDIT = "/api/v1/parks/north/audit"


async def filled(store: Store) -> None:
    now = utc_now().replace(microsecond=0)
    await store.append_audit(
        [
            AuditEntry(now - timedelta(hours=hour), "p", f"actor-{hour % 2}", "POST", f"/{hour}", park, 200, "t")
            for hour in range(7, 0, -1)
            for park in ("north", "south")
        ]
    )


async def test_the_audit_is_asked_page_by_page(door: Door, keys: Keys, store: Store) -> None:
    await filled(store)
    client = await door.client(await keys.new("north", scopes=[Scope.AUDIT_READ]))
    told: list[str] = []
    cursor = None
    for _ in range(4):
        answer = (await client.get(AUDIT, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        assert {item["park_id"] for item in answer["items"]} == {"north"}
        told += [item["path"] for item in answer["items"]]
        cursor = answer["next"]
    assert cursor is None
    assert told == ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]
    of_one = (await client.get(AUDIT, params={"actor": "actor-0", "path": "/4"})).json()["items"]
    assert [(item["actor"], item["path"], item["via"]) for item in of_one] == [("actor-0", "/4", "key")]
    since = (utc_now() - timedelta(hours=3, minutes=30)).isoformat()
    until = (utc_now() - timedelta(hours=1, minutes=30)).isoformat()
    span = (await client.get(AUDIT, params={"start": since, "end": until})).json()["items"]
    assert [item["path"] for item in span] == ["/2", "/3"]
    for wrong in ({"cursor": "x"}, {"cursor": "9" * 30 + "-1"}, {"cursor": "1-" + "9" * 20}):
        assert (await client.get(AUDIT, params=wrong)).status_code == 400
    unfit = ({"limit": "0"}, {"start": "yesterday"}, {"start": "2026-01-01T00:00:00"}, {"path": "/\0"}, {"actor": "\0"})
    for wrong in (*unfit, {"start": "0001-01-01T00:00:00+08:00"}):
        assert (await client.get(AUDIT, params=wrong)).status_code == 422


async def test_the_audit_is_for_those_that_were_given_it(door: Door, keys: Keys) -> None:
    for scopes in ([Scope.READ, Scope.WRITE], [Scope.ALARMS_READ]):
        client = await door.client(await keys.new("*", scopes=scopes))
        for path in (AUDIT, f"{AUDIT}/export", "/api/v1/audit", "/api/v1/audit/export"):
            assert (await client.get(path)).status_code == 403
    of_north = await door.client(await keys.new("north", scopes=[Scope.ADMIN]))
    assert (await of_north.get(AUDIT)).status_code == 200
    assert (await of_north.get("/api/v1/audit")).status_code == 403
    assert (await of_north.get("/api/v1/audit/export")).status_code == 403
    assert (await of_north.get(AUDIT.replace("north", "south"))).status_code == 404


async def test_the_audit_is_exported_whole_and_harmless(
    door: Door, keys: Keys, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_store, "_PIECE", 3)
    await filled(store)
    formula = AuditEntry(utc_now(), "p", '=HYPERLINK("http://x")', "POST", "/x", "north", 200, "t")
    await store.append_audit([formula])
    client = await door.client(await keys.new("*", scopes=[Scope.ADMIN]))
    answer = await client.get(f"{AUDIT}/export")
    assert "audit-north.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["path"] for row in rows] == ["/7", "/6", "/5", "/4", "/3", "/2", "/1", "/x"]
    assert rows[-1]["actor"] == "'" + formula.actor
    lines = (await client.get("/api/v1/audit/export?format=ndjson")).text.splitlines()
    assert len(lines) == 15
    assert json.loads(lines[-1])["actor"] == formula.actor


async def test_what_the_command_line_does_is_recorded_and_told(admin: Admin) -> None:
    made = await admin("create-key", "--name", "k", "--park", "north")
    prefix = made.out.split("_")[1]
    await admin("revoke-key", "k")
    await admin("revoke-key", "k")
    await admin("create-organisation", "--id", "o", "--kind", "park", "--name", "O", "--park", "north")
    lines = [json.loads(line) for line in (await admin("audit", "--format", "ndjson")).out.splitlines()]
    assert [(line["method"], line["path"]) for line in lines] == [
        ("create-key", f"/keys/{prefix}"),
        ("revoke-key", f"/keys/{prefix}"),
        ("create-organisation", "/organisations/o"),
    ]
    assert all(line["actor"].startswith("admin (") and line["via"] == "command-line" for line in lines)
    assert (await admin("audit", "--start", "2026-01-01")).status == 2
    of_north = await admin("audit", "--park", "north")
    assert of_north.out.splitlines() == [",".join(COLUMNS)]
