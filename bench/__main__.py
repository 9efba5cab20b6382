"""`python -m bench [NAME ...]`: measure, show, and keep in `bench/results/latest.json`. `make bench ONLY=model`.

Exit status 0 when everything was measured, whether it kept its limit or not (the table says); 1 when something
failed; 2 when a name selects nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# One core is what a worker has (see services/model/worker.py); BLAS reads this when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.benchmark import Benchmark, Measured, NoSuchBenchmark, selected
from bench.catalogue import BENCHMARKS
from bench.results import LATEST, record


def main(names: Sequence[str]) -> int:
    """Run the benchmarks that the names select; what was measured is kept even if a later one fails."""
    try:
        chosen = selected(BENCHMARKS, names)
    except NoSuchBenchmark as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    console = Console(width=None if sys.stdout.isatty() else 120)
    command = " ".join(["make bench", *([f'ONLY="{" ".join(names)}"'] if names else [])])
    measured: dict[str, Measured] = {}
    failed: dict[str, str] = {}
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(chosen))
        for entry in chosen:
            progress.update(task, description=entry.key)
            try:
                measured[entry.key] = entry.measure(entry.budget_s)
            except Exception as error:  # noqa: BLE001  (one that fails must not lose what the others measured)
                failed[entry.key] = f"{type(error).__name__}: {error}"
            else:
                value = {entry.key: measured[entry.key].value}
                record(LATEST, value, {entry.key: _about(entry, measured[entry.key])}, command, datetime.now(UTC))
            progress.advance(task)
    console.print(_table(chosen, measured, failed))
    console.print(f"{LATEST.relative_to(LATEST.parent.parent.parent)}", style="dim")
    return 1 if failed else 0


def _about(entry: Benchmark, found: Measured) -> dict[str, Any]:
    about: dict[str, Any] = {"what": entry.what, "unit": entry.unit}
    if entry.limit is not None:
        about["limit"] = {entry.limit.sense: entry.limit.value}
        about["kept"] = entry.limit.holds(found.value)
    return about | {"detail": found.detail}


def _table(chosen: Sequence[Benchmark], measured: Mapping[str, Measured], failed: Mapping[str, str]) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("key | 指标", "what | 内容"):
        table.add_column(heading, overflow="fold")
    table.add_column("value | 实测", justify="right")
    table.add_column("limit | 要求", justify="right")
    table.add_column("", justify="left")
    for entry in chosen:
        limit = "" if entry.limit is None else str(entry.limit)
        found = measured.get(entry.key)
        if found is None:
            table.add_row(entry.key, escape(failed[entry.key]), "-", limit, "[red]failed | 失败[/]")
            continue
        kept = entry.limit is None or entry.limit.holds(found.value)
        verdict = "[green]kept | 达标[/]" if kept else "[yellow]missed | 未达标[/]"
        table.add_row(entry.key, entry.what, f"{found.value:g} {entry.unit}".rstrip(), limit, verdict)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
