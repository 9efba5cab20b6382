"""`fenceline model`: dispersion from the command line, by the engines that the service uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from cli.files import require_writable, write_whole
from cli.progress import progress_line
from cli.refusal import Refusal
from cli.show import chemical_table, chemicals_table, result_table, source_term_table

model = typer.Typer(help="Dispersion: footprints, source terms, chemicals | 扩散、源项与物质")

# The names that the engines use, told here so that `--help` need not load them; a test holds the two together.
Phase = Literal["gas", "liquid", "two-phase"]
SurfaceName = Literal["cement", "moist-soil", "dry-soil", "wet-land", "gravel"]
ZERO_C = 273.15

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO.YAML", help="what is released, where, in what weather")]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="zones as GeoJSON (WGS 84)")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="the whole result, as the API gives it")]
PngFile = Annotated[Path | None, typer.Option("--png", metavar="FILE", help="a map")]
ReportFile = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="one printable page of HTML")]
Quiet = Annotated[bool, typer.Option("--quiet", help="no table and no progress")]


@model.command()
def run(
    scenario: ScenarioFile,
    out: OutFile = None,
    png: PngFile = None,
    report: ReportFile = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Compute a scenario: zones, distances, exposure. No database and no service is needed."""
    for option, path in (("--out", out), ("--png", png), ("--report", report), ("--json", json_file)):
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
    if png is not None:
        from services.model.report.figure import map_png

        write_whole(png, map_png(result))
    if report is not None:
        from services.model.report.page import report_html

        write_whole(report, report_html(result))


@model.command("source-term")
def source_term(
    chemical: Annotated[str, typer.Argument(metavar="CAS", help="of the substance; `model chemicals` finds it")],
    phase: Annotated[Phase, typer.Option(help="what comes out of the hole")],
    hole_mm: Annotated[float, typer.Option("--hole-mm", help="diameter of the hole")],
    pressure_kpa: Annotated[float, typer.Option("--pressure-kpa", help="in the vessel, absolute")],
    mass_kg: Annotated[float, typer.Option("--mass-kg", help="in the vessel")],
    temperature_c: Annotated[float, typer.Option("--temperature-c", help="in the vessel")] = 20.0,
    liquid_height_m: Annotated[float, typer.Option("--liquid-height-m", help="of the liquid above the hole")] = 0.0,
    isolation_s: Annotated[float | None, typer.Option("--isolation-s", help="when the leak is shut; never")] = None,
    bund_m2: Annotated[float | None, typer.Option("--bund-m2", help="area of the bund; none")] = None,
    surface: Annotated[SurfaceName, typer.Option(help="under the pool")] = "cement",
    air_c: Annotated[float, typer.Option("--air-c", help="temperature of the air")] = 25.0,
    wind_m_s: Annotated[float, typer.Option("--wind-m-s", help="over the pool")] = 1.5,
    stability: Annotated[float, typer.Option(help="1 (A) to 6 (F)")] = 6.0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="rate over time as CSV")] = None,
) -> None:
    """What a leaking vessel gives to the air over time (HJ 169-2018, Appendix F)."""
    require_writable("--out", out)
    from services.model.chemicals import UnknownChemical
    from services.model.chemicals import chemical as known
    from services.model.source_terms import (
        Hole,
        Leak,
        MissingProperty,
        OutOfRange,
        Surroundings,
        fluid_of,
        release_from_vessel,
    )

    try:
        substance = known(chemical)
        leak = Leak(
            phase=phase,
            hole=Hole(hole_mm / 1000.0),
            pressure_pa=1000.0 * pressure_kpa,
            temperature_k=temperature_c + ZERO_C,
            mass_kg=mass_kg,
            liquid_height_m=liquid_height_m,
            isolation_s=isolation_s,
            bund_area_m2=bund_m2,
            surface=surface,
        )
        around = Surroundings(temperature_k=air_c + ZERO_C, wind_m_s=wind_m_s, stability=stability)
        term = release_from_vessel(fluid_of(substance), leak, around)
    except UnknownChemical as error:
        raise Refusal(str(error.args[0]), f"物质目录中没有 CAS 号 {chemical}") from error
    except (MissingProperty, OutOfRange) as error:
        raise Refusal(str(error), "输入超出适用范围，或缺少所需物性") from error
    if out is not None:
        rows = [f"{time:.3f},{rate:.6g}" for time, rate in term.series]
        write_whole(out, "\n".join(["time_s,rate_kg_s", *rows, ""]))
    _console().print(source_term_table(substance, term))


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
