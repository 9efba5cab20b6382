"""One program under supervision: it is started, its output is read, and it is started again when it ends."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from launcher.leftovers import end_leftover
from launcher.logs import ProcessLog

BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
DIES_AT_ONCE_S = 5.0
GIVE_UP_AFTER = 5
LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `command` is asked anew, after `prepare`, for every start."""

    name: str
    command: Callable[[], list[str]]
    mark: str
    """A part of the command line by which a leftover of an earlier launcher is known."""
    colour: str = "37"
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    ready: Callable[[], Awaitable[bool]] | None = None
    """Whether it does its work now; None where running is all there is to ask."""
    stop_signal: signal.Signals = signal.SIGTERM
    echo: bool = True
    """Whether its output is shown on the console too, or in its file alone."""


class GaveUp(Exception):
    """A program that ended at once time after time; carries its name and what it said last."""

    def __init__(self, name: str, status: int, log: Path, last_lines: list[str]) -> None:
        super().__init__(f"{name} ended {GIVE_UP_AFTER} times at once, last with status {status}")
        self.name = name
        self.log = log
        self.last_lines = last_lines


class Supervised:
    """A running program. `keep_running` is a task's whole life; `stop` ends it."""

    def __init__(self, program: Program, log: ProcessLog, pid_file: Path, folder: Path) -> None:
        self.program = program
        self.log = log
        self.restarts = 0
        self._pid_file = pid_file
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._short_lives = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def keep_running(self) -> None:
        """Run the program until `stop`; GaveUp when it cannot be kept running."""
        await asyncio.to_thread(
            end_leftover, self._pid_file, self.program.mark, self.program.stop_signal, signal.SIGKILL, patience_s=8.0
        )
        while not self._stopping:
            begun = time.monotonic()
            status = await self._run_once()
            if not self._stopping:
                await self._wait_to_restart(status, time.monotonic() - begun)

    async def stop(self, patience_s: float = 8.0) -> None:
        """Ask the program to end; kill it, and what it started, when it does not."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            self.log.say("does not stop, killed | 未能停止，已强制结束")
        self.kill()

    def kill(self) -> None:
        """End the program's whole process group at once."""
        self._stopping = True
        if self._process is not None:
            _kill_group(self._process.pid)

    async def _run_once(self) -> int:
        await asyncio.to_thread(self.program.prepare)
        with _pipe() as (output, its_end):
            self._process = await asyncio.create_subprocess_exec(
                *self.program.command(),
                cwd=self._folder,
                env=os.environ | self.program.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=its_end,
                stderr=its_end,
                start_new_session=True,  # Ctrl-C is ours to hand on, in order
            )
            its_end.close()
            self._pid_file.parent.mkdir(parents=True, exist_ok=True)
            self._pid_file.write_text(f"{self._process.pid}\n")
            reading = asyncio.create_task(self._read(output))
            status = await self._process.wait()
            _kill_group(self._process.pid)  # what it started itself must not stay behind, nor hold the pipe open
            await reading
        self._pid_file.unlink(missing_ok=True)
        return status

    async def _read(self, output: BinaryIO) -> None:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, output)
        try:
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # a line beyond the limit, dropped by the reader
                    continue
                if not line:
                    return
                self.log.line(line.decode(errors="replace").rstrip())
        finally:
            transport.close()

    async def _wait_to_restart(self, status: int, lived_s: float) -> None:
        self._short_lives = self._short_lives + 1 if lived_s < DIES_AT_ONCE_S else 0
        if self._short_lives >= GIVE_UP_AFTER:
            raise GaveUp(self.program.name, status, self.log.path, list(self.log.recent))
        pause = BACK_OFF_S[min(self._short_lives, len(BACK_OFF_S) - 1)]
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        self.log.say(f"ended ({how}), starting it again | 已退出（{how}），正在重新启动")
        self.restarts += 1
        await asyncio.sleep(pause)


@contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A pipe of our own for a child's output. On asyncio's, a child counts as running until its own children, which
    hold the pipe too, have ended.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as output, os.fdopen(writing, "wb", buffering=0) as its_end:
        yield output, its_end


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
