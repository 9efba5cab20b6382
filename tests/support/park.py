"""The whole system, brought up by `make run` as a user would, on ports and in a folder of its own."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
import psutil

from launcher.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PARK_ID = "bohai-demo"
START_LIMIT_S = 240
Found = TypeVar("Found")


@dataclass
class RunningPark:
    """A park that runs; `launcher` is the process that `make run` became."""

    base_url: str
    api_key: str
    hj212_port: int
    folder: Path
    launcher: subprocess.Popen[bytes]
    output: Path
    started_in_s: float

    @property
    def api(self) -> httpx.Client:
        """A client of the public API with the demo's key; close it."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=f"{self.base_url}/api/v1", headers=headers, timeout=10, trust_env=False)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON answer of a GET below the park."""
        with self.api as api:
            answer = api.get(f"/parks/{PARK_ID}/{path}", params=parameters)
            answer.raise_for_status()
            return answer.json()

    def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The items of a list below the park."""
        found: list[dict[str, Any]] = self.get(path, **parameters)["items"]
        return found

    def truth(self) -> list[dict[str, Any]]:
        """What only the simulator knows: the releases, so far."""
        path = self.folder / "data" / "simulator" / "truth.json"
        return json.loads(path.read_text())["releases"] if path.exists() else []

    @property
    def database_url(self) -> str:
        """The database that the services use."""
        return str(json.loads((self.folder / "running.json").read_text())["database_url"])

    def processes(self) -> dict[str, psutil.Process]:
        """The programs that the launcher watches over, by what their command line names."""
        named = {}
        for process in psutil.Process(self.launcher.pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if found := re.search(r"-m (services\.[a-z.]+|simulator)\b", line):
                named[found.group(1)] = process
            elif found := re.search(r"(valkey-server|bin/postgres)\b", line):
                named.setdefault(found.group(1).rsplit("/", maxsplit=1)[-1], process)
        return named


def eventually(look: Callable[[], Found | Literal[False] | None], within_s: float, what: str) -> Found:
    """The first true value of `look`; AssertionError when there is none in time."""
    until = time.monotonic() + within_s
    while True:
        try:
            found = look()
        except (httpx.HTTPError, KeyError):
            found = None
        if found:
            return found
        assert time.monotonic() < until, f"not within {within_s:g} s: {what}"
        time.sleep(0.2)


@contextmanager
def running_park(folder: Path, *, speed: float, **environment: str) -> Iterator[RunningPark]:
    """`make run` until its banner; stopped by Ctrl-C at the end, and nothing may be left of it then."""
    ports = free_port(), free_port()
    output = folder.with_suffix(".log")
    begun = time.monotonic()
    with output.open("wb") as log:
        launcher = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=os.environ
            | {
                "FENCELINE_HOME": str(folder),
                "FENCELINE_HTTP_PORT": str(ports[0]),
                "FENCELINE_INGEST_HJ212_PORT": str(ports[1]),
                "FENCELINE_DEMO_SPEED": str(speed),
            }
            | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        key = _key_in_banner(launcher, output)
        yield RunningPark(
            f"http://127.0.0.1:{ports[0]}", key, ports[1], folder, launcher, output, time.monotonic() - begun
        )
    finally:
        _stop(launcher)


def _key_in_banner(launcher: subprocess.Popen[bytes], output: Path) -> str:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        said = output.read_text(errors="replace")
        if "Ctrl-C" in said and (found := re.search(r"KEY=(fl_\S+)", said)):
            return found.group(1)
        assert launcher.poll() is None, f"make run ended with {launcher.returncode}:\n{said[-4000:]}"
        time.sleep(0.2)
    raise AssertionError(f"no banner in {START_LIMIT_S} s:\n{output.read_text(errors='replace')[-4000:]}")


def _stop(launcher: subprocess.Popen[bytes]) -> None:
    family = [launcher_process] if (launcher_process := _process(launcher.pid)) else []
    family += [child for parent in list(family) for child in parent.children(recursive=True)]
    os.killpg(launcher.pid, signal.SIGINT)
    try:
        launcher.wait(30)
    finally:
        _, left = psutil.wait_procs(family, timeout=5)
        for process in left:
            process.kill()
    assert not left, f"left over after Ctrl-C: {[process.pid for process in left]}"


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
