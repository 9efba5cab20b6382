"""The embedded servers: they come up, keep their data, and never outlive who started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
from launcher.leftovers import command_line, end_leftover
from tests.support.databases import ROOT

_HOLD = """
import sys, time
from pathlib import Path
from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
folder = Path(sys.argv[1])
EmbeddedPostgres(folder / "postgres", durable=False).start()
EmbeddedValkey(folder / "valkey", durable=False).start()
print("up", flush=True)
time.sleep(60)
"""


def _wait_gone(pid: int, timeout_s: float = 10) -> bool:
    limit = time.monotonic() + timeout_s
    while time.monotonic() < limit:
        if command_line(pid) is None:
            return True
        time.sleep(0.05)
    return False


def _first_number(path: Path) -> int:
    return int(path.read_text().split()[0])


def test_data_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with EmbeddedPostgres(tmp_path / "postgres") as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)

    for expected in (1, 2):
        with EmbeddedValkey(tmp_path / "valkey") as valkey, redis.Redis.from_url(valkey.url) as client:
            assert client.incr("starts") == expected


def test_nobody_gets_in_without_the_password(postgres_server: EmbeddedPostgres, redis_url: str) -> None:
    url = f"postgresql://fenceline:wrong@127.0.0.1:{postgres_server.port}/fenceline"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)
    bare = "redis://" + redis_url.split("@", 1)[1]
    with redis.Redis.from_url(bare) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    assert (postgres_server.data_dir / "password").stat().st_mode & 0o077 == 0


def test_servers_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout as output:
        assert output.readline() == "up\n"
    pids = [
        _first_number(tmp_path / "postgres/cluster/postmaster.pid"),
        _first_number(tmp_path / "valkey/valkey.pid"),
    ]
    holder.kill()
    holder.wait()
    assert [_wait_gone(pid) for pid in pids] == [True, True]


def test_a_server_that_was_left_running_is_ended_before_the_next_one(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path / "postgres", durable=False).start()
    second = EmbeddedPostgres(tmp_path / "postgres", durable=False).start()
    assert second.is_ready()
    assert not first.is_ready()
    first.stop()
    assert second.is_ready()
    second.stop()

    valkey = EmbeddedValkey(tmp_path / "valkey").start()
    with EmbeddedValkey(tmp_path / "valkey") as later:
        assert later.is_ready()
        assert not valkey.is_ready()
        valkey.stop()


def test_a_process_id_that_is_someone_elses_now_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pid_file = tmp_path / "valkey.pid"
    pid_file.write_text(f"{bystander.pid}\n")
    assert end_leftover(pid_file, str(tmp_path), signal.SIGKILL) is False
    assert not pid_file.exists()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()

    folder = tmp_path / "postgres"
    with EmbeddedPostgres(folder, durable=False):
        pass
    (folder / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/cluster\n")
    with EmbeddedPostgres(folder, durable=False) as server:
        assert server.is_ready()
