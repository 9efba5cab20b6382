"""The demonstration park: well formed, plainly fictitious, and laid out as a park is."""

import math
from collections import Counter

import pyproj
import pytest
from shapely.geometry import Point, Polygon

from shared.park_file import ParkFile, Station
from simulator.geometry import LocalPlane
from simulator.site import Site


@pytest.fixture(scope="module")
def plane() -> LocalPlane:
    return LocalPlane(119.0, 37.1)


@pytest.fixture(scope="module")
def outline(park: ParkFile, plane: LocalPlane) -> Polygon:
    return Polygon([plane.to_metres(*corner) for corner in park.park.boundary])


def _point(plane: LocalPlane, entry: Station) -> Point:
    return Point(plane.to_metres(entry.location.longitude, entry.location.latitude))


def test_it_says_that_it_does_not_exist(park: ParkFile) -> None:
    assert park.park.fictitious
    assert "虚构" in park.park.name.zh
    assert "fictitious" in park.park.name.en
    assert all("虚构" in entry.name.zh and "fictitious" in entry.name.en for entry in park.enterprises)


def test_it_has_three_rings_and_weather(park: ParkFile) -> None:
    assert Counter(station.ring for station in park.stations) == {
        "source": 16,
        "boundary": 14,
        "receptor": 10,
        "meteorology": 2,
    }
    assert len(park.risk_sources) == 10
    assert {"7782-50-5", "7664-41-7", "7783-06-4", "71-43-2", "107-13-1", "7647-01-0"} == {
        source.chemical for source in park.risk_sources
    }


def test_boundary_has_a_believable_shape(outline: Polygon) -> None:
    west, south, east, north = outline.bounds
    assert outline.is_valid
    assert east - west == pytest.approx(3090, abs=150)
    assert north - south == pytest.approx(2200, abs=150)
    assert outline.area < 0.95 * (east - west) * (north - south)


def test_boundary_stations_stand_on_the_boundary_and_apart(park: ParkFile, plane: LocalPlane, outline: Polygon) -> None:
    points = [_point(plane, station) for station in park.stations if station.ring == "boundary"]
    assert max(outline.exterior.distance(point) for point in points) < 5.0
    gaps = [points[index].distance(points[index - 1]) for index in range(len(points))]
    assert min(gaps) > 400.0
    assert max(gaps) < 800.0


def test_receptors_lie_outside_within_three_kilometres(park: ParkFile, plane: LocalPlane, outline: Polygon) -> None:
    for station in park.stations:
        if station.ring == "receptor":
            assert 300.0 < outline.distance(_point(plane, station)) < 3000.0, station.id
    bearings = sorted(
        math.degrees(math.atan2(*plane.to_metres(entry.location.longitude, entry.location.latitude))) % 360
        for entry in park.receptors
    )
    turns = [(bearings[index] - bearings[index - 1]) % 360 for index in range(len(bearings))]
    assert max(turns) < 60.0, "there is a side of the park without a sensitive target"
    assert all(entry.population > 0 for entry in park.receptors)


def test_plots_lie_inside_and_do_not_overlap(park: ParkFile, plane: LocalPlane, outline: Polygon) -> None:
    plots = {entry.id: Polygon([plane.to_metres(*corner) for corner in entry.area or []]) for entry in park.enterprises}
    for name, plot in plots.items():
        assert plot.is_valid, name
        assert outline.contains(plot), name
        assert not any(plot.intersects(other) for key, other in plots.items() if key != name), name
    for source in park.risk_sources:
        place = Point(plane.to_metres(source.location.longitude, source.location.latitude))
        assert plots[source.enterprise or ""].contains(place), source.id


def test_every_detector_stands_beside_a_source_of_a_gas_that_it_measures(site: Site, park: ParkFile) -> None:
    for index, station in enumerate(site.stations):
        if station.ring != "source":
            continue
        measured = {stream.property for stream in station.datastreams}
        assert 1 <= len(measured) <= 4
        east, north, _ = site.places[index]
        near = [
            source.property_id
            for source in site.sources
            if math.hypot(source.leak.east_m - east, source.leak.north_m - north) < 70.0
        ]
        assert measured & set(near), station.id


def test_every_station_has_a_device_of_its_own(park: ParkFile) -> None:
    devices = [station.device for station in park.stations]
    assert all(
        device is not None and len(device.mn) == 24 and int(device.mn, 16) and len(device.password or "") == 6
        for device in devices
    )
    assert len({device.mn for device in devices if device}) == len(devices)


def test_plane_agrees_with_a_projection_library(plane: LocalPlane) -> None:
    there = pyproj.Transformer.from_crs("EPSG:4326", "+proj=aeqd +lat_0=37.1 +lon_0=119 +datum=WGS84", always_xy=True)
    for lon, lat in ((119.03, 37.12), (118.97, 37.075), (119.0, 37.1)):
        assert plane.to_metres(lon, lat) == pytest.approx(there.transform(lon, lat), abs=3.0)
        assert plane.to_degrees(*plane.to_metres(lon, lat)) == pytest.approx((lon, lat), abs=1e-12)
