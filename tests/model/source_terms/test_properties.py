"""What has to hold whatever the numbers."""

from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.source_terms.blow_down import GasVessel, LiquidVessel, empty_gas, empty_liquid
from services.model.source_terms.flash import flash_fraction
from services.model.source_terms.gas import critical_pressure_ratio, gas_outflow, outflow_coefficient
from services.model.source_terms.heat_evaporation import SURFACES, heat_evaporation, mean_heat_evaporation
from services.model.source_terms.liquid import liquid_outflow
from services.model.source_terms.mass_evaporation import mass_evaporation
from services.model.source_terms.two_phase import mixture_density, two_phase_outflow
from services.model.source_terms.vapour_pressure import boiling_point_at, vapour_pressure

pressures = st.floats(101_326, 1e7)
factors = st.floats(1.0, 5.0)
areas = st.floats(1e-6, 0.1)
gammas = st.floats(1.05, 1.67)
molar_masses = st.floats(0.002, 0.3)
temperatures = st.floats(220, 500)


@given(areas, st.floats(500, 3000), st.floats(1e4, 1e7), st.floats(0, 30), factors)
def test_a_liquid_flows_faster_under_more_pressure_and_level_and_through_a_wider_hole(
    area: float, density: float, pressure: float, height: float, factor: float
) -> None:
    rate = liquid_outflow(0.65, area, density, pressure, height)
    assert rate >= 0
    assert liquid_outflow(0.65, area, density, pressure * factor, height) >= rate
    assert liquid_outflow(0.65, area, density, pressure, height * factor) >= rate
    assert liquid_outflow(0.65, area * factor, density, pressure, height) >= rate


@given(areas, st.floats(1e4, 1e7), molar_masses, gammas, temperatures, factors)
def test_a_gas_flows_faster_under_more_pressure_and_through_a_wider_hole(
    area: float, pressure: float, mass: float, gamma: float, temperature: float, factor: float
) -> None:
    rate = gas_outflow(1.0, area, pressure, mass, gamma, temperature)
    assert rate >= 0
    assert gas_outflow(1.0, area, pressure * factor, mass, gamma, temperature) >= rate * (1 - 1e-12)
    assert gas_outflow(1.0, area * factor, pressure, mass, gamma, temperature) >= rate


@given(gammas)
def test_sonic_and_subsonic_flow_meet_at_the_critical_pressure(gamma: float) -> None:
    critical = 101_325 / critical_pressure_ratio(gamma)
    assert outflow_coefficient(critical * (1 - 1e-9), gamma) == pytest.approx(1.0, abs=1e-6)
    assert outflow_coefficient(101_325, gamma) == 0.0


@given(areas, st.floats(0, 1), st.floats(0.1, 20), st.floats(300, 3000), pressures, factors)
def test_a_two_phase_jet_lies_between_vapour_and_liquid(
    area: float, share: float, vapour: float, liquid: float, pressure: float, factor: float
) -> None:
    density = mixture_density(share, vapour, liquid)
    assert vapour * (1 - 1e-12) <= density <= liquid * (1 + 1e-12)
    rate = two_phase_outflow(area, density, pressure)
    assert 0 <= rate <= two_phase_outflow(area, density, pressure * factor)
    assert rate <= two_phase_outflow(area * factor, density, pressure)


@given(temperatures, temperatures, st.floats(300, 6000), st.floats(1e5, 3e6))
def test_a_share_that_flashes_is_a_share(liquid: float, boiling: float, capacity: float, heat: float) -> None:
    share = flash_fraction(liquid, boiling, capacity, heat)
    assert 0 <= share <= 1
    assert (share > 0) == (liquid > boiling)


@settings(max_examples=30)
@given(st.floats(1, 1e4), st.floats(1, 1000), st.floats(1, 3600))
def test_the_mean_of_what_the_ground_boils_off_is_its_integral(area: float, start: float, length: float) -> None:
    times = np.geomspace(start, start + length, 200)
    rates = [heat_evaporation(SURFACES["gravel"], area, 300, 240, 1e6, float(time)) for time in times]
    mean = mean_heat_evaporation(SURFACES["gravel"], area, 300, 240, 1e6, start, start + length)
    assert mean == pytest.approx(np.trapezoid(rates, times) / length, rel=1e-3)


@given(st.floats(0, 2e5), molar_masses, st.floats(0, 30), st.floats(0.1, 100), st.floats(1, 6), factors)
def test_the_wind_carries_more_off_a_wider_pool_and_when_it_blows_harder(
    pressure: float, mass: float, wind: float, radius: float, stability: float, factor: float
) -> None:
    rate = mass_evaporation(pressure, mass, 298, wind, radius, stability)
    assert 0 <= rate <= mass_evaporation(pressure, mass, 298, wind, radius * factor, stability)
    assert rate <= mass_evaporation(pressure, mass, 298, min(wind * factor, 60), radius, stability)


@given(temperatures, st.floats(150, 450), st.floats(2e5, 2e6), st.floats(0.015, 0.15))
def test_boiling_point_and_vapour_pressure_are_each_other_s_inverse(
    temperature: float, boiling: float, heat: float, mass: float
) -> None:
    pressure = vapour_pressure(temperature, boiling, heat, mass)
    assert pressure > 0
    if 1 < pressure < 1e8:
        assert boiling_point_at(pressure, boiling, heat, mass) == pytest.approx(temperature, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 1e5), pressures, temperatures, molar_masses, gammas, areas, st.booleans())
def test_a_vessel_of_gas_loses_what_it_gives_and_comes_to_rest(
    mass: float, pressure: float, kelvin: float, molar: float, gamma: float, area: float, isothermal: bool
) -> None:
    vessel = GasVessel(mass, pressure, kelvin, molar, gamma, isothermal)
    flow = empty_gas(vessel, 1.0, area)
    assert np.all(np.diff(flow.times_s) > 0)
    assert np.all(np.diff(flow.left_kg) > 0)
    assert isfinite(flow.times_s[-1])
    assert flow.left_kg[-1] == pytest.approx(mass - vessel.rest_kg(), rel=1e-9)
    edges = np.linspace(0, flow.times_s[-1], 37)
    rates = flow.mean_rates(edges)
    assert np.all(rates >= 0)
    assert float(rates @ np.diff(edges)) == pytest.approx(float(flow.left_kg[-1]), rel=1e-9)
    assert rates[0] == max(rates)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(10, 1e6), st.floats(2e5, 3e6), st.floats(500, 3000), st.floats(0, 20), areas,
    st.none() | st.floats(0.1, 1e4),
)  # fmt: skip
def test_a_vessel_of_liquid_loses_what_it_gives_and_its_pressure_and_level_only_fall(
    mass: float, pressure: float, density: float, height: float, area: float, space: float | None
) -> None:
    vessel = LiquidVessel(mass, pressure, density, height, space)
    flow = empty_liquid(vessel, 0.65, area)
    assert np.all(np.diff(flow.times_s) > 0)
    assert 0 < flow.left_kg[-1] <= mass * (1 + 1e-12)
    rates = np.diff(flow.left_kg) / np.diff(flow.times_s)
    assert np.all(np.diff(rates) <= 1e-9 * rates[0])
    half = float(flow.times_s[-1]) / 2
    shut = flow.until(half)
    assert shut.times_s[-1] == half
    assert shut.left_kg[-1] <= flow.left_kg[-1]
