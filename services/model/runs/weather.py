"""From measured or given weather to the engine's: stability, mixing height, and what had to be assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.model.dispersion.meteorology import (
    PARK_ROUGHNESS_M,
    UNLIMITED_MIXING_M,
    Meteorology,
    screening_mixing_height_m,
)
from services.model.dispersion.stability import class_letter, stability_from_sigma_theta, stability_from_sun
from services.model.dispersion.sun import solar_elevation_deg
from services.model.runs.remarks import assumption
from services.model.runs.request import GivenMeteorology
from services.model.runs.result import MeteorologyView, Remark

Method = Literal["given", "sigma-theta", "sun-cloud-wind"]

_HALF_CLOUDED = 0.5


@dataclass(frozen=True, slots=True)
class MeasuredWeather:
    """What the park's met stations say. `age_s`: how old it is at the moment of the run."""

    at: datetime
    age_s: float
    wind_speed_m_s: float
    wind_from_deg: float
    sigma_theta_deg: float | None
    temperature_c: float | None
    pressure_kpa: float | None


@dataclass(frozen=True, slots=True)
class EngineWeather:
    """The engine's weather, the view of it, and the assumptions made on the way."""

    weather: Meteorology
    view: MeteorologyView
    assumptions: list[Remark]


def from_measured(measured: MeasuredWeather, longitude: float, latitude: float) -> EngineWeather:
    """Build the engine's weather from the park's stations; stability by sigma-theta, else by sun, cloud and wind."""
    given = GivenMeteorology(
        wind_speed_m_s=measured.wind_speed_m_s,
        wind_from_deg=measured.wind_from_deg % 360.0,
        sigma_theta_deg=measured.sigma_theta_deg,
        temperature_c=20.0 if measured.temperature_c is None else measured.temperature_c,
        pressure_kpa=101.325 if measured.pressure_kpa is None else measured.pressure_kpa,
    )
    built = from_given(given, measured.at, longitude, latitude)
    extra: list[Remark] = []
    if measured.temperature_c is None:
        extra.append(assumption("temperature-assumed"))
    view = built.view.model_copy(update={"origin": "stations", "age_s": measured.age_s})
    return EngineWeather(built.weather, view, [*built.assumptions, *extra])


def from_given(given: GivenMeteorology, at: datetime, longitude: float, latitude: float) -> EngineWeather:
    """Build the engine's weather from what a caller gave."""
    roughness = given.roughness_m or PARK_ROUGHNESS_M
    remarks: list[Remark] = []
    if given.roughness_m is None:
        remarks.append(assumption("roughness-assumed", value=roughness))
    elevation = solar_elevation_deg(at, longitude, latitude)
    stability, method = _stability(given, elevation, roughness, remarks)
    mixing = given.mixing_height_m
    if mixing is None:
        mixing = screening_mixing_height_m(given.wind_speed_m_s, stability)
        shown = "unlimited" if mixing >= UNLIMITED_MIXING_M else f"{mixing:.0f} m"
        remarks.append(assumption("mixing-height-assumed", value=shown))
    if given.sigma_theta_deg is None:
        remarks.append(assumption("sigma-theta-missing"))
    weather = Meteorology(
        wind_speed_m_s=given.wind_speed_m_s,
        wind_from_deg=given.wind_from_deg,
        stability=stability,
        roughness_m=roughness,
        mixing_height_m=mixing,
        sigma_theta_deg=given.sigma_theta_deg,
        temperature_c=given.temperature_c,
        pressure_kpa=given.pressure_kpa,
    )
    return EngineWeather(weather, _view(weather, at, method), remarks)


def _stability(
    given: GivenMeteorology, elevation_deg: float, roughness_m: float, remarks: list[Remark]
) -> tuple[float, Method]:
    if isinstance(given.stability, str):
        return float("ABCDEF".index(given.stability) + 1), "given"
    if given.stability is not None:
        return given.stability, "given"
    if given.sigma_theta_deg is not None and given.wind_speed_m_s >= 0.5:
        return (
            stability_from_sigma_theta(given.sigma_theta_deg, given.wind_speed_m_s, elevation_deg > 0.0, roughness_m),
            "sigma-theta",
        )
    cloud = given.cloud_fraction
    if cloud is None:
        cloud = _HALF_CLOUDED
        remarks.append(assumption("cloud-assumed"))
    return stability_from_sun(elevation_deg, cloud, given.wind_speed_m_s), "sun-cloud-wind"


def _view(weather: Meteorology, at: datetime, method: Method) -> MeteorologyView:
    return MeteorologyView(
        origin="request",
        at=at,
        age_s=None,
        wind_speed_m_s=weather.wind_speed_m_s,
        wind_from_deg=weather.wind_from_deg,
        sigma_theta_deg=weather.sigma_theta_deg,
        stability=round(weather.stability, 2),
        stability_class=class_letter(weather.stability),
        stability_method=method,
        roughness_m=weather.roughness_m,
        mixing_height_m=round(weather.mixing_height_m, 1),
        inverse_obukhov_per_m=round(weather.inverse_length_per_m, 5),
        temperature_c=weather.temperature_c,
        pressure_kpa=weather.pressure_kpa,
    )
