"""Turbulence near the ground and the wind over the park."""

import numpy as np
import pytest

from simulator.atmosphere import VON_KARMAN, SurfaceLayer, inverse_obukhov_at, stability_correction
from simulator.geometry import wind_from_degrees, wind_vector
from simulator.wind import Wind


def test_neutral_wind_is_logarithmic() -> None:
    layer = SurfaceLayer.from_wind(4.0)
    heights = np.array([5.0, 10.0, 50.0])
    expected = layer.friction_velocity / VON_KARMAN * np.log(heights / 0.2)
    assert layer.mean_wind(heights) == pytest.approx(expected)
    assert layer.mean_wind(np.array([10.0]))[0] == pytest.approx(4.0)


@pytest.mark.parametrize("inverse_obukhov", [-0.02, -0.005, 0.0, 0.005, 0.02])
def test_wind_at_ten_metres_is_the_one_asked_for(inverse_obukhov: float) -> None:
    layer = SurfaceLayer.from_wind(3.0, inverse_obukhov)
    assert layer.mean_wind(np.array([10.0]))[0] == pytest.approx(3.0)


def test_stability_correction_has_the_known_values() -> None:
    # Paulson (1970): psi_m(-1) = 1.116 for x = 17^(1/4); linear -5 z/L in stable air.
    assert stability_correction(np.array([-1.0, 0.0, 0.5])) == pytest.approx([1.1158, 0.0, -2.5], abs=1e-3)


def test_unstable_air_mixes_more_and_stable_air_less() -> None:
    height = np.array([30.0])
    spreads = [SurfaceLayer(0.4, inverse).vertical_time_scale(height)[0] for inverse in (-0.01, 0.0, 0.01)]
    assert spreads[2] < spreads[1]
    assert SurfaceLayer(0.4, -0.01).sigma_w(height)[0] > SurfaceLayer(0.4, 0.0).sigma_w(height)[0]


def test_variance_gradient_is_the_derivative() -> None:
    layer = SurfaceLayer(0.4, -0.01)
    height = np.array([5.0, 20.0, 100.0])
    slope = (layer.sigma_w(height + 0.01) ** 2 - layer.sigma_w(height - 0.01) ** 2) / 0.02
    assert layer.variance_gradient(height) == pytest.approx(slope, rel=1e-4)


def test_the_day_is_unstable_and_the_night_stable() -> None:
    assert inverse_obukhov_at(13.0) == pytest.approx(-0.005)
    assert inverse_obukhov_at(1.0) == pytest.approx(0.005)
    assert inverse_obukhov_at(7.0) == 0.0


def test_wind_vectors_keep_the_meteorological_convention() -> None:
    east, north = wind_vector(np.array([2.0]), np.array([90.0]))
    assert (float(east[0]), float(north[0])) == pytest.approx((-2.0, 0.0))
    assert wind_from_degrees(float(east[0]), float(north[0])) == pytest.approx(90.0)


def test_wind_gusts_and_meanders_about_its_heading() -> None:
    series = Wind(np.random.default_rng(1), 4.0, 350.0).blow(40_000)
    away = (series.from_deg - 350.0 + 180.0) % 360.0 - 180.0
    assert series.speed.mean() == pytest.approx(4.0, rel=0.03)
    assert series.speed.std() / 4.0 == pytest.approx(0.14, rel=0.15)
    assert away.mean() == pytest.approx(0.0, abs=3.0)
    assert away.std() == pytest.approx(np.hypot(5.5, 6.0), rel=0.2)
    assert np.abs(np.diff(away)).max() < 5.0


def test_wind_goes_on_where_it_was_and_turns_slowly() -> None:
    wind = Wind(np.random.default_rng(1), 3.0, 350.0)
    before = wind.blow(600)
    after = wind.turning_to(50.0, 4.0, np.random.default_rng(2)).blow(1200)
    step = (after.from_deg[0] - before.from_deg[-1] + 180.0) % 360.0 - 180.0
    assert abs(step) < 5.0
    assert abs(after.speed[0] - before.speed[-1]) < 0.5
    assert after.from_deg[-300:].mean() == pytest.approx(50.0, abs=20.0)


def test_the_same_seed_gives_the_same_wind() -> None:
    one, other = (Wind(np.random.default_rng(7), 3.0, 10.0).blow(100) for _ in range(2))
    assert np.array_equal(one.east, other.east)
