"""Who did what stays on record."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.gateway.audit import Audit
from services.gateway.audit_store import AuditEntry
from services.gateway.key_directory import FRESH_S
from services.gateway.scopes import Scope
from services.gateway.store import Store
from shared.problems import Unavailable
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys, Settings, open_door
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
