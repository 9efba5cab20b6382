"""Tracing on data made by another formula (spreads after Briggs, another class), with noise and a wrong wind."""

import numpy as np
import pytest

from services.model.dispersion.meteorology import Meteorology
from services.model.tracing.likelihood import FloatArray, Readings, log_likelihood
from services.model.tracing.suspicion import Candidate, Observed, Suspicion, trace

LIMIT = 0.1
SOURCES = [Candidate("a", -300.0, 0.0), Candidate("b", 250.0, 250.0), Candidate("c", 250.0, -300.0)]


def ring(radius: float, number: int) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, number, endpoint=False)
    return [(radius * float(np.cos(a)), radius * float(np.sin(a))) for a in angles]


def stations() -> tuple[FloatArray, FloatArray]:
    """Three detectors around every source and a ring at the boundary."""
    near = [(s.east_m + e, s.north_m + n) for s in SOURCES for e, n in ring(45.0, 4)]
    places = np.array(near + ring(700.0, 16))
    return places[:, 0], places[:, 1]


def briggs(source: Candidate, rate: float, wind: float, wind_from: float) -> FloatArray:
    east, north = stations()
    angle = np.radians(wind_from)
    toward = -np.sin(angle), -np.cos(angle)
    de, dn = east - source.east_m, north - source.north_m
    x = np.maximum(de * toward[0] + dn * toward[1], 1e-9)
    y = -de * toward[1] + dn * toward[0]
    sigma_y = 0.11 * x / np.sqrt(1 + 0.0001 * x)
    sigma_z = 0.08 * x / np.sqrt(1 + 0.0002 * x)
    field = 1e6 * rate / (np.pi * wind * sigma_y * sigma_z) * np.exp(-0.5 * (y / sigma_y) ** 2)
    return np.where(x > 1, field, 0.0)


def observe(source: Candidate, rate: float = 0.3, wind_from: float = 250.0, seed: int = 1) -> Observed:
    noise = np.random.default_rng(seed)
    east, north = stations()
    values = briggs(source, rate, 3.0, wind_from) * np.exp(0.4 * noise.standard_normal(east.size))
    values[values < LIMIT] = 0.0
    return Observed(
        east, north, np.full(east.size, 1.5), Readings(values, np.full(east.size, LIMIT), np.full(east.size, 1e9))
    )


def suspected(observed: Observed, wind_from: float = 250.0, **options: float) -> Suspicion:
    return trace(observed, Meteorology(3.0, wind_from, 4.0, sigma_theta_deg=7.5), SOURCES, **options)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.id)
@pytest.mark.parametrize("error_deg", [-10.0, 0.0, 10.0])
def test_the_right_source_with_a_wrong_wind(source: Candidate, error_deg: float) -> None:
    observed = observe(source)
    found = suspected(observed, 250.0 + error_deg)
    best = found.suspects[0]
    assert best.id == source.id
    assert best.probability > 0.6
    assert found.decided
    assert best.rate_low_kg_s < 0.3 < best.rate_high_kg_s
    if (observed.readings.value >= LIMIT).sum() >= 3:
        assert 0.3 / 5 < best.rate_kg_s < 0.3 * 5


def test_probabilities_are_shares_of_one() -> None:
    found = suspected(observe(SOURCES[1]))
    assert sum(s.probability for s in found.suspects) + found.elsewhere == pytest.approx(1.0)


def test_a_source_that_nobody_knows_is_somewhere_else() -> None:
    unknown = Candidate("unknown", 0.0, -20.0)
    found = suspected(observe(unknown, rate=1.0))
    assert found.elsewhere > found.suspects[0].probability


def test_a_bigger_leak_has_a_bigger_rate() -> None:
    small, big = (suspected(observe(SOURCES[0], rate)).suspects[0].rate_kg_s for rate in (0.1, 2.0))
    assert 8 < big / small < 50


def test_clean_sensors_speak() -> None:
    """With the clean sensors left out the rate is less certain."""
    full = observe(SOURCES[0])
    smells = full.readings.value >= LIMIT
    only = Observed(
        full.east_m[smells],
        full.north_m[smells],
        full.height_m[smells],
        Readings(full.readings.value[smells], full.readings.detection_limit[smells], full.readings.range_upper[smells]),
    )
    assert suspected(full).suspects[0].probability > suspected(only).suspects[0].probability


def test_gas_that_is_still_on_its_way_is_not_held_against_the_source() -> None:
    """Ten seconds after the first smell the boundary reads nothing: that must not clear the source."""
    early = observe(SOURCES[0])
    far = np.hypot(early.east_m - SOURCES[0].east_m, early.north_m - SOURCES[0].north_m) > 100
    early.readings.value[far] = 0.0
    aware = suspected(early, gas_age_s=10.0)
    assert aware.suspects[0].id == "a"
    assert aware.suspects[0].probability > 0.6
    assert aware.suspects[0].rate_kg_s > suspected(early).suspects[0].rate_kg_s


def test_a_sensor_at_the_end_of_its_range_is_a_lower_bound() -> None:
    readings = Readings(np.array([60.0]), np.array([0.1]), np.array([60.0]))
    logs = [float(log_likelihood(readings, np.array([p]))[0]) for p in (6.0, 60.0, 6000.0)]
    assert logs[0] < logs[1] < logs[2]


def test_nothing_smelled_is_nothing_to_trace() -> None:
    clean = observe(SOURCES[0], rate=1e-9)
    with pytest.raises(ValueError, match="nothing to trace"):
        suspected(clean)


def test_light_wind_is_trusted_less() -> None:
    observed = observe(SOURCES[0], wind_from=250.0)
    calm, fresh = (trace(observed, Meteorology(speed, 190.0, 5.0), SOURCES) for speed in (0.3, 3.0))
    assert calm.suspects[0].id == "a"
    assert calm.suspects[0].probability > 0.9
    assert next(suspect for suspect in fresh.suspects if suspect.id == "a").probability < 0.1


def test_bad_readings_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Readings(np.array([np.nan]), np.array([0.1]), np.array([1.0]))


def test_a_detector_beside_the_leak_tells_it_from_a_source_upwind_in_line_with_it() -> None:
    """Gas over two of three detectors around a tank, none on the third: no cloud from far upwind is cut like that."""
    upwind, tank = Candidate("upwind", 0.0, -1070.0), Candidate("tank", 0.0, 0.0)
    around_tank = [(32.0, 18.0, 60.0), (-28.0, 30.0, 13.0), (-14.0, -38.0, 0.0)]
    others = [
        (166.0, 471.0, 63.0),
        (36.0, -1078.0, 0.0),
        (-22.0, -1036.0, 0.0),
        (-303.0, 72.0, 0.0),
        (825.0, 458.0, 0.0),
    ]
    east, north, value = (np.array(column) for column in zip(*around_tank, *others, strict=True))
    readings = Readings(value, np.full(value.shape, LIMIT), np.where(np.hypot(east, north) < 50.0, 60.0, 100.0))
    observed = Observed(east, north, np.full(value.shape, 1.5), readings)
    weather = Meteorology(3.5, 192.0, 5.0, sigma_theta_deg=7.0)
    found = trace(observed, weather, [upwind, tank])
    assert found.suspects[0].id == "tank"
    assert found.decided


def test_a_trace_at_a_station_upwind_does_not_excuse_clean_ones_downwind() -> None:
    """Three minutes after the first smell gas from far upwind has long passed the clean station among the others."""
    upwind, near = Candidate("upwind", 0.0, -1000.0), Candidate("near", 0.0, 0.0)
    rows = [(5.0, 40.0, 30.0), (12.0, 45.0, 12.0), (0.0, -35.0, 0.0), (50.0, 480.0, 8.0), (300.0, -1500.0, LIMIT)]
    east, north, value = (np.array(column) for column in zip(*rows, strict=True))
    readings = Readings(value, np.full(value.shape, LIMIT), np.full(value.shape, 100.0))
    weather = Meteorology(3.5, 180.0, 5.0, sigma_theta_deg=7.0)
    observed = Observed(east, north, np.full(value.shape, 1.5), readings)
    found = trace(observed, weather, [upwind, near], 180.0)
    assert found.suspects[0].id == "near"
    assert found.suspects[0].probability > 10 * found.suspects[1].probability
