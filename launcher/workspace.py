"""The folder `.fenceline/`: data, logs and secrets of one installation, used by one launcher at a time."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launcher.embedded import kept_secret, write_private
from launcher.tell import Refusal

ROOM_TO_RUN_MB = 300


class Workspace:
    """Paths and secrets below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._secrets = self.folder / "secrets"

    def prepare(self) -> None:
        """Make the folders; Refusal where the disk has no room to run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._secrets.mkdir(exist_ok=True, mode=0o700)
        self.data.mkdir(exist_ok=True, mode=0o711)  # PostgreSQL may run under another account
        free_mb = shutil.disk_usage(self.folder).free // 1_000_000
        if free_mb < ROOM_TO_RUN_MB:
            raise Refusal(
                f"{free_mb} MB free on the disk of {self.folder}, {ROOM_TO_RUN_MB} MB needed: "
                "free some space, then again",
                f"{self.folder} 所在磁盘仅剩 {free_mb} MB，需要 {ROOM_TO_RUN_MB} MB：请清理后重试",
            )

    def log(self, name: str) -> Path:
        """The log file of a program."""
        return self.folder / "logs" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """The process id file of a program."""
        return self.folder / "pids" / name

    def secret(self, name: str) -> str:
        """A secret that is made once and kept."""
        return kept_secret(self._secrets / name)

    def secret_file(self, name: str) -> Path:
        """Where a secret lies (0600)."""
        return self._secrets / name

    def remember(self, facts: dict[str, object]) -> None:
        """Tell other launchers (a second start, `status`, `seed`) about this one."""
        write_private(self.folder / "running.json", json.dumps({"pid": os.getpid()} | facts))

    def running(self) -> dict[str, object] | None:
        """What the launcher that runs now told, or None when none does."""
        with contextlib.suppress(FileNotFoundError), (self.folder / "lock").open("rb") as lock:
            if _taken(lock.fileno()):
                with contextlib.suppress(OSError, ValueError):
                    found: dict[str, object] = json.loads((self.folder / "running.json").read_text())
                    return found
                return {}
        return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only launcher on this folder; Refusal when another one is."""
        with (self.folder / "lock").open("ab") as lock:
            if _taken(lock.fileno(), keep=True):
                other = self.running() or {}
                where, pid = other.get("page", self.folder), other.get("pid", "?")
                raise Refusal(
                    f"Fenceline already runs here: {where} (process {pid}; stop it with Ctrl-C there, or `kill {pid}`)",
                    f"Fenceline 已在运行：{where}（进程 {pid}；在其终端按 Ctrl-C，或执行 `kill {pid}` 停止）",
                )
            try:
                yield
            finally:
                (self.folder / "running.json").unlink(missing_ok=True)


def _taken(descriptor: int, *, keep: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    if not keep:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
