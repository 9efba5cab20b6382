"""Grids, guards, and one answer of two."""

from dataclasses import replace

import numpy as np
import pytest

from services.model.dispersion.dense.combine import combine
from services.model.dispersion.dense.engine import DenseResult
from services.model.dispersion.dense.footprint import (
    Sections,
    Unphysical,
    across,
    finite_release_factor,
    footprint,
    levelled,
)
from services.model.dispersion.profile import FloatArray
from tests.model.dispersion.dense.cases import chlorine

X = np.linspace(0.0, 2000.0, 41)


def sections(peak: FloatArray) -> Sections:
    return Sections(X, peak, 10.0 + 0.1 * X, 5.0 + 0.05 * X, "gauss", X / 5.0)


def plain(scale: float = 1.0) -> DenseResult:
    return footprint("test", "0", sections(scale * 0.01 / (1.0 + X / 100.0) ** 2), chlorine(), ())


def test_a_second_rise_is_levelled_and_told_and_a_large_one_is_no_answer() -> None:
    peak = 0.01 / (1.0 + X / 100.0) ** 2
    small, large = peak.copy(), peak.copy()
    small[30] *= 1.5
    large[30] *= 10.0
    level, rise = levelled(small)
    assert np.all(np.diff(level) <= 0.0)
    assert rise == pytest.approx(1.5 * peak[30] / peak[29])
    assert "rose again" in footprint("test", "0", sections(small), chlorine(), ()).remarks[0].en
    with pytest.raises(Unphysical, match="rises again"):
        footprint("test", "0", sections(large), chlorine(), ())


def test_values_that_are_not_finite_and_an_empty_field_are_no_answer() -> None:
    with pytest.raises(Unphysical, match="not finite"):
        footprint("test", "0", sections(np.full(X.size, np.nan)), chlorine(), ())
    with pytest.raises(Unphysical, match="anywhere"):
        footprint("test", "0", sections(np.full(X.size, 1e-15)), chlorine(), ())


def test_the_grid_holds_all_that_is_above_the_lowest_of_interest() -> None:
    result = plain()
    field = result.concentration_kg_m3
    assert field[:, 0].max() == 0.0
    assert field.max() == pytest.approx(0.01 * result.kg_m3_per_mole_fraction, rel=1e-3)
    assert result.y_m[result.y_m.size // 2] == 0.0


@pytest.mark.parametrize("shape", ["erf", "gauss"])
def test_profiles_are_one_on_the_axis_symmetrical_and_fall(shape: str) -> None:
    y = np.linspace(-50.0, 50.0, 101)
    profile = across("erf" if shape == "erf" else "gauss", y, np.array([10.0]), np.array([5.0]))[0]
    assert profile[50] == 1.0
    assert profile == pytest.approx(profile[::-1])
    assert np.all(np.diff(profile[50:]) <= 0.0)


def test_a_finite_release_against_its_limits() -> None:
    def factor(length: float, window: float, sigma: float) -> float:
        return float(finite_release_factor(np.array([length]), np.array([window]), np.array([sigma]))[0])

    assert factor(1e5, 100.0, 50.0) == pytest.approx(1.0)
    assert factor(50.0, 200.0, 0.01) == pytest.approx(0.25, rel=1e-3)
    # A short puff at one point: length / (sqrt(2 pi) sigma).
    assert factor(10.0, 0.1, 100.0) == pytest.approx(10.0 / (np.sqrt(2.0 * np.pi) * 100.0), rel=1e-2)


def test_the_mean_of_an_answer_and_its_quadruple_is_its_double() -> None:
    one = plain()
    four = replace(one, engine="other", concentration_kg_m3=4.0 * one.concentration_kg_m3)
    both = combine([one, four])
    x = [100.0, 500.0, 1000.0]
    assert both.result.centreline_at(x) == pytest.approx(2.0 * one.centreline_at(x), rel=0.01)
    assert both.typical_spread == pytest.approx(4.0, rel=0.01)
    assert both.engines == ("test", "other")


def test_one_answer_is_itself_and_none_is_an_error() -> None:
    one = plain()
    alone = combine([one])
    assert alone.typical_spread == pytest.approx(1.0)
    assert alone.result.distance_to(1e-4) == pytest.approx(one.distance_to(1e-4), rel=0.01)
    with pytest.raises(ValueError, match="no result"):
        combine([])


def test_distances_and_the_axis_between_nodes() -> None:
    result = plain()
    assert result.distance_to(1e9) is None
    level = float(result.centreline_at([700.0])[0])
    assert result.distance_to(level) == pytest.approx(700.0, rel=1e-6)
    assert result.centreline_at([-1e6, 1e6]) == pytest.approx([0.0, 0.0])
