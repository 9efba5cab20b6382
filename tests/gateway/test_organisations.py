"""Organisations, members and rotated keys, as an operator with only a shell makes them."""

from datetime import timedelta

import pytest

from services.gateway.auth import ApiKey
from services.gateway.store import Store
from shared.time import utc_now
from tests.gateway.conftest import Admin, Door

STATIONS = "/api/v1/parks/{}/stations"
ACKNOWLEDGE = "/api/v1/parks/north/alarms/a1/acknowledge"
VENDOR = ("create-organisation", "--id", "acme", "--kind", "vendor", "--name", "Acme 公司", "--park", "north")
MACHINE = ("create-member", "--id", "acme-loader", "--organisation", "acme", "--kind", "machine", "--scope", "read")
KEY = ("create-key", "--name", "loader", "--member", "acme-loader", "--park", "north", "--park", "south")


def shown(text: str) -> str:
    first = text.splitlines()[0]
    assert ApiKey.parse(first) is not None, text
    return first


async def test_a_key_has_no_more_rights_than_its_member_and_their_organisation(door: Door, admin: Admin) -> None:
    assert (await admin(*KEY)).status == 2, "the member does not exist"
    assert (await admin(*MACHINE)).status == 2, "the organisation does not exist"
    for command in (VENDOR, (*MACHINE, "--park", "north", "--park", "south")):
        for _ in range(2):
            assert (await admin(*command)).status == 0
    client = await door.client(shown((await admin(*KEY, "--scope", "read", "--scope", "write")).out))
    assert (await client.get(STATIONS.format("north"))).status_code == 200
    assert (await client.get(STATIONS.format("south"))).status_code == 404, "not a park of the organisation"
    assert (await client.post(ACKNOWLEDGE, json={})).status_code == 403, "not a scope of the member"
    assert "Acme 公司" in (await admin("list-organisations")).out
    assert "acme-loader  acme" in (await admin("list-members")).out
    nothing = await admin("create-key", "--name", "x", "--member", "acme-loader", "--park", "south")
    assert (nothing.status, nothing.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("what", [("organisation", "acme"), ("member", "acme-loader")])
async def test_who_is_shut_out_is_out_with_every_key(door: Door, admin: Admin, what: tuple[str, str]) -> None:
    await admin(*VENDOR)
    await admin(*MACHINE)
    client = await door.client(shown((await admin(*KEY)).out))
    kind, id_ = what
    for command, status in ((f"disable-{kind}", 401), (f"enable-{kind}", 200)):
        assert (await client.get(STATIONS.format("north"))).status_code == (200 if status == 401 else 401)
        assert (await admin(command, id_)).status == 0
        door.gateway.keys._remembered.clear()
        assert (await client.get(STATIONS.format("north"))).status_code == status
    assert (await admin(f"disable-{kind}", "nobody")).status == 2


async def test_a_member_is_of_one_organisation_and_one_subject(admin: Admin) -> None:
    await admin(*VENDOR)
    await admin(*VENDOR[:2], "other", *VENDOR[3:])
    await admin(*MACHINE)
    moved = await admin(*MACHINE[:4], "other", *MACHINE[5:])
    assert (moved.status, moved.err.count("\n")) == (2, 1)
    oidc = ("--issuer", "https://id.example", "--subject", "u1")
    assert (await admin(*MACHINE, *oidc)).status == 0
    taken = await admin(*MACHINE[:2], "second", *MACHINE[3:], *oidc)
    assert (taken.status, "issuer and subject" in taken.err) == (2, True)
    assert (await admin(*MACHINE, *oidc[:2])).status == 2
    assert (await admin(*MACHINE[:2], "Not/An/Id", *MACHINE[3:])).status == 2


async def test_a_rotated_key_and_its_successor_are_both_good_for_the_overlap(
    door: Door, admin: Admin, store: Store
) -> None:
    old = shown((await admin("create-key", "--name", "vendor", "--park", "north")).out)
    made = await admin("rotate-key", "vendor", "--overlap-days", "3")
    new = shown(made.out)
    assert old[-43:] not in made.out
    for key in (old, new):
        answer = await (await door.client(key)).get(STATIONS.format("north"))
        assert answer.status_code == 200
        assert dict(answer.json()["headers"])["x-fenceline-actor"] == "vendor", "journals go on with one name"
    before, after = await store.keys()
    assert before.successor == after.prefix
    assert before.expires_at is not None
    assert abs(before.expires_at - utc_now() - timedelta(days=3)) < timedelta(minutes=5)
    assert (after.parks, after.scopes, after.expires_at) == (before.parks, before.scopes, None)
    assert "rotated" in (await admin("list-keys")).out

    assert (await admin("rotate-key", before.prefix)).status == 2, "it was rotated already"
    newest = shown((await admin("rotate-key", "vendor", "--overlap-days", "0")).out)
    assert (await (await door.client(newest)).get(STATIONS.format("north"))).status_code == 200
    door.gateway.keys._remembered.clear()
    assert (await (await door.client(new)).get(STATIONS.format("north"))).status_code == 401, "no overlap was given"
    assert (await admin("revoke-key", "vendor")).status == 0
    door.gateway.keys._remembered.clear()
    for key in (old, new, newest):
        assert (await (await door.client(key)).get(STATIONS.format("north"))).status_code == 401
    assert (await admin("rotate-key", "vendor")).status == 2
