"""What each condition across stations makes of readings that are there, are missing, or are beyond their range."""

from math import inf, isnan

import numpy as np
import pytest

from services.alerts.conditions import Readings, Sample
from services.alerts.conditions.across import AcrossCondition, KOfN, Member, SumOfRatios, UpwindDifference, Weather
from services.alerts.conditions.across.condition import combined, evidence
from services.alerts.conditions.across.wind import wind_from

S = 1_000_000
HOLD = 180 * S
DIRECTION, SPEED = 101, 102
# North, east, south and west of the middle of the park, and one in the north beside the first.
PLACES = {1: (119.0, 37.11), 2: (119.0125, 37.1), 3: (119.0, 37.09), 4: (118.9875, 37.1), 5: (119.001, 37.11)}


def member(number: int, property_id: str = "chlorine", limit: float = 1.0, station: str | None = None) -> Member:
    longitude, latitude = PLACES[number]
    return Member(number, station or f"p.s{number}", property_id, longitude, latitude, limit)


def readings(**by_second: float) -> Readings:
    return Readings.of([Sample(int(name[1:]) * S, value) for name, value in by_second.items()])


def at(condition: AcrossCondition, samples: dict[int, Readings], second: float) -> tuple[float, float, float]:
    found = combined(condition, samples, np.array([round(second * S)]), HOLD)
    return float(found.low[0]), float(found.high[0]), float(found.value[0])


ALL = tuple(member(number) for number in (1, 2, 3, 4))
WEATHER = Weather((DIRECTION,), (SPEED,))


def k_of_n(k: int, within: float = 0, sector: float | None = None) -> KOfN:
    return KOfN(ALL, k, round(within * S), sector, 600 * S, 0.5, weather=WEATHER)


def wind(degrees: float, speed: float = 3.0) -> dict[int, Readings]:
    return {DIRECTION: readings(s0=degrees), SPEED: readings(s0=speed)}


def test_the_kth_highest_of_the_stations() -> None:
    samples = {1: readings(s0=5.0), 2: readings(s0=3.0), 3: readings(s0=1.0)}
    assert [at(k_of_n(k), samples, 10)[0] for k in (2, 3)] == [3.0, 1.0]


def test_within_a_time_the_highest_of_each_counts_and_no_longer() -> None:
    samples = {1: readings(s0=5.0, s10=0.1), 2: readings(s40=3.0)}
    assert at(k_of_n(2, within=60), samples, 40)[0] == 3.0
    assert at(k_of_n(2, within=30), samples, 40)[0] == 0.1


def test_who_has_vanished_may_be_anything_and_who_never_spoke_is_nobody() -> None:
    samples = {1: readings(s0=5.0, s300=5.0), 2: readings(s0=3.0), 3: readings(s300=1.0)}
    assert at(k_of_n(2), samples, 300)[:2] == (1.0, 5.0)  # 2 may still be as high as 1
    assert at(k_of_n(2), {1: samples[1]}, 300)[1] == -inf
    low, high, _ = at(k_of_n(2), samples, 3600)
    assert isnan(low)
    assert high == inf


def test_who_vanished_may_be_anything_however_long_ago() -> None:
    """An alarm that stands on what was destroyed does not clear by waiting."""
    samples = {1: readings(s0=5.0, s90000=5.0), 2: readings(s0=3.0), 3: readings(s90000=1.0)}
    assert at(k_of_n(2), samples, 90_000)[:2] == (1.0, 5.0)


def test_along_the_wind_a_station_that_never_spoke_holds_no_alarm_up() -> None:
    """The one furthest downwind has nobody else in its sector."""
    samples = {1: readings(s0=0.1), 2: readings(s0=0.1)} | wind(0)
    low, high, _ = at(k_of_n(2, sector=50), samples, 1)
    assert (low, high) == (0.1, 0.1)


def test_beyond_the_range_is_above_every_level() -> None:
    beyond = Readings.of([Sample(0, 100.0, True)])
    assert at(k_of_n(2), {1: beyond, 2: readings(s0=3.0), 3: beyond}, 1) == (inf, inf, 100.0)


def test_along_the_wind_only_stations_in_line_count() -> None:
    samples = {1: readings(s0=5.0), 2: readings(s0=3.0), 3: readings(s0=1.0)} | wind(0)
    assert at(k_of_n(2, sector=30), samples, 1)[0] == 1.0  # 1 in the north, 3 downwind of it
    assert at(k_of_n(2, sector=50), samples, 1)[0] == 3.0  # 2 lies south-east of 1
    assert at(k_of_n(2, sector=30), samples | wind(90), 1)[0] != 5.0
    told = evidence(k_of_n(2, sector=30), samples, S, HOLD)
    assert [(one["station_id"], one["role"]) for one in told["stations"]] == [("p.s1", "first"), ("p.s3", "downwind")]
    assert told["wind_from_deg"] == pytest.approx(0)


@pytest.mark.parametrize("blowing", [{}, wind(0, speed=0.3), {DIRECTION: readings(s0=0.0, s1=180.0)}])
def test_without_wind_nothing_is_proved(blowing: dict[int, Readings]) -> None:
    samples = {1: readings(s0=5.0), 2: readings(s0=3.0), 3: readings(s0=1.0)} | blowing
    for condition in (k_of_n(2, sector=30), UpwindDifference(ALL, 45, 600 * S, 0.5, weather=WEATHER)):
        low, high, _ = at(condition, samples, 1)
        assert isnan(low)
        assert high == inf


def test_the_wind_is_a_mean_of_vectors() -> None:
    samples = {DIRECTION: readings(s0=350.0, s10=10.0), SPEED: readings(s0=2.0)}
    found = wind_from(samples, WEATHER, np.array([10 * S, 605 * S]), 600 * S, 0.5)
    assert np.allclose((found + 180) % 360, [180.0, 190.0])  # the first reading is out of the window by then


def test_downwind_less_upwind() -> None:
    difference = UpwindDifference((*ALL, member(5)), 45, 600 * S, 0.5, weather=WEATHER)
    samples = {1: readings(s0=2.0), 5: readings(s0=1.0), 2: readings(s0=9.0), 3: readings(s0=4.0)}
    assert at(difference, samples | wind(0), 1)[0] == 2.5  # 3 in the south, less the mean of 1 and 5
    assert at(difference, samples | wind(180), 1)[0] == -2.0
    told = evidence(difference, samples | wind(0), S, HOLD)
    assert {one["station_id"]: one["role"] for one in told["stations"]} == {
        "p.s3": "downwind",
        "p.s1": "upwind",
        "p.s5": "upwind",
    }


def test_without_a_reading_upwind_there_is_no_difference() -> None:
    difference = UpwindDifference(ALL, 45, 600 * S, 0.5, weather=WEATHER)
    assert isnan(at(difference, {3: readings(s0=4.0)} | wind(0), 1)[0])
    beyond = {1: Readings.of([Sample(0, 100.0, True)]), 3: readings(s0=200.0)}
    assert isnan(at(difference, beyond | wind(0), 1)[0])


def test_a_sum_of_ratios_is_of_one_station() -> None:
    mixture = SumOfRatios(
        (member(1, "chlorine", 1.0, "p.a"), member(2, "ammonia", 20.0, "p.a"), member(3, "chlorine", 1.0, "p.b"))
    )
    samples = {1: readings(s0=0.5), 2: readings(s0=12.0), 3: readings(s0=0.9)}
    assert at(mixture, samples, 1)[0] == pytest.approx(1.1)
    assert at(mixture, {3: samples[3]}, 1)[0] == pytest.approx(0.9)
    told = evidence(mixture, samples, S, HOLD)
    assert [(one["property_id"], one["value"]) for one in told["stations"]] == [("ammonia", 12.0), ("chlorine", 0.5)]


def test_a_part_of_a_sum_that_vanished_may_be_anything() -> None:
    mixture = SumOfRatios((member(1, "chlorine", 1.0, "p.a"), member(2, "ammonia", 20.0, "p.a")))
    samples = {1: readings(s0=0.5, s300=0.5), 2: readings(s0=12.0)}
    assert at(mixture, samples, 300)[:2] == (0.5, inf)


def test_nobody_at_all_proves_nothing() -> None:
    for condition in (KOfN((), 2, 0), UpwindDifference((), 45, 600 * S, 0.5, weather=WEATHER), SumOfRatios(())):
        low, _, value = at(condition, wind(0), 1)
        assert isnan(low)
        assert isnan(value)
