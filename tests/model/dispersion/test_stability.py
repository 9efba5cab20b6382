from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.dispersion.meteorology import Meteorology, screening_mixing_height_m
from services.model.dispersion.profile import wind_at
from services.model.dispersion.sigma import sigma_y_from_direction_m, sigma_z_m
from services.model.dispersion.stability import (
    class_letter,
    golder_inverse_length,
    stability_from_inverse_length,
    stability_from_sigma_theta,
    stability_from_sun,
    stability_of_curves,
)
from services.model.dispersion.sun import solar_elevation_deg


@given(
    sigma=st.floats(0, 104),
    wind=st.floats(0, 30),
    day=st.booleans(),
    roughness=st.floats(1e-3, 2),
    nudge=st.floats(0, 0.01),
)
def test_stability_from_sigma_theta_never_steps(
    sigma: float, wind: float, day: bool, roughness: float, nudge: float
) -> None:
    here = stability_from_sigma_theta(sigma, wind, day, roughness)
    near = stability_from_sigma_theta(sigma, wind + nudge, day, roughness)
    nearer = stability_from_sigma_theta(sigma + nudge, wind, day, roughness)
    assert 1.0 <= here <= 6.0
    assert abs(near - here) <= 0.05
    assert abs(nearer - here) <= 0.05


@given(elevation=st.floats(-60, 90), cloud=st.floats(0, 1), wind=st.floats(0, 20), nudge=st.floats(0, 0.01))
def test_stability_from_sun_never_steps(elevation: float, cloud: float, wind: float, nudge: float) -> None:
    here = stability_from_sun(elevation, cloud, wind)
    assert 1.0 <= here <= 6.0
    assert abs(stability_from_sun(elevation, cloud, wind + nudge) - here) <= 0.1
    assert abs(stability_from_sun(elevation + nudge, cloud, wind) - here) <= 0.1


@pytest.mark.parametrize(
    ("elevation", "cloud", "wind", "letter"),
    [(70, 0, 1.0, "A"), (-30, 0, 1.5, "F"), (40, 0, 8.0, "D"), (-30, 1.0, 5.0, "D"), (20, 0.0, 3.0, "C")],
)
def test_the_corners_of_turners_table(elevation: float, cloud: float, wind: float, letter: str) -> None:
    assert class_letter(stability_from_sun(elevation, cloud, wind)) == letter


def test_sigma_theta_at_the_centre_of_d_by_day_is_neutral() -> None:
    assert stability_from_sigma_theta(10.0, 5.0, True, 0.15) == pytest.approx(4.0)


def test_a_meandering_light_wind_at_night_is_stable() -> None:
    assert stability_from_sigma_theta(25.0, 1.0, False, 0.15) == pytest.approx(6.0)


@given(stability=st.floats(1, 6), roughness=st.floats(0.003, 1.0))
def test_golder_goes_both_ways(stability: float, roughness: float) -> None:
    back = stability_from_inverse_length(golder_inverse_length(stability, roughness), roughness)
    assert back == pytest.approx(stability, abs=1e-6)


@pytest.mark.parametrize("inverse_length", [-0.1, 0.0, 0.05])
def test_wind_rises_with_height_and_passes_through_the_measurement(inverse_length: float) -> None:
    heights = np.linspace(0.7, 100, 200)
    wind = wind_at(heights, 5.0, 10.0, 0.3, inverse_length)
    assert np.all(np.diff(wind) > 0)
    assert float(wind_at(10.0, 5.0, 10.0, 0.3, inverse_length)) == pytest.approx(5.0)


def test_neutral_wind_is_the_logarithmic_law() -> None:
    assert float(wind_at(2.0, 5.0, 10.0, 0.1, 0.0)) == pytest.approx(5.0 * np.log(20) / np.log(100))


def test_the_sun_stands_where_the_almanac_says() -> None:
    # Greenwich, equinox, noon: 90 - 51.48 degrees; and Beijing at local midnight is dark.
    assert solar_elevation_deg(datetime(2026, 3, 20, 12, 7, tzinfo=UTC), 0.0, 51.48) == pytest.approx(38.5, abs=0.5)
    assert solar_elevation_deg(datetime(2026, 6, 21, 16, 0, tzinfo=UTC), 116.4, 39.9) < -20
    with pytest.raises(ValueError, match="offset"):
        solar_elevation_deg(datetime(2026, 3, 20, 12), 0.0, 0.0)  # noqa: DTZ001


def test_weather_that_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="wind_speed_m_s"):
        Meteorology(-1.0, 0.0, 4.0)
    with pytest.raises(ValueError, match="stability"):
        Meteorology(1.0, 0.0, 7.0)


def test_stable_air_has_no_lid() -> None:
    assert screening_mixing_height_m(5.0, 4.0) == pytest.approx(1600.0)
    assert screening_mixing_height_m(5.0, 6.0) == pytest.approx(10_000.0)


@given(inverse=st.floats(-0.3, 0.3))
def test_a_measured_length_is_read_where_the_curves_hold(inverse: float) -> None:
    """The site's roughness is in the factor on sigma_z, and nowhere else."""
    assert stability_of_curves(inverse) == stability_from_inverse_length(inverse, 0.03)


def test_roughness_acts_on_sigma_z_as_the_logarithm_in_the_wind_says() -> None:
    """At one L, u*/u at plume height changes with z0 as the factor on sigma_z does: within 7 % over grass and crops."""
    for roughness in (0.006, 0.1):
        by_similarity = np.log(3.0 / 0.03) / np.log(3.0 / roughness)
        by_factor = float(sigma_z_m(300.0, 4.0, roughness) / sigma_z_m(300.0, 4.0, 0.03))
        assert by_factor == pytest.approx(by_similarity, rel=0.07)


def test_lateral_spread_is_the_winds_own_at_first_and_lags_with_time() -> None:
    """sigma_y = sigma_theta x / (1 + 0.9 sqrt(t / T)): T = 300 s at the ground, 1000 s on high."""
    near = float(sigma_y_from_direction_m(10.0, 0.01, 10.0, 0.0))
    assert near == pytest.approx(10.0 * np.radians(10.0), rel=0.01)
    assert float(sigma_y_from_direction_m(900.0, 300.0, 10.0, 0.0)) == pytest.approx(900 * np.radians(10) / 1.9)
    assert float(sigma_y_from_direction_m(900.0, 1000.0, 10.0, 150.0)) == pytest.approx(900 * np.radians(10) / 1.9)
    slow, fast = (float(sigma_y_from_direction_m(900.0, time, 10.0, 2.0)) for time in (600.0, 150.0))
    assert slow < fast
