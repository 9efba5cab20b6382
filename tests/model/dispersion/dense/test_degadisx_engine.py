"""degadisx behind the interface: against the library's own run of its own deck, and what physics asks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.model.dispersion.dense.degadisx_engine import DegadisxEngine, _case
from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.scenario import (
    AreaSource,
    DenseScenario,
    JetSource,
    SuddenSource,
    slumped_area_m2,
)
from tests.model.dispersion.dense.cases import ENDPOINT_2_KG_M3, NEUTRAL, STABLE, chlorine


def answer(scenario: DenseScenario) -> DenseResult:
    result = DegadisxEngine().run(scenario)
    assert isinstance(result, DenseResult), result
    return result


def refusal(scenario: DenseScenario) -> str:
    failure = DegadisxEngine().run(scenario)
    assert isinstance(failure, EngineFailure)
    assert failure.kind == "refused"
    return failure.reason.en


def deck(scenario: DenseScenario) -> str:
    """The scenario as DEGADIS's users write it."""
    source, weather, gas = scenario.source, scenario.weather, scenario.substance
    assert isinstance(source, AreaSource)
    radius = math.sqrt(source.area_m2 / math.pi)
    rows = [(0.0, source.rate_kg_s), (60230.0, source.rate_kg_s), (60231.0, 0.0), (60232.0, 0.0)]
    lines = [
        "chlorine",
        "",
        "",
        "",
        f"{weather.wind_speed_m_s} {weather.wind_height_m} {weather.roughness_m}",
        "4",
        f"0.0 {scenario.averaging_s}",
        "2 0.0",
        f"{weather.temperature_k} {weather.pressure_pa / 101325.0} 0.0 {weather.humidity_pct}",
        f"0 {weather.temperature_k}",
        "1 0.0",
        "0 0.0",
        "CL2",
        f"{gas.molar_mass_g_mol} {scenario.temperature_k} {scenario.gas_density()}",
        f"{gas.heat_capacity_gas_j_kg_k} 0.0",
        "0.15 0.05 0.0",
        "1e-6",
        "0.0",
        "4",
        *[f"{time} {rate} {radius} 1.0 {scenario.temperature_k} 1.0" for time, rate in rows],
        " T",
        "",
    ]
    return "\n".join(lines)


def test_it_agrees_with_the_library_on_the_library_s_own_deck(tmp_path: Path) -> None:
    from degadisx import run_steady

    scenario = chlorine(duration_s=86_400.0)
    path = tmp_path / "chlorine.inp"
    path.write_text(deck(scenario))
    profile, _ = run_steady(path)
    x = np.array([50.0, 200.0, 500.0, 1000.0, 2000.0])
    expected = np.exp(np.interp(x, profile.column("dist"), np.log(profile.column("yc"))))
    result = answer(scenario)
    assert result.centreline_at(x) / result.kg_m3_per_mole_fraction == pytest.approx(expected, rel=0.02)


def test_the_plume_carries_the_rate() -> None:
    """Integral of C u over the section, with DEGADIS's own profiles."""
    from degadisx import run_steady

    case = _case(chlorine(duration_s=86_400.0))
    profile, start = run_steady(case)
    b, sy, sz, cc = (profile.column(name) for name in ("b", "sy", "sz", "cc"))
    power = 1.0 + start.alpha
    depth = case.u0 * case.z0 / power * (sz / case.z0) ** power
    flux = 2.0 * cc * (b + 0.5 * math.sqrt(math.pi) * sy) * depth
    assert flux[2:] == pytest.approx(np.ones(flux.size - 2), rel=0.02)


def test_a_cloud_is_symmetrical_thins_down_the_wind_and_arrives_ever_later() -> None:
    result = answer(chlorine())
    assert np.array_equal(result.concentration_kg_m3, result.concentration_kg_m3[:, ::-1])
    axis = result.centreline_kg_m3
    assert np.all(np.diff(axis[np.argmax(axis) :]) <= 0.0)
    assert result.arrival_s is not None
    assert np.all(np.diff(result.arrival_s) >= 0.0)


def test_more_gas_reaches_farther_less_wind_too_and_a_short_release_less_far() -> None:
    scenarios = [chlorine(0.5, duration_s=20.0), chlorine(0.5), chlorine(2.0), chlorine(2.0, weather=STABLE)]
    distances = [answer(scenario).distance_to(ENDPOINT_2_KG_M3) for scenario in scenarios]
    assert None not in distances
    assert distances == sorted(distances, key=lambda distance: distance or 0.0)
    assert len(set(distances)) == len(distances)


def test_between_two_classes_the_answer_lies_between_theirs() -> None:
    at = [
        float(answer(chlorine(weather=replace(NEUTRAL, stability=stability))).centreline_at([1000.0])[0])
        for stability in (4.0, 4.5, 5.0)
    ]
    assert at[0] < at[1] < at[2]


def test_the_ground_is_the_height_of_the_maximum() -> None:
    scenario = chlorine()
    low, high = (answer(replace(scenario, receptor_height_m=height)).centreline_at([200.0])[0] for height in (0.0, 5.0))
    assert low == pytest.approx(answer(scenario).centreline_at([200.0])[0])
    assert high < low


def test_a_sudden_cloud_runs() -> None:
    scenario = chlorine(source=SuddenSource(100.0, slumped_area_m2(100.0, 3.6)))
    result = answer(replace(scenario, x_max_m=3000.0, lowest_kg_m3=1e-5))
    distance = result.distance_to(58e-6)
    assert distance is not None
    assert 200.0 < distance < 1500.0
    # The blanket over the source, upwind half and all.
    upwind, middle = result.centreline_at([-5.0, 0.0]) / result.kg_m3_per_mole_fraction
    assert 0.1 < upwind <= middle <= 1.0


def test_it_needs_fewer_properties_than_slabx_and_names_the_missing_one() -> None:
    scenario = chlorine()
    bare = replace(scenario.substance, heat_of_vaporisation_j_kg=None, liquid_density_kg_m3=None)
    answer(replace(scenario, substance=bare))
    without = replace(bare, heat_capacity_gas_j_kg_k=None)
    assert "heat_capacity_gas_j_kg_k" in refusal(replace(scenario, substance=without))


def test_jets_and_wind_outside_its_range_are_refused() -> None:
    assert "no jets" in refusal(chlorine(source=JetSource(1.0, 0.01, 600.0, 1.0)))
    assert "1–20 m/s" in refusal(chlorine(weather=replace(NEUTRAL, wind_speed_m_s=0.7)))


def test_a_profile_too_steep_for_its_power_law_is_refused_with_the_range() -> None:
    assert "0.05–0.5" in refusal(chlorine(weather=replace(STABLE, roughness_m=0.5)))
