"""The dense-gas engines on evaporating pools, and their combined answer, through the interface that runs use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.model.dispersion.dense.combine import combine
from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.isolation import EnginePool, installed_engines
from services.model.dispersion.dense.scenario import (
    DenseScenario,
    Substance,
    evaporating_pool,
    standard_properties,
    weather_from_fluxes,
)
from services.model.validation.trials import LEFT_OUT, PoolArc, PoolTrial

# What the trials' formulas stand for.
_CAS = {"CH4": "74-82-8", "C3H8": "74-98-6", "NH3": "7664-41-7", "Cl2": "7782-50-5"}

_WIND_HEIGHT_M = 2.0
_DOMAIN_M = 3000.0

# Below this [volume fraction] an engine that has nothing there is taken to predict this much.
_LEAST_FRACTION = 1e-6


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One arc: observed and combined prediction [% by volume], each engine's own, and what they were made from."""

    trial: str
    distance_m: float
    observed: float
    predicted: float
    engines: dict[str, float]
    input: str


@dataclass(frozen=True, slots=True)
class PoolOutcome:
    """Rows that count, failures by trial and engine, and arcs left out with the reason."""

    rows: list[PoolRow]
    failures: list[str]
    left_out: list[str]


def pool_rows(trials: dict[str, PoolTrial], arcs: list[PoolArc]) -> PoolOutcome:
    """Run every installed engine on every trial. Engines' failures and arcs left out are told, not raised."""
    rows: list[PoolRow] = []
    failures: list[str] = []
    left_out: list[str] = []
    with EnginePool() as pool:
        for name, trial in trials.items():
            scenario = scenario_of(trial)
            answers = pool.run_all(installed_engines(), scenario)
            failures += _told(name, answers.values())
            good = [answer for answer in answers.values() if isinstance(answer, DenseResult)]
            for arc in (arc for arc in arcs if arc.trial == name):
                why = LEFT_OUT.get((name, arc.distance_m))
                if why is None and not good:
                    why = "no engine gave an answer"
                if why is not None:
                    left_out.append(f"{name} at {arc.distance_m:g} m: {why}")
                else:
                    rows.append(_row(trial, arc, good))
    return PoolOutcome(rows, failures, left_out)


def scenario_of(trial: PoolTrial) -> DenseScenario:
    """Return a trial as the engines take it. Raises ValueError for a substance whose properties are not here."""
    cas = _CAS.get(trial.formula)
    if cas is None or cas not in standard_properties():
        raise ValueError(f"trial {trial.name}: no properties for {trial.formula!r}")
    substance: Substance = standard_properties()[cas][0]
    return evaporating_pool(
        substance,
        rate_kg_s=trial.rate_kg_s,
        flux_kg_m2_s=trial.flux_kg_m2_s,
        duration_s=trial.duration_s,
        weather=weather_from_fluxes(
            trial.wind_2m_m_s,
            _WIND_HEIGHT_M,
            trial.length_m,
            trial.roughness_m,
            trial.temperature_k,
            trial.humidity_pct,
            trial.pressure_pa,
        ),
        averaging_s=trial.averaging_s,
        receptor_height_m=trial.sensor_height_m,
        x_max_m=_DOMAIN_M,
    )


def _row(trial: PoolTrial, arc: PoolArc, answers: list[DenseResult]) -> PoolRow:
    combined = combine(answers).result
    return PoolRow(
        trial=trial.name,
        distance_m=arc.distance_m,
        observed=arc.observed_pct,
        predicted=_percent(combined, arc.distance_m),
        engines={answer.engine: _percent(answer, arc.distance_m) for answer in answers},
        input=f"pool rate and flux, u 2 m, L measured, z0 {trial.roughness_m:g} m, "
        f"sensors at {trial.sensor_height_m:g} m, {trial.averaging_s:g} s mean",
    )


def _percent(result: DenseResult, distance_m: float) -> float:
    fraction = float(result.centreline_at([distance_m])[0]) / result.kg_m3_per_mole_fraction
    return 100.0 * max(fraction, _LEAST_FRACTION)


def _told(trial: str, answers: Iterable[DenseResult | EngineFailure]) -> list[str]:
    return [f"{trial}: {answer.engine}: {answer.reason.en}" for answer in answers if isinstance(answer, EngineFailure)]
