"""What of a station's readings is handed to the tracing."""

from datetime import UTC, datetime, timedelta

import pytest

from services.model.ingest_client import GasStation, Series
from services.model.runs.readings import StationReadings, station_readings
from shared.vocabulary import observed_properties

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
RANGE_UPPER = 60.0
CHLORINE = observed_properties()["chlorine"]


def read(values: list[tuple[float, float | None, str]]) -> StationReadings:
    """What is made of readings given as (seconds before `AT`, value, flag)."""
    station = GasStation(
        station_id="p.s1",
        datastream_id=1,
        longitude=119.0,
        latitude=37.1,
        unit="mg/m3",
        detection_limit=0.1,
        range_upper=RANGE_UPPER,
    )
    ordered = sorted(values, reverse=True)
    series = Series(
        datastream_id=1,
        time=[AT - timedelta(seconds=before) for before, _, _ in ordered],
        value=[value for _, value, _ in ordered],
        quality=[flag for _, _, flag in ordered],
    )
    [found] = station_readings([station], [series], CHLORINE, AT)
    return found


def clean(end: int, start: int) -> list[tuple[float, float | None, str]]:
    return [(float(before), 0.0, "N") for before in range(start, end, 5)]


def test_clean_air_before_the_gas_does_not_thin_the_mean() -> None:
    found = read([*clean(180, 15), (10, 4.0, "N"), (5, 6.0, "N"), (0, 8.0, "N")])
    assert found.value == pytest.approx(6.0)
    assert found.first_clear == AT - timedelta(seconds=10)


def test_a_mean_over_readings_beyond_the_range_is_a_lower_bound() -> None:
    found = read([*clean(180, 15), (10, 20.0, "N"), (5, RANGE_UPPER, "T"), (0, None, "T")])
    assert found.over_range
    assert found.value == pytest.approx((20.0 + 2 * RANGE_UPPER) / 3), "a lower bound"


def test_a_clean_station_is_a_zero_and_knows_of_no_gas() -> None:
    found = read(clean(180, 0))
    assert found.value == 0.0
    assert found.first_clear is None


def test_gas_that_has_gone_counts_with_the_clean_air_after_it() -> None:
    found = read([(100, 6.0, "N"), (50, 0.0, "N"), (0, 0.0, "N")])
    assert found.value == pytest.approx(2.0)


def test_an_earlier_release_is_another_one() -> None:
    earlier = [(1500.0, 30.0, "N"), (1400.0, 20.0, "N")]
    found = read([*earlier, *clean(1300, 15), (10, 5.0, "N"), (0, 5.0, "N")])
    assert found.first_clear == AT - timedelta(seconds=10)


@pytest.mark.parametrize("flag", list("FMSDCB"))
def test_flags_of_bad_data_are_left_out(flag: str) -> None:
    found = read([(20, 50.0, flag), (10, 1.0, "N"), (0, 1.0, "N")])
    assert found.value == pytest.approx(1.0)
