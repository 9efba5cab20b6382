"""Dose, load, probit and indoor air against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.exposure.dose import dose, time_above_s, toxic_load
from services.model.exposure.indoor import indoor_concentration
from services.model.exposure.people import Counted, count_inside
from services.model.exposure.probit import death_probability

levels = st.floats(1e-3, 1e4)
exponents = st.floats(0.5, 4.0)


@given(levels, st.floats(1.0, 36_000.0), exponents)
def test_a_constant_concentration_has_the_load_of_the_textbook(c: float, seconds: float, n: float) -> None:
    assert toxic_load([0.0, seconds], [c, c], n) == pytest.approx(c**n * seconds / 60.0)


@given(levels, levels, exponents, st.integers(2, 40))
def test_the_load_of_a_line_does_not_depend_on_how_it_is_cut(a: float, b: float, n: float, pieces: int) -> None:
    times = np.linspace(0.0, 600.0, pieces + 1)
    whole = toxic_load([0.0, 600.0], [a, b], n)
    assert toxic_load(times, np.interp(times, [0.0, 600.0], [a, b]), n) == pytest.approx(whole, rel=1e-5)


@given(st.floats(0.1, 1000.0), exponents)
def test_units_a_load_scales_as_the_power_of_its_concentration_and_with_its_time(factor: float, n: float) -> None:
    times, values = np.array([0.0, 60.0, 300.0, 900.0]), np.array([0.0, 3.0, 7.0, 0.0])
    base = float(toxic_load(times, values, n))
    assert toxic_load(times, factor * values, n) == pytest.approx(factor**n * base)
    assert toxic_load(factor * times, values, n) == pytest.approx(factor * base)


def test_a_triangle_has_half_of_its_box() -> None:
    assert dose([0.0, 60.0, 120.0], [0.0, 10.0, 0.0]) == pytest.approx(10.0)
    assert toxic_load([0.0, 60.0], [0.0, 10.0], 2.0) == pytest.approx(100.0 / 3.0)


def test_rows_are_people() -> None:
    series = np.array([[1.0, 1.0, 1.0], [0.0, 2.0, 0.0]])
    assert dose([0.0, 60.0, 120.0], series) == pytest.approx([2.0, 2.0])


def test_time_above_a_level_is_cut_out_of_the_line() -> None:
    assert time_above_s([0.0, 10.0, 20.0], [0.0, 10.0, 0.0], 5.0) == pytest.approx(10.0)
    assert time_above_s([0.0, 10.0], [5.0, 5.0], 5.0) == pytest.approx(10.0)
    assert time_above_s([0.0, 10.0], [1.0, 2.0], 5.0) == 0.0


@pytest.mark.parametrize(
    ("times", "values", "n", "said"),
    [
        ([0.0, 0.0], [1.0, 1.0], 1.0, "rise"),
        ([0.0, 1.0], [1.0, -1.0], 1.0, "negative"),
        ([0.0, 1.0], [1.0, math.nan], 1.0, "finite"),
        ([0.0, 1.0], [1.0], 1.0, "one value"),
        ([0.0, 1.0], [1.0, 1.0], 0.0, "exponent"),
    ],
)
def test_what_has_no_dose_is_refused(times: list[float], values: list[float], n: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        toxic_load(times, values, n)


def test_probits_by_hand() -> None:
    """Half of the exposed die where Y is 5: chlorine ln(C^2.75 t) = 22.7, ammonia ln(C^2 t) = 20.6."""
    assert death_probability(math.exp(22.7), -6.35, 0.5) == pytest.approx(0.5)
    assert death_probability(math.exp(20.6), -15.6, 1.0) == pytest.approx(0.5)
    # One standard deviation above: Phi(1).
    assert death_probability(math.exp(21.6), -15.6, 1.0) == pytest.approx(0.841345, rel=1e-5)
    # 1000 mg/m3 of chlorine for ten minutes: Y = -6.35 + 0.5 (2.75 ln 1000 + ln 10) = 4.2995.
    load = toxic_load([0.0, 600.0], [1000.0, 1000.0], 2.75)
    assert death_probability(load, -6.35, 0.5) == pytest.approx(0.24178, rel=1e-3)


@given(st.floats(0.0, 1e30), st.floats(1.0, 100.0))
def test_more_never_kills_fewer(load: float, factor: float) -> None:
    less, more = float(death_probability(load, -10.0, 1.0)), float(death_probability(load * factor, -10.0, 1.0))
    assert 0.0 <= less <= more <= 1.0


def test_no_gas_kills_nobody() -> None:
    assert death_probability(0.0, -6.35, 0.5) == 0.0


@given(st.floats(0.05, 20.0), st.floats(1.0, 1e4), st.floats(0.0, 1e4))
def test_indoors_follows_a_step_as_the_closed_form(changes: float, outside: float, initial: float) -> None:
    times = np.linspace(0.0, 7200.0, 31)
    inside = indoor_concentration(times, np.full(31, outside), changes, initial)
    expected = outside + (initial - outside) * np.exp(-changes * times / 3600.0)
    assert inside == pytest.approx(expected, rel=1e-6)


def test_indoors_follows_a_ramp_as_the_closed_form() -> None:
    """Co = k t gives Ci = k (t - (1 - exp(-a t)) / a)."""
    times = np.array([0.0, 100.0, 1000.0, 5000.0])
    a = 2.0 / 3600.0
    expected = 0.01 * (times - (1.0 - np.exp(-a * times)) / a)
    assert indoor_concentration(times, 0.01 * times, 2.0) == pytest.approx(expected)


@given(st.floats(1e-6, 60.0))
def test_indoors_never_exceeds_the_worst_outdoors(changes: float) -> None:
    times = np.linspace(0.0, 3600.0, 60)
    outside = np.where((times > 600) & (times < 1200), 50.0, 0.0)
    inside = indoor_concentration(times, outside, changes)
    assert inside.min() >= 0.0
    assert inside.max() <= 50.0


def test_all_that_comes_in_was_outside() -> None:
    """When the room has emptied again its dose equals the dose outdoors."""
    times = np.linspace(0.0, 40 * 3600.0, 20_000)
    outside = np.where(times < 600.0, 50.0, 0.0)
    assert dose(times, indoor_concentration(times, outside, 1.0)) == pytest.approx(dose(times, outside), rel=1e-3)


def test_air_changes_are_checked() -> None:
    with pytest.raises(ValueError, match="air changes"):
        indoor_concentration([0.0, 1.0], [1.0, 1.0], -1.0)
    with pytest.raises(ValueError, match="one value"):
        indoor_concentration([0.0, 1.0], [1.0], 1.0)


def test_people_are_counted_once_a_zone() -> None:
    counted = count_inside(["near", "far"], [(100, ["near", "far"]), (20, ["far", "far"]), (3, [])])
    assert counted == {"near": Counted(1, 100), "far": Counted(2, 120)}
    with pytest.raises(ValueError, match="-1 people"):
        count_inside(["near"], [(-1, ["near"])])
