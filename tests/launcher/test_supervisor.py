"""The supervisor: restarts, giving up, order, and that nothing outlives it."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launcher.leashed import leashed
from launcher.leftovers import command_line
from launcher.program import BACK_OFF_S, GIVE_UP_AFTER, GaveUp, Program
from launcher.supervisor import NotReady, Supervisor
from launcher.workspace import Workspace
from tests.support.databases import ROOT

SLEEP = "import time; time.sleep(60)"


def python(name: str, code: str, **more: object) -> Program:
    command = [sys.executable, "-c", code]
    return Program(
        name=name,
        command=lambda: leashed(command, last_signal=signal.SIGKILL),
        mark=code,
        **more,  # type: ignore[arg-type]
    )


async def eventually(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 (a process has no event to wait for)
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    return command_line(pid) is None


async def test_a_killed_program_runs_again(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(workspace, ROOT)
    await supervisor.start(python("sleeper", SLEEP))
    [sleeper] = supervisor.running
    first = sleeper.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: sleeper.pid not in (None, first))
    assert sleeper.restarts == 1
    assert "SIGKILL" in capsys.readouterr().out
    second = sleeper.pid
    assert second is not None
    await supervisor.stop()
    assert is_gone(second)
    assert not workspace.pid_file("sleeper").exists()


async def test_a_program_that_ends_at_once_each_time_is_given_up(workspace: Workspace) -> None:
    supervisor = Supervisor(workspace, ROOT)
    program = python("broken", "print('no such table'); raise SystemExit(3)")
    begun = time.monotonic()
    await supervisor.start(program)
    with pytest.raises(GaveUp, match=f"broken ended {GIVE_UP_AFTER} times at once, last with status 3") as caught:
        await supervisor.watch(asyncio.Event())
    assert caught.value.last_lines == ["no such table"] * GIVE_UP_AFTER
    assert caught.value.log.read_text() == "no such table\n" * GIVE_UP_AFTER
    assert time.monotonic() - begun >= sum(BACK_OFF_S[1:GIVE_UP_AFTER])
    await supervisor.stop()


async def test_a_program_that_never_does_its_work_is_told_of(workspace: Workspace) -> None:
    async def never() -> bool:
        return False

    supervisor = Supervisor(workspace, ROOT)
    with pytest.raises(NotReady, match=r"idle runs, but is not ready after 0\.5 s"):
        await supervisor.start(python("idle", SLEEP, ready=never), timeout_s=0.5)
    await supervisor.stop()


async def test_a_start_that_is_broken_off_leaves_no_word_of_its_insides(workspace: Workspace) -> None:
    async def never() -> bool:
        return False

    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    supervisor = Supervisor(workspace, ROOT)
    starting = asyncio.create_task(supervisor.start(python("one", SLEEP, ready=never), python("two", SLEEP)))
    await asyncio.sleep(0.3)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await supervisor.stop()
    del starting
    gc.collect()
    assert complaints == []


async def test_what_was_started_last_is_stopped_first(workspace: Workspace, tmp_path: Path) -> None:
    def noting(name: str) -> Program:
        code = f"""
import pathlib, signal, sys, time
def end(*_):
    with open({str(tmp_path / "order")!r}, "a") as order: order.write("{name} ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(tmp_path)!r}, "up-{name}").touch()
time.sleep(60)
"""

        async def ready() -> bool:
            return (tmp_path / f"up-{name}").exists()

        return python(name, code, ready=ready)

    supervisor = Supervisor(workspace, ROOT)
    for name in ("store", "service", "gate"):
        await supervisor.start(noting(name))
    await supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["gate", "service", "store"]


async def test_children_of_a_program_do_not_stay_behind(workspace: Workspace, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    code = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
pathlib.Path({str(note)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    supervisor = Supervisor(workspace, ROOT)
    await supervisor.start(python("parent", code))
    await eventually(lambda: note.exists() and note.read_text() != "")
    [parent] = supervisor.running
    assert parent.pid is not None
    grandchild = int(note.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    await eventually(lambda: is_gone(grandchild))
    await supervisor.stop()


_LAUNCHER = """
import asyncio, signal, sys
from pathlib import Path
from typing import Any
from launcher.embedded import EmbeddedPostgres
from launcher.leashed import leashed
from launcher.program import Program
from launcher.supervisor import Supervisor
from launcher.workspace import Workspace

async def main():
    workspace = Workspace(Path(sys.argv[1]))
    workspace.prepare()
    server = EmbeddedPostgres(workspace.data / "postgres", durable=False)
    async def ready(): return await asyncio.to_thread(server.is_ready)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    sleeper = [sys.executable, "-c", deaf]
    supervisor = Supervisor(workspace, Path.cwd())
    await supervisor.start(
        Program("postgres", server.command, "postgres", prepare=server.prepare, ready=ready, stop_signal=signal.SIGINT),
        Program("sleeper", lambda: leashed(sleeper, last_signal=signal.SIGKILL), "sleep"),
    )
    print(*(one.pid for one in supervisor.running), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_nothing_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, str(tmp_path / "home")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    with launcher.stdout as output:
        pids = [int(word) for word in output.readline().split()]
    assert len(pids) == 2
    launcher.kill()
    launcher.wait()
    asyncio.run(eventually(lambda: all(map(is_gone, pids))))


async def test_what_a_killed_launcher_left_is_ended_at_the_next_start(workspace: Workspace) -> None:
    left = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)  # noqa: ASYNC220
    await eventually(lambda: command_line(left.pid) is not None)  # a process just made has no command line yet
    pid_file = workspace.pid_file("sleeper")
    pid_file.parent.mkdir()
    pid_file.write_text(f"{left.pid}\n")
    supervisor = Supervisor(workspace, ROOT)
    await supervisor.start(python("sleeper", SLEEP))
    assert left.wait(5) == -signal.SIGTERM
    [sleeper] = supervisor.running
    assert pid_file.read_text() == f"{sleeper.pid}\n"
    await supervisor.stop()
