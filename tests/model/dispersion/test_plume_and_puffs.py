import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.dispersion.exposure import exposure_at
from services.model.dispersion.meteorology import Meteorology, WeatherSpell, steady
from services.model.dispersion.plume import plume
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import Release, constant_release, stepped_release
from services.model.dispersion.sigma import sigma_y_m, sigma_z_m
from services.model.dispersion.vertical import vertical_density

WEST_WIND = Meteorology(4.0, 270.0, 4.0)


@pytest.mark.parametrize(
    ("stability", "distance", "sigma_y", "sigma_z"),
    # Turner (1970) figures 3-2 and 3-3, read at 1 km.
    [(1.0, 1000, 213, 450), (2.0, 1000, 156, 110), (3.0, 1000, 104, 61), (4.0, 1000, 68, 32), (6.0, 1000, 34, 14)],
)
def test_pasquill_gifford_at_one_kilometre(stability: float, distance: float, sigma_y: float, sigma_z: float) -> None:
    assert float(sigma_y_m(distance, stability, 600)) == pytest.approx(sigma_y, rel=0.05)
    assert float(sigma_z_m(distance, stability, 0.03)) == pytest.approx(sigma_z, rel=0.05)


@given(stability=st.floats(1, 5.99), distance=st.floats(20, 20_000))
def test_sigma_changes_smoothly_with_stability(stability: float, distance: float) -> None:
    here, near = (float(sigma_z_m(distance, s, 0.1)) for s in (stability, stability + 0.01))
    assert near <= here * 1.001
    assert near >= here * 0.95


@pytest.mark.parametrize("sigma", [5.0, 100.0, 390.0, 410.0, 2000.0])
@pytest.mark.parametrize("height", [0.0, 30.0])
def test_vertical_density_holds_all_mass_under_the_lid(sigma: float, height: float) -> None:
    z = np.linspace(0, 250, 5001)
    density = vertical_density(z, height, np.full(z.shape, sigma), 250.0)
    assert float(np.trapezoid(density, z)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("stability", [1.0, 2.5, 4.0, 6.0])
@pytest.mark.parametrize("distance", [50.0, 300.0, 3000.0])
def test_a_plume_carries_what_is_released(stability: float, distance: float) -> None:
    """The flux u C through a plane across the wind is the release rate, as the transport speed defines it."""
    shape = plume(Meteorology(3.0, 180.0, stability, mixing_height_m=800.0), 5.0)
    sigma_y, sigma_z = (float(v) for v in shape.curve.spread_at(distance))
    y = np.linspace(-6 * sigma_y, 6 * sigma_y, 401)
    z = np.linspace(0, min(800.0, 5 + 7 * sigma_z), 801)
    field = shape.concentration(2.0, distance, y[None, :], z[:, None])
    flux = np.trapezoid(np.trapezoid(field, y, axis=1), z) * float(shape.curve.transport_speed(distance))
    assert float(flux) == pytest.approx(2.0, rel=0.01)


def test_a_plume_is_zero_upwind_and_alike_on_both_sides() -> None:
    shape = plume(WEST_WIND, 2.0)
    assert float(shape.concentration_at(1.0, -50.0, 0.0, 1.5)) == 0.0
    left, right = shape.concentration_at(1.0, [400.0, 400.0], [35.0, -35.0], 1.5)
    assert left == pytest.approx(right)
    assert left > 0


def test_a_plume_blows_where_the_wind_goes() -> None:
    """Wind from the south-west carries gas to the north-east."""
    shape = plume(Meteorology(4.0, 225.0, 4.0), 2.0)
    north_east, north_west = shape.concentration_at(1.0, [200.0, -200.0], [200.0, 200.0], 1.5)
    assert north_east > 1e6 * max(north_west, 1e-30)


def test_calm_air_is_refused_by_the_plume() -> None:
    with pytest.raises(ValueError, match="puffs"):
        plume(Meteorology(0.2, 0.0, 4.0), 2.0)


@pytest.mark.parametrize("stability", [1.5, 4.0, 6.0])
@pytest.mark.parametrize("distance", [100.0, 500.0, 2000.0])
def test_a_long_puff_train_is_a_plume(stability: float, distance: float) -> None:
    weather = Meteorology(3.0, 270.0, stability)
    model = PuffModel(constant_release(1.0, 20_000.0, 2.0, diameter_m=0.5), steady(weather))
    cloud = model.cloud_at(20_000.0)
    assert cloud is not None
    train = float(cloud.concentration_at(distance, 0.0)[0])
    steady_plume = float(plume(weather, 2.0, initial_sigma_m=0.5 / 4.3).concentration(1.0, distance, 0.0, 1.5))
    assert train == pytest.approx(steady_plume, rel=0.1)


def test_puffs_hold_exactly_what_was_released() -> None:
    release = stepped_release([0.0, 60.0, 90.0, 400.0], [1.0, 5.0, 0.25])
    turning = [WeatherSpell(0.0, WEST_WIND), WeatherSpell(70.0, Meteorology(2.0, 180.0, 5.0))]
    model = PuffModel(release, turning)
    for time in (10.0, 75.0, 250.0, 400.0, 2000.0):
        cloud = model.cloud_at(time)
        assert cloud is not None
        assert float(cloud.mass.sum()) == pytest.approx(float(release.mass_until(time)), rel=1e-9)
    assert model.cloud_at(0.0) is None


def test_mass_in_the_air_is_conserved() -> None:
    """Integrate C over ground and height: what was released is in the air."""
    model = PuffModel(constant_release(1.0, 60.0, 1.0), steady(Meteorology(2.0, 270.0, 4.0)))
    cloud = model.cloud_at(200.0)
    assert cloud is not None
    x = np.linspace(-150, 700, 171)
    y = np.linspace(-200, 200, 81)
    heights = np.linspace(0, 80, 61)
    east, north = np.meshgrid(x, y)
    layers = [
        cloud.concentration_at(east.ravel(), north.ravel(), float(z)).sum() * (x[1] - x[0]) * (y[1] - y[0])
        for z in heights
    ]
    assert float(np.trapezoid(layers, heights)) == pytest.approx(60.0, rel=0.01)


def test_closely_set_nodes_change_nothing() -> None:
    spells = [WeatherSpell(0.0, WEST_WIND), WeatherSpell(300.0, Meteorology(3.0, 230.0, 4.5))]
    release = constant_release(1.0, 600.0, 2.0)
    points = np.array([60.0, 200.0, 700.0, 1100.0]), np.array([10.0, 90.0, 300.0, 200.0])
    coarse, fine = (PuffModel(release, spells, node_spacing=spacing).cloud_at(500.0) for spacing in (1.0, 0.2))
    assert coarse is not None
    assert fine is not None
    assert coarse.concentration_at(*points) == pytest.approx(fine.concentration_at(*points), rel=0.03)


def test_puffs_follow_a_wind_that_turns() -> None:
    """Five minutes to the east, then north: the old gas is north-east, none lies on the first line any more."""
    turned = Meteorology(4.0, 180.0, 4.0)
    model = PuffModel(constant_release(1.0, 60.0), [WeatherSpell(0.0, WEST_WIND), WeatherSpell(300.0, turned)])
    cloud = model.cloud_at(600.0)
    assert cloud is not None
    assert np.all(cloud.east > 300)
    assert np.all(cloud.north > 300)


def test_a_spell_that_changes_nothing_changes_nothing() -> None:
    release = constant_release(1.0, 300.0, 2.0)
    one = PuffModel(release, steady(WEST_WIND)).cloud_at(900.0)
    two = PuffModel(release, [WeatherSpell(-1.0, WEST_WIND), WeatherSpell(400.0, WEST_WIND)]).cloud_at(900.0)
    assert one is not None
    assert two is not None
    at = np.linspace(1200.0, 3000.0, 10), np.full(10, 20.0)
    assert two.concentration_at(*at) == pytest.approx(one.concentration_at(*at), rel=0.02)


def test_in_calm_air_gas_spreads_to_all_sides() -> None:
    model = PuffModel(constant_release(0.1, 600.0, 1.0), steady(Meteorology(0.0, 90.0, 5.0)))
    cloud = model.cloud_at(900.0)
    assert cloud is not None
    around = cloud.concentration_at([40.0, -40.0, 0.0, 0.0], [0.0, 0.0, 40.0, -40.0])
    assert np.all(around > 0)
    assert around == pytest.approx(np.full(4, around[0]), rel=1e-6)


def test_a_lid_keeps_gas_below() -> None:
    far = 8000.0
    open_air, lidded = (
        PuffModel(constant_release(1.0, 20_000.0), steady(Meteorology(4.0, 270.0, 2.0, mixing_height_m=lid)))
        for lid in (10_000.0, 200.0)
    )
    free, kept = open_air.cloud_at(15_000.0), lidded.cloud_at(15_000.0)
    assert free is not None
    assert kept is not None
    assert kept.concentration_at(far, 0.0)[0] > 2 * free.concentration_at(far, 0.0)[0]


def test_a_source_above_the_lid_is_refused() -> None:
    with pytest.raises(ValueError, match="mixing height"):
        PuffModel(constant_release(1.0, 60.0, 80.0), steady(Meteorology(4.0, 270.0, 4.0, mixing_height_m=50.0)))


@pytest.mark.parametrize(
    ("edges", "rates"), [((0.0, 0.0), (1.0,)), ((0.0, 1.0), (-1.0,)), ((0.0,), ()), ((0.0, 1.0), (float("nan"),))]
)
def test_a_release_that_cannot_be_is_refused(edges: tuple[float, ...], rates: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        Release(edges, rates)


def test_gas_arrives_after_its_travel_time() -> None:
    model = PuffModel(constant_release(1.0, 300.0), steady(WEST_WIND))
    exposure = exposure_at(model, [200.0, 1000.0, -500.0], [0.0, 0.0, 0.0], 1500.0)
    near, far, upwind = exposure.arrival_s(1e-6)
    assert near is not None
    assert far is not None
    assert upwind is None
    assert 30 < near < 100
    assert 200 < far < 500
    assert exposure.peak[0] > exposure.peak[1] > 1e-12 > exposure.peak[2]
