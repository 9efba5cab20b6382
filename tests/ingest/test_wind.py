import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.meaning.wind import mean_wind

samples = st.lists(st.tuples(st.floats(0, 40), st.floats(0, 360)), min_size=1, max_size=50)


def test_north_is_between_its_neighbours() -> None:
    wind = mean_wind([(3.0, 350.0), (3.0, 10.0)])
    assert min(wind.from_deg, 360 - wind.from_deg) == pytest.approx(0, abs=1e-9)
    assert wind.speed == 3.0
    assert wind.vector_speed == pytest.approx(3.0 * math.cos(math.radians(10)))


def test_a_steady_wind_has_no_spread() -> None:
    assert mean_wind([(2.0, 217.0)] * 20).sigma_theta_deg == pytest.approx(0, abs=1e-4)


def test_yamartino_finds_the_spread_of_a_normal_distribution() -> None:
    source = random.Random(1)
    for sigma in (5.0, 15.0, 30.0):
        wind = mean_wind([(4.0, source.gauss(355, sigma) % 360) for _ in range(20_000)])
        assert wind.sigma_theta_deg == pytest.approx(sigma, rel=0.05)


def test_all_directions_alike_give_the_greatest_spread() -> None:
    wind = mean_wind([(1.0, float(direction)) for direction in range(0, 360, 10)])
    assert wind.sigma_theta_deg == pytest.approx(103.9, abs=0.1)  # (1 + 0.1547) * 90 degrees


def test_the_vanes_tell_the_direction_of_a_calm() -> None:
    assert mean_wind([(0.0, 90.0), (0.0, 92.0)]).from_deg == pytest.approx(91)


@given(samples)
def test_bounds_hold_for_any_wind(wind: list[tuple[float, float]]) -> None:
    mean = mean_wind(wind)
    assert 0 <= mean.from_deg <= 360
    assert 0 <= mean.sigma_theta_deg <= 104
    assert mean.vector_speed <= mean.speed + 1e-9
