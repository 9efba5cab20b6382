"""Readings made ready for tracing: what a saturated detector says, and gas that has only just come."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.model.ingest_client import GasStation, Series
from services.model.runs.readings import StationReadings, station_readings
from services.model.tracing.likelihood import Readings, log_likelihood
from shared.vocabulary import property_of_cas

AT = datetime(2026, 6, 1, 4, tzinfo=UTC)


def read(values: list[float], flags: str, upper: float | None = 60.0) -> StationReadings:
    """Readings every 30 s, the last at the moment itself."""
    measured = property_of_cas("7782-50-5")
    assert measured
    station = GasStation(
        station_id="p.s1",
        longitude=119.0,
        latitude=37.1,
        datastream_id=1,
        unit="mg/m3",
        range_upper=upper,
        detection_limit=0.1,
    )
    times = [AT - timedelta(seconds=30 * step) for step in range(len(values) - 1, -1, -1)]
    series = Series(datastream_id=1, time=times, value=list(values), quality=list(flags))
    [found] = station_readings([station], [series], measured, AT)
    return found


def test_one_saturated_reading_makes_the_mean_a_lower_bound() -> None:
    found = read([0.0, 0.0, 30.0, 60.0, 20.0], "NNNTN")
    assert found.over_range
    assert found.value == pytest.approx((30.0 + 60.0 + 20.0) / 3.0)


def test_a_saturated_detector_of_unknown_range_is_a_lower_bound_too() -> None:
    found = read([0.0, 25.0], "NT", upper=None)
    assert found.over_range
    assert found.value == pytest.approx(25.0)


def test_the_clean_minutes_before_the_gas_do_not_thin_it() -> None:
    assert read([0.0, 0.0, 0.0, 0.0, 0.0, 12.0], "NNNNNN").value == pytest.approx(12.0)
    assert not read([0.0, 12.0], "NN").over_range


def test_a_clean_station_stays_clean() -> None:
    found = read([0.0, 0.05, 0.0], "NNN")
    assert found.value == pytest.approx(0.05 / 3.0)
    assert found.first_clear is None


def test_above_a_lower_bound_every_prediction_is_likely() -> None:
    one = np.array([1.0])
    bound = Readings(30.0 * one, 0.1 * one, 60.0 * one, np.array([True]))
    exact = Readings(30.0 * one, 0.1 * one, 60.0 * one)
    low, near, far = (float(log_likelihood(bound, np.array([p]))[0]) for p in (0.3, 30.0, 3000.0))
    assert low < near < far
    assert float(log_likelihood(exact, np.array([3000.0]))[0]) < float(log_likelihood(exact, np.array([30.0]))[0])
    assert bound.of(np.array([True])).over_range.tolist() == [True]
    with pytest.raises(ValueError, match="length"):
        Readings(one, one, one, np.array([True, False]))
