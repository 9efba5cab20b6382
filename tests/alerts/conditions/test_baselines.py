"""What is usual by the hour of the day, and how far readings depart from it."""

from datetime import UTC, date, datetime, timedelta
from math import isnan, nan
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from services.alerts.conditions import RAW, Columns, Level, LevelRule, Measure, Readings, Sample, from_bytes, to_bytes
from services.alerts.conditions.baselines import HOURS, Baseline, Usual, first_day, learn, local_hours
from services.alerts.conditions.measures import BaselineDeviation, Maximum, Mean
from services.alerts.conditions.measures.baseline import prepared
from shared.levels import Colour
from shared.time import to_microseconds

ZONE = "Asia/Shanghai"
DAY = date(2026, 6, 20)
MEASURE = BaselineDeviation(5, 3, 0.02)
MEAN, MAXIMUM = Mean(60_000_000), Maximum(60_000_000)


def us(day: date, hour: int, minute: int = 0, zone: str = ZONE) -> int:
    return to_microseconds(datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)))


def means(day: date, hour: int, *values: float | None, zone: str = ZONE) -> list[Sample]:
    """A reading a minute from the beginning of an hour on."""
    return [Sample(us(day, hour, minute, zone), value) for minute, value in enumerate(values)]


def learned(*samples: list[Sample], over: int = 5, zone: str = ZONE) -> Baseline:
    readings = Readings.of(sorted(sample for some in samples for sample in some))
    return learn(readings, zone, DAY, over)


def flat(day: date, median: float = 1.0, mad: float = 0.1, days: int = 5) -> Baseline:
    """The same at all hours but 3, of which nothing is known."""
    known = [hour != 3 for hour in range(HOURS)]
    return Baseline(
        day,
        ZONE,
        5,
        tuple(median if each else nan for each in known),
        tuple(mad if each else nan for each in known),
        tuple(300 if each else 0 for each in known),
        tuple(days if each else 0 for each in known),
    )


def test_median_and_spread_are_of_the_same_hour_of_the_days_before_yesterday() -> None:
    found = learned(
        means(date(2026, 6, 14), 9, 1.0, 1.2),
        means(date(2026, 6, 15), 9, 1.4, 9.0),
        means(date(2026, 6, 18), 9, 1.1),
        means(date(2026, 6, 18), 10, 7.0),
        means(date(2026, 6, 13), 9, 50.0, 50.0),  # too long ago
        means(date(2026, 6, 19), 9, 50.0, 50.0),  # yesterday
        means(date(2026, 6, 20), 9, 50.0, 50.0),
    )
    assert (found.median[9], found.readings[9], found.days[9]) == (1.2, 5, 3)
    assert found.mad[9] == pytest.approx(0.2)
    assert (found.median[10], found.mad[10], found.readings[10], found.days[10]) == (7.0, 0.0, 1, 1)
    assert isnan(found.median[11])
    assert (found.readings[11], found.days[11]) == (0, 0)
    assert first_day(DAY, 5) == date(2026, 6, 14)


def test_where_half_of_an_hour_lay_beyond_the_range_nothing_is_known() -> None:
    beyond = [Sample(us(date(2026, 6, 16), 9, minute), 3.0, over_range=True) for minute in range(3)]
    found = learned(means(date(2026, 6, 15), 9, 1.0, 1.0), beyond)
    assert isnan(found.median[9])
    assert isnan(found.mad[9])
    assert (found.readings[9], found.days[9]) == (5, 2)


@pytest.mark.parametrize(("day", "empty", "long"), [(date(2026, 3, 29), 2, None), (date(2026, 10, 25), None, 2)])
def test_hours_are_those_of_the_zone_also_where_clocks_change(day: date, empty: int | None, long: int | None) -> None:
    hours = np.diff(local_hours("Europe/Berlin", day)) // 3_600_000_000
    assert hours.tolist() == [0 if hour == empty else 2 if hour == long else 1 for hour in range(HOURS)]


def test_readings_are_compared_with_their_own_hour() -> None:
    usual = Usual([(7, DAY, flat(DAY)), (9, DAY, flat(DAY, median=2.0, mad=0.0)), (9, date(2026, 6, 21), flat(DAY))])
    rows = [
        (7, us(DAY, 0), 1.0),
        (7, us(DAY, 23, 59), 1.0 + 3 * 0.14826),
        (7, us(DAY, 3), 1.0),  # of this hour nothing is known
        (7, us(date(2026, 6, 21), 0), 1.0),  # of this day neither
        (7, us(date(2026, 6, 19), 23, 59), 1.0),
        (8, us(DAY, 12), 1.0),  # of this datastream neither
        (9, us(DAY, 12), 2.1),  # no spread: the least one
        (9, us(date(2026, 6, 21), 12), 0.85174),
        (10, us(DAY, 12), 1.0),
    ]
    ids, times, values = (np.array(column) for column in zip(*rows, strict=True))
    found = MEASURE.of(usual, ids, Readings(times, values, np.zeros(len(rows), np.bool_)))
    assert found.value == pytest.approx([0, 3, nan, nan, nan, nan, 5, -1, nan], nan_ok=True)
    assert not found.over_range.any()


def test_too_few_days_say_nothing_also_of_what_is_beyond_the_range() -> None:
    over_range = Readings(np.array([us(DAY, 12)]), np.array([nan]), np.array([True]))
    for days, known in ((2, False), (3, True)):
        found = MEASURE.of(Usual([(7, DAY, flat(DAY, days=days))]), np.array([7]), over_range)
        assert found.over_range.tolist() == [known]
        assert isnan(found.value[0])
    assert not MEASURE.of(Usual(), np.array([7]), over_range).over_range.any()


def test_the_journal_is_told_what_a_reading_was_compared_with() -> None:
    usual = Usual([(7, DAY, flat(DAY))])
    assert MEASURE.explained(usual, 7, us(DAY, 12, 30)) == {
        "baseline": {
            "hour": 12,
            "median": 1.0,
            "mad": 0.1,
            "standard_deviation": pytest.approx(0.14826),
            "readings": 300,
            "days": 5,
        }
    }
    assert MEASURE.explained(usual, 8, us(DAY, 12)) == {}
    assert MEASURE.explained(None, 7, us(DAY, 12)) == {}


def test_other_rules_get_the_readings_as_they_are() -> None:
    usual = {5: Usual([(7, DAY, flat(DAY))])}
    noon = us(DAY, 12)
    readings = Readings(np.array([noon, noon, noon]), np.array([1.5, 1.5, 1.5]), np.zeros(3, np.bool_))
    measures: list[Measure] = [RAW, MEASURE, BaselineDeviation(9, 1, 0.02)]
    found = prepared(measures, np.array([0, 1, 2]), np.array([7, 7, 7]), readings, usual)
    assert found.value == pytest.approx([1.5, 0.5 / 0.14826, nan], nan_ok=True)
    assert readings.value.tolist() == [1.5, 1.5, 1.5]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("before", "after", "kept"), [(MEASURE, MEAN, 0), (MEAN, MEASURE, 0), (MEAN, MAXIMUM, 1)])
def test_a_window_never_mixes_readings_with_deviations(
    before: Measure, after: Measure, kept: int, restarted: bool
) -> None:
    def rule(measure: Measure) -> LevelRule:
        return LevelRule("r", (Level(Colour.YELLOW, 2.0),), 0, 0, measure=measure)

    columns = Columns(120_000_000)
    columns.add([7], [rule(before)])
    columns.recent.append(np.array([0]), np.array([1]), np.array([0]), Readings.of([Sample(us(DAY, 12), 1.0)]))
    if restarted:
        columns = from_bytes(to_bytes(columns), columns.bound, lambda _i, _rule_id: rule(after))
    else:
        columns.begin_anew(0, rule(after), 0, None)
    assert len(columns.recent.of(0)) == kept


def test_days_that_nobody_can_know_are_refused() -> None:
    with pytest.raises(ValueError, match="of 3 days 4"):
        BaselineDeviation(3, 4, 0.1)
    with pytest.raises(ValueError, match="above zero"):
        BaselineDeviation(3, 1, 0)


def test_the_hour_of_a_reading_is_found_at_its_edges() -> None:
    usual = Usual([(7, DAY, flat(DAY))])
    begin = datetime(2026, 6, 20, 4, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    for since, hour in ((0, 4), (3_599_999_999, 4), (3_600_000_000, 5)):
        found = usual.hour(7, to_microseconds(begin + timedelta(microseconds=since)))
        assert found is not None
        assert found.hour == hour
