"""The whole validation: what was predicted, how it scores, in one value that becomes `results.json`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from services.model.dispersion import ENGINE_NAME, ENGINE_VERSION
from services.model.dispersion.dense.installed import library_version
from services.model.dispersion.dense.isolation import installed_engines
from services.model.validation.dense import PoolOutcome, PoolRow, pool_rows
from services.model.validation.neutral import PlumeRow, plume_rows
from services.model.validation.scores import Scores, score
from services.model.validation.tables import (
    PLUME_TARGETS,
    PLUMES_TO_BEAT,
    POOL_TARGETS,
    POOLS_TO_BEAT,
    plume_targets_met,
    pool_targets_met,
    table,
)
from services.model.validation.trials import DENSE_FOLDER, NEUTRAL_FOLDER, read_plumes, read_pools

_DIGITS = 4

Row = TypeVar("Row", PlumeRow, PoolRow)


@dataclass(frozen=True, slots=True)
class Validation:
    """Either part is None where the folder does not hold its trials."""

    plumes: list[PlumeRow] | None
    runs_without_weather: list[str]
    pools: PoolOutcome | None


def validate(folder: Path) -> Validation:
    """Run the engines on every trial in a folder.

    Raises FileNotFoundError when it holds no trials that are known; KeyError or ValueError for a file that is not in
    the layout.
    """
    has_plumes, has_pools = (folder / NEUTRAL_FOLDER).is_dir(), (folder / DENSE_FOLDER).is_dir()
    if not (has_plumes or has_pools):
        raise FileNotFoundError(f"{folder} holds neither {NEUTRAL_FOLDER}/ nor {DENSE_FOLDER}/")
    plumes, without = None, []
    if has_plumes:
        trials, arcs = read_plumes(folder)
        plumes = plume_rows(trials, arcs)
        without = sorted({arc.run for arc in arcs if arc.run not in trials})
    return Validation(plumes, without, pool_rows(*read_pools(folder)) if has_pools else None)


def plume_scores(rows: Sequence[PlumeRow]) -> Scores:
    """Score the passive plumes."""
    return _scored(rows)


def pool_scores(rows: Sequence[PoolRow]) -> list[tuple[str, Scores]]:
    """Score the combined dense answer, then each engine alone."""
    names = sorted({name for row in rows for name in row.engines})
    return [("combined (mean in log space)", _scored(rows))] + [(name, _scored_alone(rows, name)) for name in names]


def results(validation: Validation) -> dict[str, Any]:
    """Return what `results.json` holds."""
    found: dict[str, Any] = {
        "engines": {ENGINE_NAME: ENGINE_VERSION} | {name: library_version(name) for name in installed_engines()}
    }
    if validation.plumes:
        found["prairie_grass"] = {
            **_figures(plume_scores(validation.plumes)),
            "targets_met": plume_targets_met(plume_scores(validation.plumes)),
            "runs_without_weather": validation.runs_without_weather,
            "by_class": _grouped(validation.plumes, lambda row: row.class_letter),
            "by_arc_m": _grouped(validation.plumes, lambda row: row.distance_m),
            "rows": [_rounded(asdict(row)) for row in validation.plumes],
        }
    if validation.pools is not None and validation.pools.rows:
        rows = validation.pools.rows
        combined, *alone = pool_scores(rows)
        found["lng"] = {
            **_figures(combined[1]),
            "targets_met": pool_targets_met(combined[1]),
            "by_engine": {name: _figures(scores) for name, scores in alone},
            "by_trial": _grouped(rows, lambda row: row.trial),
            "by_arc_m": _grouped(rows, lambda row: row.distance_m),
            "failures": validation.pools.failures,
            "left_out": validation.pools.left_out,
            "rows": [_rounded(asdict(row)) for row in rows],
        }
    return found


def text(validation: Validation) -> str:
    """Return the tables for the terminal."""
    parts = []
    if validation.plumes:
        ours = [(f"{ENGINE_NAME} {ENGINE_VERSION}", plume_scores(validation.plumes))]
        parts.append(table("Passive plumes, arc maxima", ours, PLUMES_TO_BEAT, PLUME_TARGETS))
    if validation.runs_without_weather:
        parts.append(f"  runs without weather, not scored: {', '.join(validation.runs_without_weather)}")
    if validation.pools is not None:
        if validation.pools.rows:
            ours = pool_scores(validation.pools.rows)
            parts.append(table("Dense pools, arc maxima", ours, POOLS_TO_BEAT, POOL_TARGETS))
        parts += [f"  left out: {said}" for said in validation.pools.left_out]
        parts += [f"  failed: {said}" for said in validation.pools.failures]
    return "\n".join(parts)


def _scored(rows: Sequence[PlumeRow] | Sequence[PoolRow]) -> Scores:
    return score([row.observed for row in rows], [row.predicted for row in rows])


def _scored_alone(rows: Sequence[PoolRow], engine: str) -> Scores:
    mine = [row for row in rows if engine in row.engines]
    return score([row.observed for row in mine], [row.engines[engine] for row in mine])


def _grouped(rows: Sequence[Row], key: Callable[[Row], Hashable]) -> dict[str, Any]:
    names = sorted({key(row) for row in rows}, key=lambda name: (isinstance(name, str), name))
    return {
        f"{name:g}" if isinstance(name, float) else str(name): _figures(
            _scored([row for row in rows if key(row) == name])
        )
        for name in names
    }


def _figures(scores: Scores) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in asdict(scores).items()}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in row.items()}


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return {name: _short(one) for name, one in value.items()} if isinstance(value, dict) else value
