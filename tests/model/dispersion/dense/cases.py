"""Scenarios that several tests share."""

from dataclasses import replace

from services.model.dispersion.dense.scenario import (
    AreaSource,
    DenseScenario,
    DenseWeather,
    Source,
    Substance,
    broad_enough_area_m2,
    standard_properties,
)

CHLORINE: Substance = standard_properties()["7782-50-5"][0]
NEUTRAL = DenseWeather(wind_speed_m_s=5.0, stability=4.0, temperature_k=288.15, roughness_m=0.05)
STABLE = DenseWeather(wind_speed_m_s=2.0, stability=6.0, temperature_k=288.15, roughness_m=0.05)
ENDPOINT_2_KG_M3 = 5.8e-6


def chlorine(
    rate_kg_s: float = 1.0,
    duration_s: float = 600.0,
    weather: DenseWeather = NEUTRAL,
    source: Source | None = None,
) -> DenseScenario:
    """A leak of chlorine at its boiling point, over an area that lets it rise calmly."""
    assert CHLORINE.boiling_point_k is not None
    scenario = DenseScenario(
        CHLORINE, AreaSource(rate_kg_s, 1.0, duration_s), CHLORINE.boiling_point_k, weather, lowest_kg_m3=1e-6
    )
    area = broad_enough_area_m2(rate_kg_s, scenario.gas_density())
    return replace(scenario, source=source or AreaSource(rate_kg_s, area, duration_s))
