"""Everything that a person can mend is told in one line that names the remedy, with exit status 2."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from launcher import install
from launcher.tell import Refusal
from launcher.workspace import Workspace
from tests.support.databases import ROOT


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launcher", *arguments],
        cwd=ROOT,
        env=os.environ | {"FENCELINE_HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def is_one_line(said: str) -> bool:
    return said.count("\n") == 1 and re.search(r"[a-z]", said) is not None and re.search(r"[一-鿿]", said) is not None


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for name in ("FENCELINE_HTTP_PORT", "FENCELINE_INGEST_HJ212_PORT"):
            done = start(tmp_path, "run", **{name: str(port)})
            assert done.returncode == 2
            assert is_one_line(done.stderr)
            assert f"port {port} is in use" in done.stderr
            assert f"{name}={port + 1} make run" in done.stderr


def test_a_second_start_while_one_runs(workspace: Workspace) -> None:
    with workspace.held():
        workspace.remember({"page": "http://127.0.0.1:1234"})
        done = start(workspace.folder, "run")
    assert done.returncode == 2
    assert is_one_line(done.stderr)
    assert "http://127.0.0.1:1234" in done.stderr
    assert f"kill {os.getpid()}" in done.stderr
    assert start(workspace.folder, "status").returncode == 1


def test_a_setting_that_is_no_number(tmp_path: Path) -> None:
    done = start(tmp_path, "run", FENCELINE_HTTP_PORT="http")
    assert (done.returncode, is_one_line(done.stderr)) == (2, True)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start(tmp_path / "file" / "home", "run")
    assert (done.returncode, is_one_line(done.stderr)) == (2, True)


def test_a_full_disk(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 100, 5_000_000))
    with pytest.raises(Refusal, match=r"5 MB free .* free some space"):
        workspace.prepare()
    with pytest.raises(Refusal, match=r"5 MB free .* free some space"):
        install.check_room()


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(Refusal, match=r"Python 3.11 or newer is needed, this is 3.9"):
        install.check_python()


def test_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match=r"node was not found: install Node.js 20"):
        install.check_node()


@pytest.mark.parametrize(("version", "refused"), [("v18.19.0", True), ("v20.0.0", False), ("v24.1.0", False)])
def test_an_old_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, refused: bool) -> None:
    for tool in ("node", "npm"):
        (tmp_path / tool).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if refused:
        with pytest.raises(Refusal, match=f"Node.js 20 or newer is needed, this is {version}"):
            install.check_node()
    else:
        install.check_node()


def test_a_step_that_fails_names_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "LOG", tmp_path / "logs" / "install.log")
    with pytest.raises(Refusal, match=r"sh failed: ERROR: no route .*install.log"):
        install.quietly(["sh", "-c", "echo begins; echo ERROR: no route; echo done; exit 1"], tmp_path)
    assert "begins" in (tmp_path / "logs" / "install.log").read_text()
    with pytest.raises(Refusal, match=r"the disk is full"):
        install.quietly(["sh", "-c", "echo OSError: No space left on device; exit 1"], tmp_path)


def test_a_stamp_follows_its_inputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    pins = tmp_path / "run.txt"
    pins.write_text("one")
    stamp = tmp_path / "stamp"
    assert not install.is_current(stamp, install.fingerprint([pins]))
    stamp.write_text(install.fingerprint([pins]))
    assert install.is_current(stamp, install.fingerprint([pins]))
    pins.write_text("two")
    assert not install.is_current(stamp, install.fingerprint([pins]))
