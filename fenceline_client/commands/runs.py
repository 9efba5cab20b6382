"""`fenceline runs`: list, look, ask for one, cancel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from fenceline_client.commands.door import Json, KeyFile, ParkId, Url, knock
from fenceline_client.commands.refusal import Refusal
from fenceline_client.commands.show import json_lines, line, local, table

runs = typer.Typer(help="Runs of the dispersion model | 扩散模拟")

RunId = Annotated[UUID, typer.Argument(metavar="RUN", help="its id, as `runs list` shows it")]


@runs.command("list")
def list_runs(url: Url, park: ParkId, key_file: KeyFile = None, as_json: Json = False) -> None:
    """The runs of a park, newest first | 模拟列表."""
    with knock(url, key_file) as client:
        found = client.runs(park)
        if as_json:
            return json_lines(found)
        return table(
            ("run | 模拟", "state | 状态", "substance | 物质", "by | 发起", "created | 创建时间"),
            (
                (one.id, one.state, one.chemical_name.zh if one.chemical_name else one.chemical, one.requested_by,
                 local(one.created_at))
                for one in found
            ),
        )  # fmt: skip


@runs.command()
def show(run: RunId, url: Url, park: ParkId, key_file: KeyFile = None) -> None:
    """One run with its result, as JSON | 模拟结果（JSON）."""
    with knock(url, key_file) as client:
        json_lines([client.run(park, run)])


@runs.command()
def start(
    request: Annotated[Path, typer.Argument(metavar="REQUEST.JSON", help="the body of POST /parks/{park_id}/runs")],
    url: Url,
    park: ParkId,
    key_file: KeyFile = None,
) -> None:
    """Ask for a run; prints its id and state | 发起模拟."""
    asked = _document(request)
    with knock(url, key_file) as client:
        begun = client.start_run(park, asked)
        line(begun.id, begun.state)


@runs.command()
def cancel(run: RunId, url: Url, park: ParkId, key_file: KeyFile = None) -> None:
    """Cancel a run that has not ended | 取消模拟."""
    with knock(url, key_file) as client:
        done = client.cancel_run(park, run)
        line(done.id, done.state)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}", f"无法读取 {path}") from error
    except ValueError as error:
        raise Refusal(f"{path} is not JSON: {error}", f"{path} 不是 JSON") from error
    if not isinstance(document, dict):
        raise Refusal(f"{path} holds no JSON object", f"{path} 不是 JSON 对象")
    return document
