"""Which programs make up a running system, and what each is told."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field, replace

import httpx

from launcher.embedded import Embedded, EmbeddedPostgres, EmbeddedValkey
from launcher.leashed import leashed
from launcher.options import Options
from launcher.ports import free_port
from launcher.program import Program
from launcher.workspace import Workspace

SERVICES = ("ingest", "alerts", "model", "gateway")
COLOURS = {
    "ingest": "36",
    "alerts": "33",
    "model": "35",
    "worker": "95",
    "gateway": "32",
    "simulator": "34",
    "postgres": "90",
    "valkey": "90",
}
DEMO_KEY = "demo-api-key"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one start needs to know; ports of internal services are chosen once and kept over restarts."""

    options: Options
    workspace: Workspace
    postgres: EmbeddedPostgres | None
    valkey: EmbeddedValkey | None
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in ("ingest", "alerts", "model")})

    @classmethod
    def make(cls, options: Options, workspace: Workspace) -> "Plan":
        """A plan with embedded stores where the options name no others."""
        postgres = None if options.database_url else EmbeddedPostgres(workspace.data / "postgres")
        valkey = None if options.redis_url else EmbeddedValkey(workspace.data / "valkey")
        return cls(options, workspace, postgres, valkey)

    @classmethod
    def outside(cls, options: Options, workspace: Workspace, database_url: str) -> "Plan":
        """A plan for a command beside a system that already runs on `database_url`."""
        unused = "redis://127.0.0.1:1/0"
        return cls(replace(options, database_url=database_url, redis_url=unused), workspace, None, None)

    @property
    def database_url(self) -> str:
        """The database that the services use; known once the embedded one is prepared."""
        return self.options.database_url or (self.postgres.url if self.postgres else "")

    @property
    def redis_url(self) -> str:
        """The Redis that the services use."""
        return self.options.redis_url or (self.valkey.url if self.valkey else "")

    def stores(self) -> list[Program]:
        """The embedded PostgreSQL and Valkey, as far as they are needed."""
        servers: list[tuple[str, Embedded | None]] = [("postgres", self.postgres), ("valkey", self.valkey)]
        return [_store(name, server) for name, server in servers if server is not None]

    def services(self) -> list[Program]:
        """The services behind the gateway, and the model worker."""
        programs = [self._service(name, self.ports[name]) for name in ("ingest", "alerts", "model")]
        return [*programs, self._python("worker", "services.model.worker")]

    def gateway(self) -> Program:
        """The gateway, whose page opens by itself with the demo's key."""
        key = self.workspace.secret_file(DEMO_KEY).read_text().strip()
        return self._service("gateway", self.options.page_port, {"FENCELINE_GATEWAY_DEMO_KEY": key})

    def simulator(self) -> Program:
        """The simulated park, which goes on where it was."""
        folder = self.workspace.data / "simulator"
        folder.mkdir(exist_ok=True)
        arguments = ["--park", str(self.options.park), "--speed", f"{self.options.speed:g}"]
        arguments += ["--host", self.options.hj212_near, "--port", str(self.options.hj212_port)]
        if not os.environ.get("FENCELINE_SIMULATOR_STATE"):
            arguments += ["--state", str(folder / "state.json")]
        if not os.environ.get("FENCELINE_SIMULATOR_TRUTH"):
            arguments += ["--truth", str(folder / "truth.json")]
        return self._python("simulator", "simulator", *arguments)

    def environment(self) -> dict[str, str]:
        """What every service is told."""
        near = {f"FENCELINE_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        return near | {
            "FENCELINE_DATABASE_URL": self.database_url,
            "FENCELINE_REDIS_URL": self.redis_url,
            "FENCELINE_INTERNAL_TOKEN": self.workspace.secret("internal-token"),
            "FENCELINE_SESSION_SECRET": self.workspace.secret("session-secret"),
            "FENCELINE_INGEST_HJ212_HOST": self.options.hj212_host,
            "FENCELINE_INGEST_HJ212_PORT": str(self.options.hj212_port),
            "FENCELINE_GATEWAY_HOST": self.options.page_host,
            "FENCELINE_LOG_FORMAT": os.environ.get("FENCELINE_LOG_FORMAT") or "console",
            "PYTHONUNBUFFERED": "1",
        }

    def _service(self, name: str, port: int, more: dict[str, str] | None = None) -> Program:
        url = f"http://127.0.0.1:{port}/health/ready"

        async def ready() -> bool:
            try:
                async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
                    return (await client.get(url)).status_code == 200
            except httpx.HTTPError:
                return False

        environment = self.environment() | {f"FENCELINE_{name.upper()}_PORT": str(port)} | (more or {})
        module = f"services.{name}"
        return Program(
            name=name,
            command=lambda: leashed([sys.executable, "-m", module], last_signal=signal.SIGKILL),
            mark=f"-m {module}",
            colour=COLOURS[name],
            environment=environment,
            ready=ready,
        )

    def _python(self, name: str, module: str, *arguments: str) -> Program:
        return Program(
            name=name,
            command=lambda: leashed([sys.executable, "-m", module, *arguments], last_signal=signal.SIGKILL),
            mark=f"-m {module}",
            colour=COLOURS[name],
            environment=self.environment(),
        )


def _store(name: str, server: Embedded) -> Program:
    async def ready() -> bool:
        return await asyncio.to_thread(server.is_ready)

    return Program(
        name=name,
        command=server.command,
        mark=str(server.data_dir),
        colour=COLOURS[name],
        prepare=server.prepare,
        ready=ready,
        stop_signal=server.stop_signal,
        echo=False,
    )
