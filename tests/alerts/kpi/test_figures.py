"""Rates and floods by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.kpi import Flood, Load, load

SINCE = datetime(2026, 6, 1, tzinfo=UTC)
DAY = SINCE + timedelta(days=1)


def minutes(number: float) -> datetime:
    return SINCE + timedelta(minutes=number)


def of_day(counts: dict[int, int], operators: float = 1) -> Load:
    return load(counts, SINCE, DAY, operators)


def test_a_quiet_day() -> None:
    quiet = of_day({})
    assert (quiet.alarms, quiet.alarms_per_operator_hour, quiet.busiest_period, quiet.floods) == (0, 0, 0, [])


def test_rates_are_for_one_operator() -> None:
    shared = of_day({0: 6, 5: 6, 143: 12}, operators=2)
    assert shared.alarms == 24
    assert (shared.alarms_per_operator_hour, shared.alarms_per_operator_day) == (0.5, 12)
    assert shared.busiest_period == 6
    assert shared.floods == []


def test_ten_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    assert of_day({3: 10}).floods == []
    flooded = of_day({3: 11})
    assert flooded.floods == [Flood(minutes(30), minutes(40), 11, 11)]
    assert flooded.periods_over_ten_share == 1 / 144
    assert flooded.flood_time_share == 10 / 1440


def test_a_flood_lasts_until_less_than_five_come() -> None:
    flooded = of_day({1: 9, 2: 20, 3: 5, 4: 7, 5: 4, 6: 12, 20: 30, 22: 30})
    assert [(flood.begin, flood.end, flood.alarms, flood.peak) for flood in flooded.floods] == [
        (minutes(20), minutes(50), 32, 20),
        (minutes(60), minutes(70), 12, 12),
        (minutes(200), minutes(210), 30, 30),
        (minutes(220), minutes(230), 30, 30),
    ]


def test_a_busy_hour() -> None:
    assert of_day({0: 8, 1: 8, 2: 8, 5: 7}).hours_over_thirty_share == 1 / 24
    assert of_day({0: 8, 1: 8, 2: 8, 6: 7}).hours_over_thirty_share == 0


def test_a_span_may_end_within_a_period() -> None:
    short = load({0: 15}, SINCE, minutes(5), 1)
    assert (short.flood_time_share, short.floods[0].end) == (1.0, minutes(5))


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError):
        load({}, SINCE, SINCE, 1)
    with pytest.raises(ValueError):
        load({}, SINCE, DAY, 0)
