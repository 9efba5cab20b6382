"""The particle model: well mixed stays well mixed, no mass is lost, and plumes are as wide as theory says."""

import math

import numpy as np
import pytest

from simulator.atmosphere import KOLMOGOROV_C0, SurfaceLayer
from simulator.concentration import concentrations
from simulator.plume import HORIZONTAL_SCALE_HEIGHT_M, SMALL_SCALE_SHARE, Leak, ParticleCloud

ORIGIN = Leak(0.0, 0.0, 2.0)


def _mixed_cloud(layer: SurfaceLayer, count: int) -> ParticleCloud:
    generator = np.random.default_rng(1)
    cloud = ParticleCloud(generator, reach_m=math.inf)
    cloud.emit(ORIGIN, 1e6, count, layer, 0.5)
    cloud.age_s[:] = 0.0
    cloud.place[2] = generator.uniform(0.0, layer.lid_m, count)
    cloud.velocity[2] = layer.sigma_w(cloud.place[2]) * generator.standard_normal(count)
    return cloud


@pytest.mark.parametrize("inverse_obukhov", [-0.005, 0.0, 0.005])
def test_well_mixed_particles_stay_well_mixed(inverse_obukhov: float) -> None:
    layer = SurfaceLayer.from_wind(4.0, inverse_obukhov, lid_m=150.0)
    cloud = _mixed_cloud(layer, 20_000)
    for _ in range(600):
        cloud.step(layer, 4.0, 0.0, 0.5)
    edges = np.array([0.0, 4.0, 10.0, 20.0, 40.0, 70.0, 110.0, 150.0])
    counted = np.histogram(cloud.place[2], edges)[0]
    expected = len(cloud) * np.diff(edges) / 150.0
    assert counted == pytest.approx(expected, rel=0.1)
    spread = cloud.velocity[2] / layer.sigma_w(cloud.place[2])
    assert spread.std() == pytest.approx(1.0, rel=0.03)


def test_no_mass_is_lost_but_that_which_leaves() -> None:
    layer = SurfaceLayer.from_wind(5.0)
    cloud = ParticleCloud(np.random.default_rng(1), reach_m=400.0)
    for _ in range(200):
        cloud.emit(ORIGIN, 1000.0, 10, layer, 1.0)
        cloud.step(layer, 3.0, 4.0, 1.0)
    assert cloud.lost_mg > 0.0
    assert cloud.mass_mg.sum() + cloud.lost_mg == pytest.approx(200_000.0)
    assert (cloud.place[2] >= 0.0).all()
    assert np.hypot(cloud.place[0], cloud.place[1]).max() < 400.0


def test_concentration_summed_over_the_air_is_the_mass() -> None:
    layer = SurfaceLayer.from_wind(4.0)
    cloud = ParticleCloud(np.random.default_rng(1))
    cloud.emit(Leak(0.0, 0.0, 1.0), 5e5, 200, layer, 1e-9)
    cloud.age_s[:] = 10.0
    spacing, heights = 1.0, np.arange(0.25, 20.0, 0.5)
    across = np.arange(-15.0, 15.5, spacing)
    grid = np.array([(x, y, z) for x in across for y in across for z in heights])
    total = concentrations(cloud, grid, layer).sum() * spacing**2 * 0.5
    assert total == pytest.approx(5e5, rel=0.02)


def test_crosswind_spread_follows_taylor() -> None:
    """Taylor (1921): sigma^2 = 2 sigma_v^2 T^2 (t/T - 1 + exp(-t/T))."""
    layer = SurfaceLayer.from_wind(4.0)
    cloud = ParticleCloud(np.random.default_rng(1), reach_m=math.inf)
    cloud.emit(ORIGIN, 1.0, 20_000, layer, 1e-9)
    cloud.place[1] = 0.0
    for _ in range(200):
        cloud.step(layer, 4.0, 0.0, 0.5)
    variance = SMALL_SCALE_SHARE * layer.sigma_v() ** 2
    scale = 2.0 * variance / (KOLMOGOROV_C0 * layer.dissipation(np.array([HORIZONTAL_SCALE_HEIGHT_M]))[0])
    expected = 2.0 * variance * scale**2 * (100.0 / scale - 1.0 + math.exp(-100.0 / scale))
    assert cloud.place[1].std() == pytest.approx(math.sqrt(expected), rel=0.04)


def test_steady_plume_agrees_with_a_gaussian_within_a_factor() -> None:
    """Neutral air, 1 kg/s, against Briggs (1973) class D, between open country and town, on the axis."""
    layer = SurfaceLayer.from_wind(4.0)
    cloud = ParticleCloud(np.random.default_rng(2))
    x = np.array([100.0, 200.0, 400.0, 800.0])
    stations = np.stack([x, np.zeros(4), np.full(4, 1.5)], axis=1)
    seen = []
    for second in range(480):
        cloud.emit(ORIGIN, 1e6, 15, layer, 1.0)
        cloud.step(layer, 4.0, 0.0, 1.0)
        if second >= 360:
            seen.append(concentrations(cloud, stations, layer))
    mean = np.mean(seen, axis=0)
    country = 1e6 / (math.pi * 4.0 * 0.08 * x / np.sqrt(1 + 1e-4 * x) * 0.06 * x / np.sqrt(1 + 1.5e-3 * x))
    town = 1e6 / (math.pi * 4.0 * 0.16 * x / np.sqrt(1 + 4e-4 * x) * 0.14 * x / np.sqrt(1 + 3e-4 * x))
    assert (mean < 1.5 * country).all()
    assert (mean > town / 1.5).all()


def test_the_wind_carries_the_gas_and_clean_air_has_none() -> None:
    layer = SurfaceLayer.from_wind(4.0)
    cloud = ParticleCloud(np.random.default_rng(3))
    stations = np.array([[0.0, 100.0, 1.5], [0.0, -100.0, 1.5], [100.0, 0.0, 1.5]])
    assert not concentrations(cloud, stations, layer).any()
    for _ in range(120):
        cloud.emit(ORIGIN, 1e6, 15, layer, 1.0)
        cloud.step(layer, 0.0, 4.0, 1.0)
    ahead, behind, beside = concentrations(cloud, stations, layer)
    assert ahead > 10.0
    assert (behind, beside) == (0.0, 0.0)


def test_the_same_seed_gives_the_same_plume() -> None:
    layer = SurfaceLayer.from_wind(4.0)
    clouds = [ParticleCloud(np.random.default_rng(5)) for _ in range(2)]
    for cloud in clouds:
        for _ in range(20):
            cloud.emit(ORIGIN, 1e6, 15, layer, 1.0)
            cloud.step(layer, 0.0, 4.0, 1.0)
    assert np.array_equal(clouds[0].place, clouds[1].place)
