"""A model service with its worker and stores, as processes on loopback, in a folder that goes away with them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from launcher.embedded import EmbeddedPostgres, EmbeddedValkey
from launcher.ports import free_port

_START_S = 60.0
_STOP_S = 10.0
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Service:
    """Where the service listens, and the secret that it asks for."""

    url: str
    token: str

    def client(self) -> httpx.Client:
        """A client that keeps its connection."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60.0, trust_env=False
        )


@contextmanager
def running() -> Iterator[Service]:
    """Start everything durable as `make run` does, wait until it is ready, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="fenceline-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)  # PostgreSQL may run under another account
        postgres = stack.enter_context(EmbeddedPostgres(Path(folder) / "postgres"))
        valkey = stack.enter_context(EmbeddedValkey(Path(folder) / "valkey"))
        port, token = free_port(), secrets.token_urlsafe(32)
        environment = os.environ | {
            "PYTHONPATH": str(_ROOT),
            "FENCELINE_DATABASE_URL": postgres.url,
            "FENCELINE_REDIS_URL": valkey.url,
            "FENCELINE_INTERNAL_TOKEN": token,
            "FENCELINE_MODEL_PORT": str(port),
            # Nothing here asks ingest or alerts; nobody listens there.
            "FENCELINE_INGEST_URL": "http://127.0.0.1:1",
            "FENCELINE_ALERTS_URL": "http://127.0.0.1:1",
            "FENCELINE_LOG_LEVEL": "error",
        }
        subprocess.run([sys.executable, "-m", "shared.migrate", "model"], env=environment, cwd=_ROOT, check=True)
        for module in ("services.model", "services.model.worker"):
            stack.enter_context(_process([sys.executable, "-m", module], environment, Path(folder) / f"{module}.log"))
        service = Service(f"http://127.0.0.1:{port}", token)
        _wait(service)
        yield service


@contextmanager
def _process(command: list[str], environment: dict[str, str], log_path: Path) -> Iterator[None]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(service: Service) -> None:
    limit = time.monotonic() + _START_S
    with service.client() as client:
        while time.monotonic() < limit:
            try:
                if client.get("/health/live").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    raise RuntimeError(f"the model service did not answer within {_START_S:.0f} s")
