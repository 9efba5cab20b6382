"""Several sources, areas, series, rise, deposition: conservation, symmetry, limits and units."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.dispersion.exposure import exposure_at
from services.model.dispersion.field import compute_field
from services.model.dispersion.meteorology import Meteorology, WeatherSpell, steady
from services.model.dispersion.puff import Cloud, PuffModel
from services.model.dispersion.release import (
    Release,
    area_release,
    constant_release,
    series_release,
    stepped_release,
    sudden_release,
)
from services.model.dispersion.rise import buoyancy_flux_m4_s3, final_rise_m, plume_rise_m
from services.model.dispersion.several import SeveralSources
from services.model.dispersion.vertical import vertical_density

WEST_WIND = Meteorology(4.0, 270.0, 4.0)


def cloud_of(release: Release, time: float, weather: Meteorology = WEST_WIND) -> Cloud:
    cloud = PuffModel(release, steady(weather)).cloud_at(time)
    assert cloud is not None
    return cloud


def airborne(cloud: Cloud, top: float = 300.0) -> float:
    """The mass [kg] found by integrating over height the puffs' vertical densities (their areas integrate to 1)."""
    z = np.linspace(0.0, top, 3001)
    heights = np.broadcast_to(cloud.height_m, cloud.mass.shape)
    density = vertical_density(z[:, None], heights[None, :], cloud.sigma_z[None, :], cloud.lid)
    return float(np.trapezoid(density @ cloud.mass, z))


@given(
    stability=st.floats(1, 6),
    wind=st.floats(0.0, 12.0),
    height=st.floats(0.0, 40.0),
    lid=st.floats(80.0, 250.0),
    time=st.floats(5.0, 3000.0),
)
@settings(max_examples=40, deadline=None)
def test_no_gas_is_lost_in_any_weather(stability: float, wind: float, height: float, lid: float, time: float) -> None:
    weather = Meteorology(wind, 200.0, stability, mixing_height_m=lid)
    release = constant_release(0.7, 600.0, height)
    assert airborne(cloud_of(release, time, weather)) == pytest.approx(float(release.mass_until(time)), rel=0.01)


@given(scale=st.floats(1e-6, 1e6), turn=st.floats(0.0, 359.0))
@settings(max_examples=25, deadline=None)
def test_concentration_scales_with_the_rate_and_turns_with_the_wind(scale: float, turn: float) -> None:
    one = cloud_of(constant_release(1.0, 300.0, 2.0), 400.0).concentration_at(700.0, 20.0)
    angle = -math.radians(turn)
    weather = replace(WEST_WIND, wind_from_deg=(270.0 + turn) % 360.0)
    east = 700.0 * math.cos(angle) - 20.0 * math.sin(angle)
    north = 700.0 * math.sin(angle) + 20.0 * math.cos(angle)
    other = cloud_of(constant_release(scale, 300.0, 2.0), 400.0, weather).concentration_at(east, north)
    assert other == pytest.approx(scale * one, rel=1e-6)


def test_an_old_puff_is_the_closed_form() -> None:
    """One sudden release, one puff: the Gaussian with ground reflection."""
    cloud = cloud_of(sudden_release(10.0, 5.0), 300.0)
    sigma_y, sigma_z = float(cloud.sigma_y.mean()), float(cloud.sigma_z.mean())
    at = float(cloud.concentration_at(float(cloud.east.mean()) + 15.0, 12.0, 1.5)[0])
    vertical = sum(math.exp(-0.5 * ((1.5 + h) / sigma_z) ** 2) for h in (5.0, -5.0)) / (
        math.sqrt(2 * math.pi) * sigma_z
    )
    flat = math.exp(-0.5 * (15.0**2 + 12.0**2) / sigma_y**2) / (2 * math.pi * sigma_y**2)
    assert at == pytest.approx(10.0 * vertical * flat, rel=0.01)


def test_several_sources_add_up() -> None:
    first = PuffModel(constant_release(1.0, 300.0, 2.0), steady(WEST_WIND))
    there = Release((60.0, 200.0), (0.5,), 10.0, east_m=50.0, north_m=-80.0)
    second = PuffModel(there, steady(WEST_WIND))
    both = SeveralSources([first, second])
    assert (both.start_s, both.end_s) == (0.0, 300.0)
    points = np.array([300.0, 600.0]), np.array([-40.0, 10.0])
    sums = [cloud.concentration_at(*points) for m in (first, second) if (cloud := m.cloud_at(250.0)) is not None]
    cloud = both.cloud_at(250.0)
    assert cloud is not None
    assert cloud.concentration_at(*points) == pytest.approx(sums[0] + sums[1])
    assert both.cloud_at(0.0) is None
    series = exposure_at(both, *points, 900.0)
    assert series.peak == pytest.approx(exposure_at(first, *points, 900.0).peak, rel=0.6)
    field = compute_field(both, 900.0, 1e-6, nodes=120)
    alone = compute_field(first, 900.0, 1e-6, nodes=120)
    assert float((field.peak > 1e-6).mean() * np.ptp(field.grid.y)) > float(
        (alone.peak > 1e-6).mean() * np.ptp(alone.grid.y)
    )


def test_sources_must_stand_in_one_weather() -> None:
    first = PuffModel(constant_release(1.0, 300.0), steady(WEST_WIND))
    second = PuffModel(constant_release(1.0, 300.0), steady(replace(WEST_WIND, wind_speed_m_s=2.0)))
    with pytest.raises(ValueError, match="one weather"):
        SeveralSources([first, second])
    with pytest.raises(ValueError, match="at least one"):
        SeveralSources([])


def test_a_source_elsewhere_is_the_same_cloud_elsewhere() -> None:
    here = cloud_of(constant_release(1.0, 60.0), 300.0).concentration_at([500.0], [30.0])
    there = Release((0.0, 60.0), (1.0,), east_m=-200.0, north_m=70.0)
    assert cloud_of(there, 300.0).concentration_at([300.0], [100.0]) == pytest.approx(here)


def test_a_series_holds_its_mass_and_a_blow_down_decays() -> None:
    series = [(0.0, 8.0), (60.0, 4.0), (180.0, 1.0), (600.0, 0.0)]
    release = series_release(series, 3.0)
    assert release.total_kg == pytest.approx(6.0 * 60 + 2.5 * 120 + 0.5 * 420)
    exposure = exposure_at(PuffModel(release, steady(WEST_WIND)), 300.0, 0.0, 900.0)
    assert int(np.argmax(exposure.concentration[0])) < 30
    smooth = series_release([(float(t), math.exp(-t / 100.0)) for t in range(601)])
    for time in (150.0, 700.0):
        clouds = [PuffModel(smooth, steady(WEST_WIND), node_spacing=spacing).cloud_at(time) for spacing in (1.0, 0.1)]
        here = [float(cloud.concentration_at(400.0, 10.0)[0]) for cloud in clouds if cloud is not None]
        assert here[0] == pytest.approx(here[1], rel=0.03)
    with pytest.raises(ValueError, match="two points"):
        series_release([(0.0, 1.0)])


def test_an_area_dilutes_near_and_not_far() -> None:
    pool = area_release(1.0, 2000.0, 900.0)
    point = constant_release(1.0, 2000.0, diameter_m=0.1)
    near = [float(cloud_of(r, 1990.0).concentration_at(60.0, 0.0)[0]) for r in (pool, point)]
    far = [float(cloud_of(r, 1990.0).concentration_at(3000.0, 0.0)[0]) for r in (pool, point)]
    assert near[0] < 0.6 * near[1]
    assert far[0] == pytest.approx(far[1], rel=0.1)
    assert pool.initial_sigma_z_m == 0.0


def test_gas_from_on_high_reaches_the_ground_later() -> None:
    low, high = (
        cloud_of(constant_release(1.0, 3000.0, height), 2990.0).concentration_at([100.0, 4000.0], [0.0, 0.0])
        for height in (1.0, 40.0)
    )
    assert high[0] < 1e-3 * low[0]
    assert high[1] == pytest.approx(low[1], rel=0.35)


def test_a_closed_lid_mixes_to_the_box() -> None:
    """Far downwind under a lid C is Q / (u sqrt(2 pi) sigma_y lid)."""
    weather = Meteorology(4.0, 270.0, 2.0, mixing_height_m=150.0)
    model = PuffModel(constant_release(1.0, 20_000.0), steady(weather))
    cloud = model.cloud_at(15_000.0)
    assert cloud is not None
    sigma_y = float(model.curves[0].spread_at(6000.0)[0])
    speed = float(model.curves[0].transport_speed(6000.0))
    box = 1.0 / (speed * math.sqrt(2 * math.pi) * sigma_y * 150.0)
    assert float(cloud.concentration_at(6000.0, 0.0)[0]) == pytest.approx(box, rel=0.1)


def test_rise_is_briggs() -> None:
    """F = 20 in D, 5 m/s at 10 m: 21.425 F^(3/4) / u, reached at 49 F^(5/8)."""
    weather = Meteorology(5.0, 0.0, 4.0)
    assert final_rise_m(20.0, weather, 10.0) == pytest.approx(21.425 * 20**0.75 / 5.0, rel=0.01)
    assert float(plume_rise_m(49 * 20**0.625, 20.0, weather, 10.0)) == pytest.approx(final_rise_m(20.0, weather, 10.0))
    # F = 100: 38.71 F^(3/5) / u; class F with 1/T g dtheta/dz: 2.6 (F / u s)^(1/3).
    assert final_rise_m(100.0, weather, 10.0) == pytest.approx(38.71 * 100**0.6 / 5.0, rel=0.01)
    stable = Meteorology(3.0, 0.0, 6.0)
    stiffness = 9.81 / 293.15 * 0.035
    assert final_rise_m(20.0, stable, 10.0) == pytest.approx(2.6 * (20 / 3.0 / stiffness) ** (1 / 3), rel=0.01)


@given(flux=st.floats(0.1, 2000), stability=st.floats(1, 5.99), wind=st.floats(0.0, 15.0), nudge=st.floats(0, 0.01))
@settings(deadline=None)
def test_rise_never_steps_and_stays_below_the_lid(flux: float, stability: float, wind: float, nudge: float) -> None:
    here = final_rise_m(flux, Meteorology(wind, 0.0, stability, mixing_height_m=400.0), 10.0)
    near = final_rise_m(flux, Meteorology(wind, 0.0, min(stability + nudge, 6.0), mixing_height_m=400.0), 10.0)
    assert 0.0 <= here < 400.0
    if stability > 4.1 or stability + nudge < 4.0:
        assert near == pytest.approx(here, rel=0.06)


def test_dense_gas_has_no_buoyancy_and_light_gas_has() -> None:
    assert buoyancy_flux_m4_s3(1.0, 2.9, 1.2) == 0.0
    # 1 kg/s of ammonia at 20 degrees: 1 / 0.708 - 1 / 1.204 = 0.582 m3/kg.
    assert buoyancy_flux_m4_s3(1.0, 0.708, 1.204) == pytest.approx(9.81 * 0.582 / math.pi, rel=0.01)


@pytest.mark.parametrize("wind", [0.2, 5.0])
def test_hot_gas_passes_overhead(wind: float) -> None:
    weather = Meteorology(wind, 270.0, 4.0, mixing_height_m=800.0)
    cold = constant_release(1.0, 900.0, 5.0)
    hot = replace(cold, buoyancy_flux_m4_s3=50.0)
    clouds = [cloud_of(release, 900.0, weather) for release in (cold, hot)]
    at = 300.0 if wind > 1.0 else 20.0
    ground = [float(cloud.concentration_at(at, 0.0)[0]) for cloud in clouds]
    assert ground[1] < 0.3 * ground[0]
    assert airborne(clouds[1], 800.0) == pytest.approx(900.0, rel=0.01)
    assert float(np.max(clouds[1].height_m)) < 800.0


def test_what_settles_is_missing_from_the_air() -> None:
    """The share left falls with v_d, and twice the velocity squares it."""
    left = []
    for velocity in (0.0, 0.01, 0.02):
        release = replace(sudden_release(1.0), deposition_velocity_m_s=velocity)
        left.append(float(cloud_of(release, 600.0).mass.sum()))
    assert left[0] == pytest.approx(1.0)
    assert left[1] < 0.97
    assert left[2] == pytest.approx(left[1] ** 2, rel=1e-6)


def test_what_settles_goes_on_settling_when_the_wind_turns() -> None:
    release = replace(sudden_release(1.0), deposition_velocity_m_s=0.02)
    spells = [WeatherSpell(0.0, WEST_WIND), WeatherSpell(200.0, replace(WEST_WIND, wind_from_deg=180.0))]
    turned = PuffModel(release, spells).cloud_at(600.0)
    assert turned is not None
    assert float(turned.mass.sum()) == pytest.approx(float(cloud_of(release, 600.0).mass.sum()), rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"buoyancy_flux_m4_s3": -1.0},
        {"deposition_velocity_m_s": 2.0},
        {"depth_m": -0.1},
        {"east_m": float("nan")},
        {"height_m": 400.0},
    ],
)
def test_a_source_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        replace(constant_release(1.0, 60.0), **change)  # type: ignore[arg-type]


def test_the_maximum_over_time_has_no_gaps_whatever_the_duration() -> None:
    """The same mass in 2 s: at each point on the axis the field shows what following the point finely shows."""
    for release in (sudden_release(100.0), stepped_release([0.0, 30.0, 60.0], [1.0, 4.0])):
        model = PuffModel(release, steady(WEST_WIND))
        field = compute_field(model, 900.0, 1e-6, nodes=400)
        middle = int(np.argmin(np.abs(field.grid.y)))
        east = field.grid.x[(field.grid.x > 100.0) & (field.grid.x < 1500.0)][::12]
        fine = exposure_at(model, east, np.zeros_like(east), 900.0, steps=3000).peak
        shown = np.interp(east, field.grid.x, field.peak[middle])
        assert np.all(shown <= 1.05 * fine)
        assert np.all(shown >= 0.88 * fine)
