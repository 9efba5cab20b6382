import numpy as np
import pytest

from services.model.dispersion.contours import simplified, zones
from services.model.dispersion.field import compute_field, field_of
from services.model.dispersion.grid import Box, make_grid
from services.model.dispersion.meteorology import Meteorology, WeatherSpell, steady
from services.model.dispersion.projection import local_frame
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import constant_release

LEVELS = [58e-6, 5.8e-6, 1e-6]


def footprint(wind_from: float = 225.0, nodes: int = 400) -> PuffModel:
    return PuffModel(constant_release(0.5, 600.0, 2.0), steady(Meteorology(3.0, wind_from, 4.0, sigma_theta_deg=10.0)))


def test_the_matrix_product_is_the_sum_over_puffs() -> None:
    cloud = footprint().cloud_at(500.0)
    assert cloud is not None
    grid = make_grid(Box(-50, 900, -300, 300), 60, 0.6, 0.8)
    field = field_of(cloud, grid, 1.5)
    x, y = np.meshgrid(grid.x, grid.y)
    direct = cloud.concentration_at(*grid.to_map(x.ravel(), y.ravel())).reshape(field.shape)
    beyond = np.hypot(x, y) > 150
    assert np.allclose(field[beyond], direct[beyond], rtol=0.02, atol=1e-9)


def test_zones_lie_within_each_other_and_downwind() -> None:
    result = compute_field(footprint(), 2400.0, LEVELS[-1])
    shapes = zones(result.peak, result.grid, LEVELS)
    assert shapes[2].buffer(2).contains(shapes[1])
    assert shapes[1].buffer(2).contains(shapes[0])
    assert shapes[0].area > 0
    # Wind from the south-west: the middle of the zone is north-east of the source.
    assert shapes[1].centroid.x > 50
    assert shapes[1].centroid.y > 50
    assert not result.touches_edge(LEVELS[-1])


def test_a_finer_grid_gives_the_same_zones() -> None:
    areas = []
    for nodes in (200, 400, 800):
        result = compute_field(footprint(), 2400.0, LEVELS[-1], nodes=nodes)
        areas.append([shape.area for shape in zones(result.peak, result.grid, LEVELS)])
    assert areas[1] == pytest.approx(areas[2], rel=0.01)
    assert areas[0] == pytest.approx(areas[2], rel=0.03)


def test_the_zone_does_not_depend_on_where_the_wind_comes_from() -> None:
    areas = []
    for wind_from in (0.0, 37.0, 90.0, 211.0):
        result = compute_field(footprint(wind_from), 1200.0, LEVELS[-1])
        areas.append(zones(result.peak, result.grid, [LEVELS[1]])[0].area)
    assert areas == pytest.approx([areas[0]] * 4, rel=0.005)


def test_the_zone_of_a_steady_plume_has_the_plumes_length() -> None:
    """On the axis the zone ends where the concentration falls through the level."""
    weather = Meteorology(3.0, 270.0, 4.0)
    model = PuffModel(constant_release(0.5, 7000.0, 2.0), steady(weather))
    result = compute_field(model, 7000.0, LEVELS[1])
    zone = zones(result.peak, result.grid, [LEVELS[1]])[0]
    cloud = model.cloud_at(7000.0)
    assert cloud is not None
    axis = np.linspace(50, 5000, 5000)
    above = axis[cloud.concentration_at(axis, np.zeros_like(axis)) >= LEVELS[1]]
    assert zone.bounds[2] == pytest.approx(above.max(), rel=0.01)


def test_an_unreached_level_has_no_zone() -> None:
    result = compute_field(footprint(), 2400.0, 1e-6)
    assert zones(result.peak, result.grid, [10.0])[0].is_empty


def test_a_zone_beyond_all_bounds_says_that_it_is_clipped() -> None:
    model = PuffModel(constant_release(5000.0, 7200.0, 2.0), steady(Meteorology(12.0, 270.0, 6.0)))
    result = compute_field(model, 21_600.0, 1e-6, nodes=100)
    assert result.touches_edge(1e-6)
    assert not result.touches_edge(1e3)


def test_the_frames_follow_the_gas_and_the_peak_holds_them_all() -> None:
    result = compute_field(footprint(), 2400.0, LEVELS[-1], [200.0, 700.0, 800.0])
    assert result.frame_times_s == (200.0, 700.0, 800.0)
    middles = []
    for frame in result.frames:
        assert np.all(frame <= result.peak)
        middles.append(zones(frame, result.grid, [LEVELS[-1]])[0].centroid)
    assert middles[0].x < middles[1].x < middles[2].x


def test_a_ring_of_gas_is_a_polygon_with_a_hole() -> None:
    """A field that is high on a ring gives one polygon with one hole, not two discs."""
    grid = make_grid(Box(-100, 100, -100, 100), 200, 1.0, 0.0)
    x, y = np.meshgrid(grid.x, grid.y)
    ring = np.exp(-(((np.hypot(x, y) - 50) / 10) ** 2)).astype(np.float32)
    zone = zones(ring, grid, [0.5])[0]
    assert len(zone.geoms) == 1
    assert len(zone.geoms[0].interiors) == 1
    width = 10 * np.sqrt(np.log(2))
    assert zone.area == pytest.approx(np.pi * ((50 + width) ** 2 - (50 - width) ** 2), rel=0.01)


def test_simplifying_moves_the_outline_by_no_more_than_it_says() -> None:
    result = compute_field(footprint(), 2400.0, LEVELS[-1])
    zone = zones(result.peak, result.grid, [LEVELS[1]])[0]
    thin, tolerance = simplified(zone)
    assert tolerance <= 2.0
    assert thin.hausdorff_distance(zone) <= tolerance * 1.01
    assert sum(len(p.exterior.coords) for p in thin.geoms) < sum(len(p.exterior.coords) for p in zone.geoms)


def test_a_turning_wind_bends_the_footprint() -> None:
    spells = [WeatherSpell(0.0, Meteorology(3.0, 270.0, 4.0)), WeatherSpell(600.0, Meteorology(3.0, 180.0, 4.0))]
    model = PuffModel(constant_release(0.5, 1200.0, 2.0), spells)
    result = compute_field(model, 1800.0, LEVELS[-1])
    west, south, east, north = zones(result.peak, result.grid, [LEVELS[-1]])[0].bounds
    assert east > 500
    assert north > 500
    assert south > -400
    assert west > -400


def test_the_projection_is_true_in_distance() -> None:
    frame = local_frame(119.0, 37.1)
    longitude, latitude = frame.to_degrees([0.0, 10_000.0, -3000.0], [0.0, 0.0, 4000.0])
    east, north = frame.to_metres(longitude, latitude)
    assert east == pytest.approx([0.0, 10_000.0, -3000.0], abs=0.01)
    assert north == pytest.approx([0.0, 0.0, 4000.0], abs=0.01)
    # One degree of latitude at 37.6 N is 110,986 m on the WGS 84 ellipsoid.
    assert float(frame.to_metres([119.0], [38.1])[1][0]) == pytest.approx(110_986, abs=20)
    assert local_frame(119.0, 37.1) is frame
    with pytest.raises(ValueError, match="longitude"):
        local_frame(200.0, 0.0)
