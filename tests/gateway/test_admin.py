"""Keys from the command line, as an operator uses it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from services.gateway.auth import ApiKey, Scope
from services.gateway.store import Store
from tests.gateway.conftest import Door
from tests.support.databases import ROOT


def admin(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.gateway.admin", *arguments],
        cwd=ROOT,
        env=os.environ | {"FENCELINE_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def create(database_url: str, *more: str) -> subprocess.CompletedProcess[str]:
    options = ["--name", "demo", "--park", "north", "--scope", "read", "--scope", "write"]
    return admin(database_url, "create-key", *options, *more)


async def test_a_key_is_made_used_listed_and_revoked(door: Door, database_url: str) -> None:
    made = create(database_url)
    assert made.returncode == 0, made.stderr
    text = made.stdout.splitlines()[0]
    key = ApiKey.parse(text)
    assert key is not None
    client = await door.client(text)
    assert (await client.get("/api/v1/parks/north/stations")).status_code == 200
    assert (await client.get("/api/v1/parks/south/stations")).status_code == 404

    listed = admin(database_url, "list-keys").stdout
    assert f"{key.prefix}  demo" in listed
    assert "valid" in listed
    assert key.secret not in listed

    assert create(database_url).returncode == 2, "the name is taken"
    assert admin(database_url, "revoke-key", "demo").returncode == 0
    assert "revoked" in admin(database_url, "list-keys").stdout
    again = admin(database_url, "revoke-key", "demo")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


async def test_a_key_file_makes_it_repeatable(database_url: str, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "demo-key"
    for _ in range(2):
        assert create(database_url, "--key-file", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = ApiKey.parse(file.read_text().strip())
    assert key is not None
    [record] = await store.keys()
    assert record.belongs_to(key)
    assert (record.parks, record.scopes) == ({"north"}, {Scope.READ, Scope.WRITE})

    more = create(database_url, "--park", "south", "--key-file", str(file))
    assert more.returncode == 0
    assert key.secret not in more.stdout
    [record] = await store.keys()
    assert record.parks == {"north", "south"}

    admin(database_url, "revoke-key", "demo")
    assert create(database_url, "--key-file", str(file)).returncode == 2


def test_faults_are_one_clear_line(database_url: str, empty_database_url: str, tmp_path: Path, unused_port) -> None:
    nonsense = tmp_path / "key"
    nonsense.write_text("nonsense")
    for outcome, words in (
        (create(database_url, "--key-file", str(nonsense)), "holds no key"),
        (create(empty_database_url), "shared.migrate gateway"),
        (create(f"postgresql://a:b@127.0.0.1:{unused_port()}/x"), "FENCELINE_DATABASE_URL"),
    ):
        assert outcome.returncode == 2
        assert words in outcome.stderr
        assert outcome.stderr.count("\n") == 1, outcome.stderr
    assert admin(database_url, "create-key", "--name", "x\ny", "--park", "north").returncode == 2
    assert admin(database_url, "create-key", "--name", "x", "--park", "North/..").returncode == 2
