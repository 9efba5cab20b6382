from math import exp, sqrt

import numpy as np
import pytest

from services.model.source_terms import Hole, OutOfRange
from services.model.source_terms.blow_down import GasVessel, LiquidVessel, empty, empty_gas, empty_liquid
from services.model.source_terms.constants import GRAVITY_M_S2
from services.model.source_terms.gas import gas_outflow


def test_sonic_flow_at_a_constant_temperature_dies_away_exponentially() -> None:
    vessel = GasVessel(100.0, 5e6, 293.15, 0.070906, 1.325)
    area = Hole(0.010).area_m2
    flow = empty_gas(vessel, 1.0, area)
    decay = 100.0 / gas_outflow(1.0, area, 5e6, 0.070906, 1.325, 293.15)
    # Down to 1 MPa the flow stays sonic: m = m0 exp(-t / decay).
    for share in (0.8, 0.5, 0.2):
        time = float(np.interp(100.0 * (1 - share), flow.left_kg, flow.times_s))
        assert exp(-time / decay) == pytest.approx(share, rel=2e-3)


def test_a_tank_under_its_own_level_alone_empties_as_torricelli_says() -> None:
    area, height, mass, density = Hole(0.05).area_m2, 4.0, 40_000.0, 1000.0
    flow = empty_liquid(LiquidVessel(mass, 101_325, density, height), 0.65, area)
    cross_section = mass / density / height
    expected = cross_section / (0.65 * area) * sqrt(2 * height / GRAVITY_M_S2)
    # Midpoints near the bottom of a tank that empties ever slower cost a few percent of the last part alone.
    assert flow.times_s[-1] == pytest.approx(expected, rel=0.02)
    assert flow.left_kg[-1] == pytest.approx(mass)


def test_gas_that_cools_as_it_expands_leaves_slower() -> None:
    warm = empty_gas(GasVessel(100.0, 2e6, 293.15, 0.017, 1.31), 1.0, 1e-4)
    cold = empty_gas(GasVessel(100.0, 2e6, 293.15, 0.017, 1.31, isothermal=False), 1.0, 1e-4)
    half = 0.5 * min(warm.times_s[-1], cold.times_s[-1])
    assert np.interp(half, cold.times_s, cold.left_kg) < np.interp(half, warm.times_s, warm.left_kg)


def test_an_expanding_gas_space_comes_to_hold_the_liquid_back() -> None:
    # 1 m3 at 2 atmospheres has expanded to ambient pressure at 2 m3: 1 m3 of liquid has left, the rest stays.
    flow = empty_liquid(LiquidVessel(5_000.0, 2 * 101_325, 1000.0, 0.0, gas_space_m3=1.0), 0.65, 1e-3)
    assert flow.left_kg[-1] == pytest.approx(1000.0)


def test_finer_parts_do_not_change_what_comes_out() -> None:
    coarse, fine = (empty(1000.0, 0.0, lambda mass: 1.0 + mass / 100.0, parts) for parts in (100, 2000))
    assert coarse.times_s[-1] == pytest.approx(fine.times_s[-1], rel=1e-3)


def test_a_vessel_under_no_pressure_is_refused() -> None:
    with pytest.raises(OutOfRange, match="holds the content back"):
        empty_gas(GasVessel(100.0, 101_325, 293.15, 0.07, 1.3), 1.0, 1e-4)
    with pytest.raises(OutOfRange, match="holds the content back"):
        empty_liquid(LiquidVessel(100.0, 90_000, 1000.0, 0.5), 0.65, 1e-4)
