"""Keep programs running together: started in order, each waited for, all stopped in the opposite order."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from launcher.logs import ProcessLog
from launcher.program import GaveUp, Program, Supervised
from launcher.workspace import Workspace

READY_EVERY_S = 0.1


class NotReady(Exception):
    """A program that runs but does not do its work in time; carries its name and what it said last."""

    def __init__(self, name: str, waited_s: float, log: Path, last_lines: list[str]) -> None:
        super().__init__(f"{name} runs, but is not ready after {waited_s:g} s")
        self.name = name
        self.log = log
        self.last_lines = last_lines


class Supervisor:
    """Programs in waves. A wave is started at once and stopped at once; later waves need the earlier ones."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder
        self._waves: list[list[Supervised]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def running(self) -> list[Supervised]:
        """Every program that was started."""
        return [one for wave in self._waves for one in wave]

    async def start(self, *programs: Program, timeout_s: float = 90.0) -> None:
        """Start a wave and wait until all of it is ready; NotReady or GaveUp when that does not come."""
        wave = [self._supervise(program) for program in programs]
        self._waves.append(wave)
        self._tasks += [asyncio.create_task(one.keep_running(), name=one.program.name) for one in wave]
        waiting = asyncio.gather(*(_until_ready(one, timeout_s) for one in wave))
        try:
            await self._unless_one_gives_up(waiting)
        finally:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
        # Services wait for those named before them, so the first one that is not ready is the one to look at.
        for one, ready in zip(wave, waiting.result(), strict=True):
            if not ready:
                raise NotReady(one.program.name, timeout_s, one.log.path, list(one.log.recent))

    async def watch(self, until: asyncio.Event) -> None:
        """Return when `until` is set; GaveUp when a program cannot be kept running."""
        waiting = asyncio.ensure_future(until.wait())
        try:
            await self._unless_one_gives_up(waiting)
        finally:
            waiting.cancel()

    async def stop(self) -> None:
        """Stop everything, the last wave first."""
        for wave in reversed(self._waves):
            await asyncio.gather(*(one.stop() for one in wave))
        await self._end_tasks()

    def kill(self) -> None:
        """End everything at once, without asking; `stop` then has nothing to wait for."""
        for one in self.running:
            one.kill()

    def show_output(self) -> None:
        """From now on show on the console what the programs write (those that are made for it)."""
        for one in self.running:
            one.log.echo = one.program.echo

    def _supervise(self, program: Program) -> Supervised:
        log = ProcessLog(program.name, self._workspace.log(program.name), program.colour)
        return Supervised(program, log, self._workspace.pid_file(program.name), self._folder)

    async def _unless_one_gives_up(self, wanted: asyncio.Future[Any]) -> None:
        pending: list[asyncio.Future[Any]] = [wanted, *(task for task in self._tasks if not task.done())]
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done() and (error := task.exception()) is not None:
                raise error
        await wanted

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            with contextlib.suppress(TimeoutError, GaveUp, asyncio.CancelledError):
                await asyncio.wait_for(task, 8.0)
        for one in self.running:
            one.log.close()


async def _until_ready(one: Supervised, timeout_s: float) -> bool:
    limit = asyncio.get_running_loop().time() + timeout_s
    while True:
        if one.pid is not None and (one.program.ready is None or await one.program.ready()):
            return True
        if asyncio.get_running_loop().time() > limit:
            return False
        await asyncio.sleep(READY_EVERY_S)
