"""`python -m launcher run`: bring everything up, watch over it, take it down."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable

from launcher.banner import banner
from launcher.demo import make_demo_key, migrate, read_park, seed
from launcher.embedded import EmbeddedError
from launcher.options import ROOT, Options
from launcher.plan import Plan
from launcher.program import GaveUp
from launcher.supervisor import NotReady, Supervisor
from launcher.tell import Refusal, paint, refuse, step
from launcher.workspace import Workspace


def run(options: Options) -> int:
    """Run until Ctrl-C or SIGTERM; the exit status."""
    workspace = Workspace(options.folder)
    workspace.prepare()
    with workspace.held():
        options.check_ports()
        return asyncio.run(_run(options, workspace))


async def _run(options: Options, workspace: Workspace) -> int:
    supervisor = Supervisor(workspace, ROOT)
    stop = asyncio.Event()
    _on_signals(lambda: _stop(stop, supervisor))
    try:
        begun = asyncio.create_task(_bring_up(options, workspace, supervisor))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((begun, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not begun.done():
            begun.cancel()
            await asyncio.wait((begun,))
            return 0
        print(begun.result(), flush=True)
        supervisor.show_output()
        await supervisor.watch(stop)
    except (GaveUp, NotReady) as trouble:
        return _tell_trouble(trouble)
    except EmbeddedError as error:
        return refuse(Refusal(str(error), "内嵌数据库未能启动"))
    else:
        return 0
    finally:
        print(paint("stopping | 正在停止 …", "33"), flush=True)
        await supervisor.stop()
        print(paint("stopped | 已停止", "33"), flush=True)


async def _bring_up(options: Options, workspace: Workspace, supervisor: Supervisor) -> str:
    """Start everything in order; the banner."""
    begun = time.monotonic()
    park = read_park(options.park)
    plan = Plan.make(options, workspace)
    if stores := plan.stores():
        with step("database and queue", "数据库与消息队列"):
            await supervisor.start(*stores)
    workspace.remember({"page": options.page, "database_url": plan.database_url})
    with step("schemas and key", "数据表与密钥"):
        await migrate(plan)
        key = await make_demo_key(plan, park.park.id)
    with step("services", "服务"):
        await supervisor.start(*plan.services(), plan.gateway())
    with step("park", "园区"):
        await seed(plan, park, key)
    if options.simulator:
        with step("simulated stations", "模拟监测站"):
            await supervisor.start(plan.simulator())
    return banner(plan, park, key, time.monotonic() - begun)


def _on_signals(action: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, action)


def _stop(stop: asyncio.Event, supervisor: Supervisor) -> None:
    """The first time in order, the second time at once."""
    if stop.is_set():
        supervisor.kill()
    stop.set()


def _tell_trouble(trouble: GaveUp | NotReady) -> int:
    for line in trouble.last_lines:
        print(f"    {line}", file=sys.stderr)
    return refuse(
        Refusal(
            f"{trouble}; its last lines are above, all of them in {trouble.log}",
            f"{trouble.name} 无法运行；其最后输出见上，完整日志：{trouble.log}",
        )
    )
