"""Services with their stores, as processes on loopback, in a folder that goes away with them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import psutil

from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
from launcher.ports import free_port
from shared.http_client import ServiceAuth

_START_S = 60.0
_STOP_S = 10.0
_ROOT = Path(__file__).parent.parent
_HTTP = ("ingest", "alerts", "model", "gateway")


@dataclass(frozen=True, slots=True)
class System:
    """Where the services listen, and the secret that they ask for; ``processes`` has the id of each by its module."""

    ports: Mapping[str, int]
    hj212_port: int
    token: str
    database_url: str
    redis_url: str
    processes: Mapping[str, int]
    restart: Callable[[str], None]
    """End a module's process and start it again; returns once it is ready."""

    def url(self, service: str) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def client(self, service: str) -> httpx.Client:
        """A client of one service that keeps its connection."""
        auth = ServiceAuth(self.token, "bench", service)
        return httpx.Client(base_url=self.url(service), auth=auth, timeout=60.0, trust_env=False)


@contextmanager
def running(
    *modules: str, settings: Mapping[str, str] | None = None, until: Literal["live", "ready"] = "ready"
) -> Iterator[System]:
    """Start everything durable as `make run` does, wait until it is ready, and end it afterwards.

    ``modules`` such as ``services.ingest`` or ``services.model.worker``; ``settings`` are further FENCELINE variables.
    A service that is not started has an address where nobody listens; who misses it is never ready, but live.
    """
    with tempfile.TemporaryDirectory(prefix="fenceline-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)  # PostgreSQL may run under another account
        postgres = stack.enter_context(EmbeddedPostgres(Path(folder) / "postgres"))
        valkey = stack.enter_context(EmbeddedValkey(Path(folder) / "valkey"))
        started = [name for name in _HTTP if f"services.{name}" in modules]
        ports = {name: free_port() if name in started else 1 for name in _HTTP}
        hj212_port, token = free_port(), secrets.token_urlsafe(32)
        environment = os.environ | {
            "PYTHONPATH": str(_ROOT),
            "FENCELINE_DATABASE_URL": postgres.url,
            "FENCELINE_REDIS_URL": valkey.url,
            "FENCELINE_INTERNAL_TOKEN": token,
            "FENCELINE_INGEST_HJ212_PORT": str(hj212_port),
            "FENCELINE_LOG_LEVEL": "error",
            **{f"FENCELINE_{name.upper()}_PORT": str(port) for name, port in ports.items()},
            **{f"FENCELINE_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()},
            **(settings or {}),
        }
        for name in started:
            subprocess.run([sys.executable, "-m", "shared.migrate", name], env=environment, cwd=_ROOT, check=True)

        def start(module: str) -> int:
            command = [sys.executable, "-m", module]
            return stack.enter_context(_process(command, environment, Path(folder) / f"{module}.log"))

        def restart(module: str) -> None:
            old = psutil.Process(processes[module])
            old.terminate()
            old.wait(_STOP_S)
            processes[module] = start(module)
            name = module.removeprefix("services.")
            _wait(system, name, "ready", Path(folder) / f"{module}.log")

        processes = {module: start(module) for module in modules}
        system = System(ports, hj212_port, token, postgres.url, valkey.url, processes, restart)
        for name in started:
            _wait(system, name, until, Path(folder) / f"services.{name}.log")
        yield system


@contextmanager
def _process(command: list[str], environment: dict[str, str], log_path: Path) -> Iterator[int]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(system: System, name: str, until: str, log_path: Path) -> None:
    limit = time.monotonic() + _START_S
    with system.client(name) as client:
        while time.monotonic() < limit:
            try:
                if client.get(f"/health/{until}").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    last = log_path.read_text(errors="replace").strip().rpartition("\n")[2]
    raise RuntimeError(f"{name} was not {until} within {_START_S:.0f} s: {last or 'it wrote nothing'}")
