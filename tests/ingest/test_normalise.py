from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.meaning.normalise import Normalised, Observation, normalise, quality_of
from shared.hj212.segment import parse
from shared.quality import Quality
from shared.time import to_microseconds
from tests.ingest.devices import device

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
AHEAD = timedelta(minutes=10)


def run(cn: str, body: str) -> Normalised:
    return normalise(parse(f"CN={cn};MN=A1;CP=&&{body}&&".encode()), device(), NOW, AHEAD)


def test_a_real_time_reading_in_utc_and_the_stored_unit() -> None:
    at = to_microseconds(datetime(2026, 3, 1, 3, 59, 30, tzinfo=UTC))
    assert run("2011", "DataTime=20260301115930;a21022-Rtd=250,a21022-Flag=N;a21001-Rtd=2") == Normalised(
        (Observation(1, at, 0.25, "N", None, None, 5), Observation(3, at, 2.0, "N", None, None, 5))
    )


def test_minute_data_keep_minimum_and_maximum() -> None:
    (row,) = run("2051", "DataTime=20260301110000;a21022-Min=1,a21022-Avg=2,a21022-Max=4,a21022-Flag=T").observations
    assert row == Observation(2, to_microseconds(NOW) - 3_600_000_000, 0.002, "T", 0.001, 0.004, 5)


@pytest.mark.parametrize("value", ["1e200", "-1e31", "1e999", "inf", "1_0"])
def test_a_number_that_no_instrument_can_mean_is_no_value(value: str) -> None:
    (row,) = run("2011", f"DataTime=20260301115930;a21022-Rtd={value},a21022-Flag=N").observations
    assert (row.value, row.quality) == (None, Quality.MISSING.value)


def test_a_factor_or_cadence_without_datastream_is_counted() -> None:
    data = run("2051", "DataTime=20260301110000;a21022-Avg=2;a21001-Avg=1;a99999-Avg=1")
    assert (len(data.observations), data.unmapped, data.refused) == (1, 2, 0)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("20260301121001", "time_in_future"),
        ("20260231000000", "time_unreadable"),
        ("2026", "time_unreadable"),
    ],
)
def test_a_time_that_cannot_be_is_refused(time: str, reason: str) -> None:
    assert run("2011", f"DataTime={time};a21022-Rtd=1;a21001-Rtd=1") == Normalised(refused=2, reason=reason)


def test_a_clock_may_lead_a_little() -> None:
    assert len(run("2011", "DataTime=20260301120959;a21022-Rtd=1").observations) == 1


def test_without_a_time_nothing_is_stored() -> None:
    assert run("2011", "a21022-Rtd=1").reason == "time_unreadable"


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        (None, 1.0, Quality.NORMAL),
        ("N", 1.0, Quality.NORMAL),
        ("n", 1.0, Quality.NORMAL),
        ("T", None, Quality.OVER_RANGE),
        ("B", None, Quality.COMMUNICATION_ERROR),
        ("N", None, Quality.MISSING),
        (None, None, Quality.MISSING),
        ("W", None, Quality.MISSING),
        ("?", 1.0, Quality.FAULT),
        *((quality.value, 1.0, quality) for quality in Quality),
    ],
)
def test_quality(flag: str | None, value: float | None, expected: Quality) -> None:
    assert quality_of(flag, value) is expected


@pytest.mark.parametrize("letter", ["X", "K", "R", "W", "w"])
def test_a_device_cannot_speak_in_the_platforms_own_flags(letter: str) -> None:
    (row,) = run("2011", f"DataTime=20260301115930;a21022-Rtd=250,a21022-Flag={letter}").observations
    assert row.quality == Quality.FAULT.value
