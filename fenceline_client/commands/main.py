"""The command `fenceline` as a vendor installs it. Fenceline's own adds the model and the administration to it."""

from __future__ import annotations

import typer

from fenceline_client.commands.alarms import alarms
from fenceline_client.commands.readings import readings
from fenceline_client.commands.running import run
from fenceline_client.commands.runs import runs
from fenceline_client.commands.stations import parks, stations
from fenceline_client.commands.tail import tail

HELP = "Early warning of toxic gas for chemical parks | 化工园区有毒气体预警"


def new_app() -> typer.Typer:
    """A command line with the commands for vendors."""
    app = typer.Typer(
        name="fenceline",
        help=HELP,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command()(parks)
    app.command()(stations)
    app.add_typer(readings, name="readings")
    app.add_typer(alarms, name="alarms")
    app.add_typer(runs, name="runs")
    app.command()(tail)
    app.callback(help=HELP)(_nothing)
    return app


def _nothing() -> None:
    """What is said of the command as a whole stands in its help."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    return run(new_app(), arguments)
