"""The vectors of HJ 169-2018, Appendix F and G.

They were reckoned with R = 8.314462618 J/(mol K); the standard, and we, take 8.314, which moves a density of gas by
6e-5 and a gas rate by half of it. So they hold to 1e-3, and those without R to 1e-6.
"""

from math import pi, sqrt

import pytest

from services.model.dispersion.richardson import (
    AIR_MOLAR_MASS_KG_MOL,
    continuous_richardson,
    ideal_gas_density,
    instantaneous_richardson,
)
from services.model.source_terms.fire import carbon_monoxide, sulfur_dioxide
from services.model.source_terms.flash import flash_evaporation, flash_fraction
from services.model.source_terms.gas import gas_outflow, is_critical, outflow_coefficient
from services.model.source_terms.heat_evaporation import SURFACES, heat_evaporation
from services.model.source_terms.hole import Hole, gas_discharge_coefficient, liquid_discharge_coefficient
from services.model.source_terms.liquid import liquid_outflow
from services.model.source_terms.mass_evaporation import mass_evaporation
from services.model.source_terms.pool import equivalent_radius, evaporated_mass
from services.model.source_terms.two_phase import mixture_density, two_phase_outflow

EXACT, WITH_R = 1e-6, 1e-3
AMMONIA_M, CHLORINE_M, METHANOL_M = 0.0170305, 0.070906, 0.0320419
F = 6.0
TEN_MM = Hole(0.010).area_m2


def test_ammonia_as_a_liquid() -> None:
    rate = liquid_outflow(liquid_discharge_coefficient("circle"), TEN_MM, 609.4, 854500, 2)
    assert rate == pytest.approx(1.5589690, rel=EXACT)
    fraction = flash_fraction(293.15, 239.85, 4651, 1369895)
    assert fraction == pytest.approx(0.1809615, rel=EXACT)
    assert flash_evaporation(rate, fraction) == pytest.approx(0.2821134, rel=EXACT)


def test_ammonia_boils_off_warm_cement() -> None:
    rate = heat_evaporation(SURFACES["cement"], 100, 298.15, 239.85, 1369895, 600)
    assert rate == pytest.approx(0.3002123, rel=EXACT)


def test_ammonia_is_carried_off_by_the_wind() -> None:
    rate = mass_evaporation(101325, AMMONIA_M, 298.15, 1.5, equivalent_radius(100), F)
    assert rate == pytest.approx(0.1261063, rel=WITH_R)


def test_ammonia_as_a_two_phase_jet() -> None:
    density = mixture_density(flash_fraction(293.15, 239.85, 4651, 1369895), 0.865, 609.4)
    assert two_phase_outflow(TEN_MM, density, 854500) == pytest.approx(0.1200830, rel=EXACT)


def test_chlorine_as_a_gas_faster_and_slower_than_sound() -> None:
    area, round_hole = Hole(0.005).area_m2, gas_discharge_coefficient("circle")
    assert is_critical(700000, 1.325)
    sonic = gas_outflow(round_hole, area, 700000, CHLORINE_M, 1.325, 293.15)
    assert sonic == pytest.approx(0.0497991, rel=WITH_R)
    assert not is_critical(150000, 1.325)
    assert outflow_coefficient(150000, 1.325) == pytest.approx(0.9575790, rel=EXACT)
    assert gas_outflow(round_hole, area, 150000, CHLORINE_M, 1.325, 293.15) == pytest.approx(0.0102186, rel=WITH_R)


def test_methanol_out_of_a_tank_and_off_its_pool() -> None:
    rate = liquid_outflow(0.65, Hole(0.050).area_m2, 794.4, 101325, 5)
    assert rate == pytest.approx(10.0419253, rel=EXACT)
    carried = mass_evaporation(12880, METHANOL_M, 298.15, 1.5, sqrt(200 / pi), F)
    assert carried == pytest.approx(0.0576533, rel=WITH_R)
    air = ideal_gas_density(AIR_MOLAR_MASS_KG_MOL, 298.15, 101325)
    assert air == pytest.approx(1.1839826, rel=WITH_R)
    vapour = ideal_gas_density(METHANOL_M, 298.15, 101325)
    number = continuous_richardson(carried, vapour, air, 2 * sqrt(200 / pi), 1.5)
    assert number == pytest.approx(0.0947909, rel=WITH_R)
    assert number < 1 / 6


def test_a_thousand_kilograms_of_chlorine_at_once_are_dense() -> None:
    air = ideal_gas_density(AIR_MOLAR_MASS_KG_MOL, 298.15, 101325)
    cold = ideal_gas_density(CHLORINE_M, 239.15, 101325)
    assert instantaneous_richardson(1000, cold, air, 1.5) == pytest.approx(58.30, rel=WITH_R)


def test_a_fire() -> None:
    assert sulfur_dioxide(1000, 0.005) == pytest.approx(10, rel=EXACT)
    assert carbon_monoxide(0.01, 0.03) == pytest.approx(0.59415, rel=EXACT)


def test_the_whole_of_an_evaporation() -> None:
    assert evaporated_mass(0.5, 600, 0.3, 600, 0.1, 1800) == pytest.approx(300 + 180 + 180)
