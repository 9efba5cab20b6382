import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.dispersion.meteorology import Meteorology
from services.model.ensemble.members import draw_members, latin_scores
from services.model.ensemble.spread import Spread, rate_of_score, spread_of

WEATHER = Meteorology(3.0, 5.0, 4.0, sigma_theta_deg=12.0)


def test_the_direction_spreads_as_measured() -> None:
    members = draw_members(WEATHER, 1.0, spread_of(WEATHER, None), 200, 1)
    off = np.array([(m.weather.wind_from_deg - 5.0 + 180.0) % 360.0 - 180.0 for m in members])
    assert off.mean() == pytest.approx(0.0, abs=0.1)
    assert off.std() == pytest.approx(12.0, rel=0.02)
    assert {m.rate_kg_s for m in members} == {1.0}


def test_light_wind_spreads_further() -> None:
    def unmeasured(wind: float) -> Spread:
        return spread_of(Meteorology(wind, 0.0, 4.0), None)

    assert unmeasured(5.0).direction_deg == 10.0
    assert unmeasured(0.5).direction_deg == 40.0
    assert unmeasured(0.5).speed_log > unmeasured(5.0).speed_log
    assert spread_of(Meteorology(0.5, 0.0, 4.0, sigma_theta_deg=100.0), None).direction_deg == 72.0


@given(st.floats(1e-3, 10.0), st.floats(1.0, 1e3), st.floats(1.0, 1e3), st.integers(0, 99))
def test_the_rates_keep_their_median_and_their_interval(median: float, below: float, above: float, seed: int) -> None:
    interval = (median / below, median * above)
    members = draw_members(WEATHER, median, spread_of(WEATHER, interval), 100, seed)
    rates = np.sort([m.rate_kg_s for m in members])
    assert rates[4] <= interval[0] * 1.0001 <= rates[5] * 1.0002
    assert rates[49] <= median * 1.0001 <= rates[50] * 1.0002
    assert rates[94] <= interval[1] * 1.0001 <= rates[95] * 1.0002


def test_units_rates_scale() -> None:
    scores = np.linspace(-2, 2, 9)
    one, thousand = rate_of_score(1.0, (0.1, 30.0), scores), rate_of_score(1000.0, (100.0, 30_000.0), scores)
    assert thousand == pytest.approx(1000.0 * one)
    assert rate_of_score(2.0, None, scores) == pytest.approx(2.0)


def test_the_same_seed_draws_the_same_members_and_another_seed_others() -> None:
    spread = spread_of(WEATHER, (0.1, 2.0))
    assert draw_members(WEATHER, 0.5, spread, 20, 7) == draw_members(WEATHER, 0.5, spread, 20, 7)
    assert draw_members(WEATHER, 0.5, spread, 20, 7) != draw_members(WEATHER, 0.5, spread, 20, 8)


@given(st.integers(2, 200), st.integers(0, 2**32 - 1))
def test_every_slice_is_used_once(count: int, seed: int) -> None:
    scores = latin_scores(count, 4, seed)
    assert scores.shape == (4, count)
    ordered = np.sort(scores, axis=1)
    assert np.allclose(ordered, ordered[0])
    assert ordered.mean() == pytest.approx(0.0, abs=1e-9)


@given(st.floats(0.0, 60.0), st.floats(0.0, 360.0), st.floats(1.0, 6.0), st.one_of(st.none(), st.floats(0.0, 104.0)))
def test_every_member_is_a_weather(wind: float, direction: float, stability: float, sigma: float | None) -> None:
    """`Meteorology` refuses what no weather has, so drawing is the test."""
    weather = Meteorology(wind, direction, stability, sigma_theta_deg=sigma)
    assert len(draw_members(weather, 1.0, spread_of(weather, (0.5, 2.0)), 12, 3)) == 12


def test_what_makes_no_ensemble_is_refused() -> None:
    with pytest.raises(ValueError, match="members"):
        draw_members(WEATHER, 1.0, spread_of(WEATHER, None), 1, 0)
    with pytest.raises(ValueError, match="interval"):
        spread_of(WEATHER, (0.0, 1.0))
    with pytest.raises(ValueError, match="interval"):
        spread_of(WEATHER, (1.0, math.inf))
