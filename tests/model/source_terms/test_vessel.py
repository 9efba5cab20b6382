from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.chemicals import all_chemicals, chemical
from services.model.source_terms import (
    Fluid,
    Hole,
    Leak,
    MissingProperty,
    OutOfRange,
    SourceTerm,
    Surroundings,
    fluid_of,
    release_from_vessel,
)
from services.model.source_terms.pool import LEAST_DEPTH_M

AMMONIA, CHLORINE, METHANOL = (fluid_of(chemical(cas)) for cas in ("7664-41-7", "7782-50-5", "67-56-1"))
SPHERE = Leak("liquid", Hole(0.010), 854_500, 293.15, 50_000, 2.0, isolation_s=600, bund_area_m2=100)
WORST = Surroundings()


def codes(term: SourceTerm) -> set[str]:
    return {assumption.code for assumption in term.assumptions}


def balances(term: SourceTerm, mass_kg: float) -> bool:
    parts = (term.airborne_kg, term.pool_left_kg, term.vessel_left_kg)
    return min(parts) >= -1e-9 * mass_kg and sum(parts) == pytest.approx(mass_kg, rel=1e-9)


def test_ammonia_from_a_sphere_flashes_and_boils_off_its_bund() -> None:
    term = release_from_vessel(AMMONIA, SPHERE, WORST)
    assert term.phase == "vapour"
    assert term.outflow_kg == pytest.approx(1.5589690 * 600, rel=0.01)
    # At least the flash, and no more than all that was spilled.
    assert 0.1809615 * term.outflow_kg < term.airborne_kg <= term.outflow_kg
    assert term.diameter_m == pytest.approx(2 * (100 / np.pi) ** 0.5)
    assert term.temperature_k == pytest.approx(239.85)
    assert term.duration_s == 1800
    assert {"flash", "bund", "ground", "shut", "pressure-held", "pool-ends"} <= codes(term)
    assert balances(term, 50_000)


def test_methanol_does_not_flash_and_a_bund_keeps_its_pool_small() -> None:
    tank = Leak("liquid", Hole(0.050), 101_325, 298.15, 50_000, 5.0, isolation_s=600)
    free, banked = (release_from_vessel(METHANOL, leak, WORST) for leak in (tank, replace(tank, bund_area_m2=200)))
    assert free.airborne_kg > banked.airborne_kg
    assert "flash" not in codes(free)
    assert "bund" not in codes(free)
    assert free.rates_kg_s[0] < free.peak_rate_kg_s
    # The widest pool gives what the wind carries off 200 m2, but for the pressure that its vapour law makes.
    pressure = METHANOL.vapour_pressure_at(298.15)
    assert banked.rates_kg_s[-1] == pytest.approx(0.0576533 * pressure / 12_880, rel=1e-3)
    assert pressure == pytest.approx(16_900, rel=0.2)
    volume = free.outflow_kg / 794.4
    assert free.diameter_m == pytest.approx(2 * (volume / LEAST_DEPTH_M["cement"] / np.pi) ** 0.5)


def test_a_known_vapour_pressure_goes_before_the_vapour_law() -> None:
    tank = Leak("liquid", Hole(0.050), 101_325, 298.15, 50_000, 5.0, isolation_s=600, bund_area_m2=200)
    term = release_from_vessel(replace(METHANOL, vapour_pressure_pa=12_880.0), tank, WORST)
    assert term.rates_kg_s[-1] == pytest.approx(0.0576533, rel=1e-3)


def test_gas_in_a_closed_vessel_loses_pressure_and_gas_above_its_liquid_does_not() -> None:
    closed = release_from_vessel(CHLORINE, Leak("gas", Hole(0.005), 500_000, 293.15, 50), WORST)
    above = release_from_vessel(CHLORINE, Leak("gas", Hole(0.005), 700_000, 293.15, 50), WORST)
    assert closed.rates_kg_s[0] > closed.rates_kg_s[-1]
    assert closed.vessel_left_kg == pytest.approx(50 * 101_325 / 500_000)
    assert "isothermal" in codes(closed)
    assert above.rates_kg_s[0] == pytest.approx(0.0497991, rel=1e-3)
    assert above.rates_kg_s[-1] == pytest.approx(0.0497991, rel=1e-3)
    assert above.vessel_left_kg == pytest.approx(0, abs=1e-6)
    assert "above-liquid" in codes(above)


def test_a_two_phase_jet_stays_in_the_air_between_gas_and_liquid() -> None:
    jet, liquid = replace(SPHERE, phase="two-phase"), SPHERE
    term = release_from_vessel(AMMONIA, jet, WORST)
    assert term.phase == "two-phase"
    assert term.airborne_kg == pytest.approx(term.outflow_kg)
    assert term.outflow_kg < release_from_vessel(AMMONIA, liquid, WORST).outflow_kg
    assert {"all-airborne", "critical-boiling-point"} <= codes(term)


def test_a_mixture_that_boils_wholly_is_reckoned_as_a_gas() -> None:
    hot = replace(SPHERE, phase="two-phase", temperature_k=600.0)
    term = release_from_vessel(AMMONIA, hot, WORST)
    assert term.phase == "gas"
    assert "gas-instead" in codes(term)


def test_what_is_not_known_is_bounded_and_said() -> None:
    leak = Leak("liquid", Hole(0.010), 700_000, 293.15, 1000, 1.0, isolation_s=600)
    term = release_from_vessel(CHLORINE, leak, WORST)
    assert "all-flashes-bound" in codes(term)
    assert term.airborne_kg == pytest.approx(term.outflow_kg)
    known = release_from_vessel(replace(CHLORINE, heat_capacity_liquid_j_kg_k=950.0), leak, WORST)
    assert known.airborne_kg <= term.airborne_kg
    jet = replace(leak, phase="two-phase")
    bound = release_from_vessel(CHLORINE, jet, WORST)
    assert "all-liquid-bound" in codes(bound)
    assert release_from_vessel(replace(CHLORINE, heat_capacity_liquid_j_kg_k=950.0), jet, WORST).outflow_kg < (
        bound.outflow_kg
    )


def test_without_any_bound_the_missing_property_is_named() -> None:
    acetone = fluid_of(chemical("67-64-1"))
    with pytest.raises(MissingProperty, match="heat_capacity_ratio of Acetone") as caught:
        release_from_vessel(acetone, Leak("gas", Hole(0.01), 2e5, 293.15, 100), WORST)
    assert caught.value.quantity == "heat_capacity_ratio"
    with pytest.raises(MissingProperty, match="liquid_density_kg_m3"):
        release_from_vessel(acetone, Leak("liquid", Hole(0.01), 2e5, 293.15, 100), WORST)


def test_no_pressure_no_jet() -> None:
    for phase in ("gas", "two-phase"):
        leak = Leak(phase, Hole(0.01), 101_325, 293.15, 100)
        with pytest.raises(OutOfRange, match="above the ambient"):
            release_from_vessel(AMMONIA, leak, WORST)


def test_a_thick_liquid_flows_as_table_f1_says() -> None:
    leak = Leak("liquid", Hole(0.01), 110_000, 298.15, 100, 0.0, isolation_s=60)
    thin, thick = (release_from_vessel(replace(METHANOL, viscosity_pa_s=value), leak, WORST) for value in (6e-4, 2.0))
    assert thick.outflow_kg / thin.outflow_kg == pytest.approx(0.50 / 0.65)
    assert "turbulent" not in codes(thin)


def test_every_substance_of_the_catalogue_gives_a_release_or_says_what_it_lacks() -> None:
    given_ = 0
    for entry in all_chemicals():
        for phase in ("gas", "liquid", "two-phase"):
            leak = Leak(phase, Hole(0.01), 500_000, 293.15, 1000, 1.0, isolation_s=600)
            try:
                term = release_from_vessel(fluid_of(entry), leak, WORST)
            except MissingProperty:
                continue
            given_ += 1
            assert balances(term, 1000), (entry.cas, phase)
            assert term.peak_rate_kg_s > 0
            assert all(assumption.text.zh and assumption.text.en for assumption in term.assumptions)
    assert given_ > 40


@settings(max_examples=60, deadline=None)
@given(
    phase=st.sampled_from(("gas", "liquid", "two-phase")),
    fluid=st.sampled_from((AMMONIA, CHLORINE, METHANOL)),
    diameter=st.floats(0.001, 0.3),
    pressure=st.floats(110_000, 3e6),
    kelvin=st.floats(260, 340),
    mass=st.floats(1, 1e6),
    height=st.floats(0, 20),
    space=st.none() | st.floats(0.1, 1000),
    shut=st.none() | st.floats(1, 7200),
    bund=st.none() | st.floats(1, 5000),
    wind=st.floats(0, 20),
    stability=st.floats(1, 6),
)
def test_mass_is_kept_and_no_rate_is_negative(
    phase: Literal["gas", "liquid", "two-phase"], fluid: Fluid, diameter: float, pressure: float, kelvin: float,
    mass: float, height: float, space: float | None, shut: float | None, bund: float | None, wind: float,
    stability: float,
) -> None:  # fmt: skip
    leak = Leak(phase, Hole(diameter), pressure, kelvin, mass, height, space, shut, bund)
    term = release_from_vessel(fluid, leak, Surroundings(wind_m_s=wind, stability=stability))
    assert all(rate >= 0 for rate in term.rates_kg_s)
    assert np.all(np.diff(term.edges_s) > 0)
    assert balances(term, mass)
    assert term.series[0][0] == 0
    assert term.series[-1][1] == 0
    assert len(term.series) == len(term.edges_s)
    assert term.temperature_k > 0


@settings(max_examples=30, deadline=None)
@given(st.floats(110_000, 2e6), st.floats(1, 3), st.sampled_from(("gas", "liquid", "two-phase")))
def test_a_wider_hole_and_more_pressure_let_more_out(
    pressure: float, factor: float, phase: Literal["gas", "liquid", "two-phase"]
) -> None:
    leak = Leak(phase, Hole(0.005), pressure, 293.15, 1e6, 2.0, isolation_s=600)
    rate = release_from_vessel(AMMONIA, leak, WORST).outflow_kg
    wider = replace(leak, hole=Hole(0.005 * factor))
    assert release_from_vessel(AMMONIA, wider, WORST).outflow_kg >= rate * (1 - 1e-9)
    if phase != "two-phase":  # there more pressure also means a higher boiling point in the hole
        harder = replace(leak, pressure_pa=pressure * factor)
        assert release_from_vessel(AMMONIA, harder, WORST).outflow_kg >= rate * (1 - 1e-9)
