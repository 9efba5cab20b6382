"""The neutral engine on passive plumes: the puffs that runs use, in the weather that was measured."""

from __future__ import annotations

from dataclasses import dataclass

from services.model.dispersion.meteorology import UNLIMITED_MIXING_M, Meteorology, steady
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import constant_release
from services.model.dispersion.stability import stability_of_curves
from services.model.validation.trials import PlumeArc, PlumeTrial

# Long enough that every arc sees the steady plume, as the samplers did once they were switched on.
_STEADY_S = 7200.0

# The mouth of the release pipe.
_PIPE_DIAMETER_M = 0.05

_LEAST_LID_M = 20.0


@dataclass(frozen=True, slots=True)
class PlumeRow:
    """One arc: observed and predicted [mg/m3], and what the prediction was made from."""

    run: str
    distance_m: float
    class_letter: str
    stability: float
    observed: float
    predicted: float
    input: str


def weather_of(trial: PlumeTrial) -> Meteorology:
    """Return the weather of a run as the engine takes it: wind at 2 m, L, sigma of azimuth, mixing height."""
    lid = trial.mixing_height_m if trial.mixing_height_m is not None else UNLIMITED_MIXING_M
    return Meteorology(
        wind_speed_m_s=trial.wind_2m_m_s,
        wind_from_deg=270.0,
        stability=stability_of_curves(trial.inverse_length_per_m),
        roughness_m=trial.roughness_m,
        wind_height_m=2.0,
        mixing_height_m=max(lid, _LEAST_LID_M),
        sigma_theta_deg=trial.sigma_azimuth_deg,
        measured_inverse_length_per_m=trial.inverse_length_per_m,
    )


def predict(trial: PlumeTrial, arc: PlumeArc) -> float:
    """Return the concentration [mg/m3] on the axis of the plume at an arc."""
    release = constant_release(arc.rate_kg_s, _STEADY_S, arc.source_height_m, diameter_m=_PIPE_DIAMETER_M)
    cloud = PuffModel(release, steady(weather_of(trial))).cloud_at(_STEADY_S)
    assert cloud is not None
    return 1e6 * float(cloud.concentration_at(arc.distance_m, 0.0, arc.sampler_height_m)[0])


def plume_rows(trials: dict[str, PlumeTrial], arcs: list[PlumeArc]) -> list[PlumeRow]:
    """Predict every arc whose run has weather, in the order of the arcs."""
    return [_row(trials[arc.run], arc) for arc in arcs if arc.run in trials]


def _row(trial: PlumeTrial, arc: PlumeArc) -> PlumeRow:
    return PlumeRow(
        run=trial.run,
        distance_m=arc.distance_m,
        class_letter=trial.class_letter,
        stability=round(stability_of_curves(trial.inverse_length_per_m), 2),
        observed=arc.observed_mg_m3,
        predicted=predict(trial, arc),
        input=_input_of(trial),
    )


def _input_of(trial: PlumeTrial) -> str:
    lateral = "sigma_A measured" if trial.sigma_azimuth_deg is not None else "sigma_y from the curves"
    lid = "zi measured" if trial.mixing_height_m is not None else "no lid"
    return f"u 2 m, L measured, {lateral}, {lid}, z0 {trial.roughness_m:g} m"
