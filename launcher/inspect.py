"""Ask a running system from outside: what runs, and load another park."""

from pathlib import Path

import httpx

from launcher.demo import make_key, put_park, read_park
from launcher.leftovers import command_line
from launcher.options import Options
from launcher.plan import Plan
from launcher.tell import Refusal
from launcher.workspace import Workspace

OPERATOR_KEY = "operator-api-key"


async def status(options: Options) -> int:
    """Print each program and whether it runs; exit status 1 when nothing does."""
    workspace = Workspace(options.folder)
    running = workspace.running()
    if running is None:
        print("not running | 未运行")
        return 1
    print(f"{running.get('page')} (process {running.get('pid')})")
    for path in sorted((workspace.folder / "pids").glob("*")):
        pid = int(path.read_text())
        state = "runs | 运行中" if command_line(pid) else "restarting | 正在重启"
        print(f"  {path.name:<10} {pid:>7}  {state}")
    return 0


async def seed_park(options: Options, path: Path) -> int:
    """Load a park file into the system that runs here."""
    workspace = Workspace(options.folder)
    running = workspace.running()
    if not running:
        raise Refusal("nothing runs here: `make run` first", "尚未运行：请先执行 `make run`")
    park = read_park(path)
    plan = Plan.outside(options, workspace, str(running["database_url"]))
    await make_key(plan, "operator", "*", OPERATOR_KEY, "admin")
    key = workspace.secret_file(OPERATOR_KEY).read_text().strip()
    async with httpx.AsyncClient(
        base_url=f"{running['page']}/api/v1", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30
    ) as client:
        await put_park(client, park)
    print(f"loaded | 已载入: {park.park.name.zh} | {park.park.name.en} ({park.park.id})")
    return 0
