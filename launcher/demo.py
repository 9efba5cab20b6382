"""Make a fresh system ready to be looked at: its schemas, the demo's API key, the demo's park."""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import httpx

from launcher.options import ROOT
from launcher.plan import DEMO_KEY, SERVICES, Plan
from launcher.tell import Refusal
from shared.park_file import ParkFile, ParkFileError, read_park_file


async def migrate(plan: Plan) -> None:
    """Bring every service's schema up to date; Refusal with the reason when that fails."""
    await _python(plan, "migrate", ["-m", "shared.migrate", *SERVICES])


async def make_demo_key(plan: Plan, park_id: str) -> str:
    """The demo's API key, for its park alone: the same one at every start."""
    await make_key(plan, "demo", park_id, DEMO_KEY, "read", "write")
    return plan.workspace.secret_file(DEMO_KEY).read_text().strip()


async def make_key(plan: Plan, name: str, park_id: str, file: str, *scopes: str) -> None:
    """Make sure that the API key in a secret file is known to the gateway; the file is made with the key."""
    arguments = ["-m", "services.gateway.admin", "create-key", "--name", name, "--park", park_id]
    arguments += [part for scope in scopes for part in ("--scope", scope)]
    arguments += ["--key-file", str(plan.workspace.secret_file(file))]
    await _python(plan, "admin", arguments)


def read_park(path: Path) -> ParkFile:
    """The park file; Refusal where it cannot be used."""
    try:
        return read_park_file(path)
    except ParkFileError as error:
        raise Refusal(str(error), f"园区文件有误：{path}") from None


async def seed(plan: Plan, park: ParkFile, key: str) -> bool:
    """Load the park through the gateway unless this very file was loaded before; True if it was loaded now.

    What was loaded may have been changed since by its users, so an unchanged file is not loaded again.
    """
    stamp = plan.workspace.data / f"seeded-{park.park.id}"
    digest = hashlib.sha256(park.model_dump_json().encode()).hexdigest()
    async with httpx.AsyncClient(
        base_url=f"{plan.options.page}/api/v1",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        timeout=30.0,
    ) as client:
        known = await client.get(f"/parks/{park.park.id}")
        if known.status_code == 200 and stamp.exists() and stamp.read_text() == digest:
            return False
        await put_park(client, park)
    stamp.write_text(digest)
    return True


async def put_park(client: httpx.AsyncClient, park: ParkFile) -> None:
    """Load a park through the gateway; Refusal with the gateway's words when it is not taken."""
    answer = await client.put(
        f"/parks/{park.park.id}/registry",
        content=park.model_dump_json(),
        headers={"Content-Type": "application/json"},
    )
    if answer.is_error:
        raise Refusal(
            f"the park {park.park.id} was not taken ({answer.status_code}): {answer.text[:300]}",
            f"园区 {park.park.id} 未被接受（{answer.status_code}）",
        )


async def _python(plan: Plan, name: str, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env=os.environ | plan.environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    path = plan.workspace.log(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(said)
    if process.returncode != 0:
        last = (said.decode(errors="replace").strip().splitlines() or ["no output"])[-1]
        raise Refusal(f"{last} (all of it: {path})", f"{name} 失败，完整输出见 {path}")
