"""End what an earlier launcher left running: found by its process id file, checked by its command line."""

import os
import signal
import subprocess
import time
from pathlib import Path


def command_line(pid: int) -> str | None:
    """The command line of a running process, or None when there is no such process (or it is a zombie)."""
    record = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return record.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip() or None
        except (FileNotFoundError, ProcessLookupError):
            return None
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def end_leftover(pid_file: Path, mark: str, *signals: signal.Signals, patience_s: float = 10.0) -> bool:
    """End the process that `pid_file` names if its command line holds `mark`; True if there was one.

    A process id is used again by the system, so a number alone proves nothing. Each signal gets `patience_s`
    to work. The file of a process that is gone, or is someone else's now, is removed.
    """
    try:
        pid = int(pid_file.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, ValueError, IndexError):
        return False
    if not _is_ours(pid, mark):
        pid_file.unlink(missing_ok=True)
        return False
    for number in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            break
        limit = time.monotonic() + patience_s
        while time.monotonic() < limit:
            if not _is_ours(pid, mark):
                pid_file.unlink(missing_ok=True)
                return True
            time.sleep(0.05)
    return True


def _is_ours(pid: int, mark: str) -> bool:
    return mark in (command_line(pid) or "")
