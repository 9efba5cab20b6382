"""slabx behind the interface: what its own documentation promises, what physics asks, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.scenario import (
    AreaSource,
    DenseScenario,
    DenseWeather,
    JetSource,
    Substance,
    SuddenSource,
    evaporating_pool,
    slumped_area_m2,
)
from services.model.dispersion.dense.slabx_engine import SlabxEngine
from tests.model.dispersion.dense.cases import ENDPOINT_2_KG_M3, NEUTRAL, STABLE, chlorine

# The properties of the library's example.
LNG = Substance("LNG", 16.043, 111.7, 2238.0, 3348.5, 509900.0, 424.1)


def answer(scenario: DenseScenario) -> DenseResult:
    result = SlabxEngine().run(scenario)
    assert isinstance(result, DenseResult), result
    return result


def refusal(scenario: DenseScenario) -> str:
    failure = SlabxEngine().run(scenario)
    assert isinstance(failure, EngineFailure)
    assert failure.kind == "refused"
    return failure.reason.en


def test_the_example_of_the_library_reaches_the_distance_that_it_documents() -> None:
    air = DenseWeather(1.94, stability=5.0, temperature_k=290.0, roughness_m=2e-4, wind_height_m=3.0)
    burro8 = evaporating_pool(
        LNG,
        rate_kg_s=116.93,
        flux_kg_m2_s=0.167,
        duration_s=107.0,
        weather=air,
        averaging_s=80.0,
        receptor_height_m=1.0,
        x_max_m=2000.0,
    )
    result = answer(burro8)
    assert result.distance_to(0.05 * result.kg_m3_per_mole_fraction) == pytest.approx(449.0, rel=0.01)


def test_a_cloud_is_symmetrical_thins_down_the_wind_and_arrives_ever_later() -> None:
    result = answer(chlorine())
    assert np.array_equal(result.concentration_kg_m3, result.concentration_kg_m3[:, ::-1])
    axis = result.centreline_kg_m3
    assert np.all(np.diff(axis[np.argmax(axis) :]) <= 0.0)
    assert np.all(axis[:, None] >= result.concentration_kg_m3)
    assert result.arrival_s is not None
    assert np.all(np.diff(result.arrival_s) >= 0.0)


def test_more_gas_reaches_farther_and_less_wind_too() -> None:
    little, much = answer(chlorine(0.5)), answer(chlorine(2.0))
    still = answer(chlorine(0.5, weather=STABLE))
    distances = [result.distance_to(ENDPOINT_2_KG_M3) for result in (little, much, still)]
    assert None not in distances
    near, far, farther = (float(distance or 0.0) for distance in distances)
    assert near < far < farther


def test_the_far_field_does_not_hang_on_how_broad_a_small_leak_is_taken() -> None:
    broad = chlorine()
    assert isinstance(broad.source, AreaSource)
    wider = replace(broad, source=replace(broad.source, area_m2=4.0 * broad.source.area_m2))
    first, second = (answer(scenario).distance_to(ENDPOINT_2_KG_M3) for scenario in (broad, wider))
    assert first == pytest.approx(second, rel=0.03)


def test_the_maximum_over_the_height_is_no_less_than_at_any_height() -> None:
    scenario = chlorine(weather=STABLE)
    x = [100.0, 500.0, 2000.0]
    highest = answer(scenario).centreline_at(x)
    for height in (0.0, 1.0, 5.0):
        there = answer(replace(scenario, receptor_height_m=height)).centreline_at(x)
        assert np.all(there <= 1.001 * highest)


def test_a_sudden_cloud_keeps_its_gas() -> None:
    """With the library's own number of steps the axis loses it within the first metres."""
    scenario = chlorine()
    source = SuddenSource(1000.0, slumped_area_m2(1000.0, scenario.gas_density()))
    result = answer(replace(scenario, source=source))
    distance = result.distance_to(58e-6)
    assert distance is not None
    assert 1500.0 < distance < 4000.0


def test_a_sudden_cloud_slumps_against_the_wind_and_to_the_sides_too() -> None:
    scenario = chlorine(weather=STABLE)
    source = SuddenSource(1000.0, slumped_area_m2(1000.0, scenario.gas_density()))
    result = answer(replace(scenario, source=source))
    assert result.centreline_at([-20.0])[0] > 58e-6
    beside = result.concentration_kg_m3[np.searchsorted(result.x_m, 0.0), np.searchsorted(result.y_m, 20.0)]
    assert beside > 58e-6


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_jets_run(direction: str) -> None:
    jet = JetSource(5.0, 0.05, 600.0, 1.0, "horizontal" if direction == "horizontal" else "vertical", 0.2)
    distance = answer(chlorine(source=jet)).distance_to(ENDPOINT_2_KG_M3)
    assert distance is not None
    assert distance > 1000.0


def test_a_missing_property_is_named() -> None:
    scenario = chlorine()
    bare = replace(scenario, substance=replace(scenario.substance, heat_capacity_liquid_j_kg_k=None))
    assert "heat_capacity_liquid_j_kg_k" in refusal(bare)


@pytest.mark.parametrize(
    ("weather", "said"),
    [
        (replace(NEUTRAL, wind_speed_m_s=0.3), "0.5–20 m/s"),
        (replace(NEUTRAL, stability=6.5), "1–6"),
        (replace(NEUTRAL, roughness_m=2.0), "1e-05–1 m"),
        (replace(NEUTRAL, temperature_k=200.0), "233–323 K"),
    ],
)
def test_weather_outside_the_range_is_refused_with_the_range(weather: DenseWeather, said: str) -> None:
    assert said in refusal(chlorine(weather=weather))


def test_gas_that_would_leave_a_small_area_as_a_jet_is_refused() -> None:
    assert "1e-06–1 m/s" in refusal(chlorine(source=AreaSource(10.0, 0.4, 600.0)))


def test_gas_below_its_boiling_point_and_light_gas_are_refused() -> None:
    assert "below its boiling point" in refusal(replace(chlorine(), temperature_k=200.0))
    assert "not dense" in refusal(replace(chlorine(), substance=LNG, temperature_k=288.15))


def test_weather_past_what_trials_tested_is_remarked() -> None:
    remarks = answer(chlorine(weather=replace(NEUTRAL, roughness_m=0.3))).remarks
    assert any("roughness" in remark.en for remark in remarks)


def test_without_the_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.model.dispersion.dense.slabx_engine.library_version", lambda _: None)
    failure = SlabxEngine().run(chlorine())
    assert isinstance(failure, EngineFailure)
    assert failure.kind == "not-installed"
    assert "dense-gas" in failure.reason.en
