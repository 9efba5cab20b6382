"""Keys from the command line, as an operator uses it."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from services.gateway.auth import ApiKey
from services.gateway.scopes import Scope
from services.gateway.store import Store
from tests.gateway.conftest import Admin, Door
from tests.support.databases import ROOT

CREATE = ("create-key", "--name", "demo", "--park", "north", "--scope", "read", "--scope", "write")


async def test_a_key_is_made_used_listed_and_revoked(door: Door, admin: Admin) -> None:
    made = await admin(*CREATE)
    assert made.status == 0, made.err
    text = made.out.splitlines()[0]
    key = ApiKey.parse(text)
    assert key is not None
    client = await door.client(text)
    assert (await client.get("/api/v1/parks/north/stations")).status_code == 200
    assert (await client.get("/api/v1/parks/south/stations")).status_code == 404

    listed = (await admin("list-keys")).out
    assert f"{key.prefix}  demo" in listed
    assert "valid" in listed
    assert key.secret not in listed

    assert (await admin(*CREATE)).status == 2, "the name is taken"
    assert (await admin("revoke-key", "demo")).status == 0
    assert "revoked" in (await admin("list-keys")).out
    again = await admin("revoke-key", "demo")
    assert (again.status, again.err.count("\n")) == (2, 1)


async def test_a_key_file_makes_it_repeatable(admin: Admin, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "demo-key"
    for _ in range(2):
        assert (await admin(*CREATE, "--key-file", str(file))).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = ApiKey.parse(file.read_text().strip())
    assert key is not None
    [record] = await store.keys()
    assert record.belongs_to(key)
    assert (record.parks, record.scopes) == (frozenset({"north"}), frozenset({Scope.READ, Scope.WRITE}))

    more = await admin(*CREATE, "--park", "south", "--key-file", str(file))
    assert more.status == 0
    assert key.secret not in more.out
    [record] = await store.keys()
    assert record.parks == {"north", "south"}

    await admin("revoke-key", "demo")
    assert (await admin(*CREATE, "--key-file", str(file))).status == 2


async def test_faults_are_one_clear_line(
    admin: Admin, empty_database_url: str, tmp_path: Path, unused_port: Callable[[], int]
) -> None:
    nonsense = tmp_path / "key"
    nonsense.write_text("nonsense")
    for outcome, words in (
        (await admin(*CREATE, "--key-file", str(nonsense)), "holds no key"),
        (await admin(*CREATE, url=empty_database_url), "shared.migrate gateway"),
        (await admin(*CREATE, url=f"postgresql://a:b@127.0.0.1:{unused_port()}/x"), "FENCELINE_DATABASE_URL"),
    ):
        assert outcome.status == 2
        assert words in outcome.err
        assert outcome.err.count("\n") == 1, outcome.err
    assert (await admin("create-key", "--name", "x\ny", "--park", "north")).status == 2
    assert (await admin("create-key", "--name", "x", "--park", "North/..")).status == 2


def test_it_is_a_program(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway.admin", "list-keys"],
        cwd=ROOT,
        env=os.environ | {"FENCELINE_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PREFIX")
