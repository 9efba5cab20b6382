"""`fenceline model`: dispersion from the command line, by the engines that the service uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.files import require_writable, write_whole
from cli.progress import progress_line
from cli.refusal import Refusal
from cli.show import chemical_table, chemicals_table, result_table

model = typer.Typer(help="Dispersion: footprints, chemicals | 扩散计算与物质查询")

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO.YAML", help="what is released, where, in what weather")]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="zones as GeoJSON (WGS 84)")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="the whole result, as the API gives it")]
Quiet = Annotated[bool, typer.Option("--quiet", help="no table and no progress")]


@model.command()
def run(scenario: ScenarioFile, out: OutFile = None, json_file: JsonFile = None, quiet: Quiet = False) -> None:
    """Compute a scenario: zones, distances, exposure. No database and no service is needed."""
    for option, path in (("--out", out), ("--json", json_file)):
        require_writable(option, path)
    from services.model.scenario import ScenarioError, load_scenario, run_scenario

    try:
        told = load_scenario(scenario)
        with progress_line(shown=not quiet) as progress:
            result = run_scenario(told, progress)
    except ScenarioError as error:
        raise Refusal(error.en, error.zh) from error
    if out is not None:
        write_whole(out, json.dumps(result.zones, ensure_ascii=False) + "\n")
    if json_file is not None:
        write_whole(json_file, result.model_dump_json(indent=2) + "\n")
    if not quiet:
        _console().print(result_table(told, result))


@model.command()
def chemicals(
    search: Annotated[
        str, typer.Argument(metavar="SEARCH", help="CAS number, name in English or Chinese, HJ 212 code")
    ],
) -> None:
    """Find substances; one that is found alone is shown with every value and its source."""
    from services.model.chemicals import search as find

    found = find(search)
    if not found:
        raise Refusal(f"no substance matches {search!r}", f"没有与“{search}”匹配的物质")
    _console().print(chemical_table(found[0]) if len(found) == 1 else chemicals_table(found))


def _console() -> Console:
    """Standard output: as wide as the terminal, wide enough for whole rows where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)
