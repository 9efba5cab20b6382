"""A rule over history gives the alarms that the live evaluation would have raised."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.conditions import Level, LevelRule, Readings
from services.alerts.rules.measures import measure_of
from services.alerts.rules.trial import Trial, TrialAlarm
from shared.levels import Colour
from shared.measures import MeanValue

SECOND = 1_000_000
RULE = LevelRule(
    "level.x", (Level(Colour.YELLOW, 1.0), Level(Colour.RED, 10.0)), on_delay=20 * SECOND, off_delay=30 * SECOND
)


def readings(*pairs: tuple[int, float]) -> Readings:
    time, value = np.array([t for t, _ in pairs]) * SECOND, np.array([v for _, v in pairs])
    return Readings(time, np.where(value > 900, np.nan, value), value > 900)


MEAN = replace(RULE, measure=measure_of(MeanValue(kind="mean", window_s=60)))


def run(*pages: list[tuple[int, float]], rule: LevelRule = RULE) -> tuple[Trial, list[TrialAlarm]]:
    trial = Trial(7, rule, 120 * SECOND)
    for page in pages:
        trial.take(readings(*page))
    return trial, trial.alarms


def test_an_alarm_has_its_evidence_its_steps_its_peak_and_its_end() -> None:
    values = [0.1, 2, 2, 2, 20, 20, 20, 50, 0.2, 0.2, 0.2, 0.2, 0.1]
    trial, (alarm,) = run([(10 * number, value) for number, value in enumerate(values)])
    assert (alarm.datastream_id, alarm.since, alarm.raised_at) == (7, 10 * SECOND, 30 * SECOND)
    assert alarm.steps == [(30 * SECOND, Colour.YELLOW), (60 * SECOND, Colour.RED)]
    assert (alarm.colour, alarm.peak_colour, alarm.peak_value) == (Colour.YELLOW, Colour.RED, 50)
    assert alarm.ended_at == 110 * SECOND
    assert trial.length(alarm) == 80 * SECOND


def test_one_that_stands_at_the_end_lasts_to_the_last_reading() -> None:
    trial, (alarm,) = run([(0, 2), (10, 2), (20, 2), (30, 3)], [(40, 5), (50, 4)])
    assert (alarm.ended_at, alarm.peak_value, trial.length(alarm)) == (None, 5, 30 * SECOND)


def test_beyond_the_range_is_the_highest_and_short_peaks_raise_nothing() -> None:
    assert run([(0, 50), (10, 50), (19, 0.1)])[1] == []
    _, (alarm,) = run([(0, 999), (10, 999), (20, 999)])
    assert (alarm.colour, alarm.peak_value) == (Colour.RED, None)


def test_a_draft_on_a_mean_is_tried_on_the_mean() -> None:
    rows = [(10 * number, 6.0 if number % 3 == 0 else 0.1) for number in range(30)]
    assert run(rows)[1] == []
    _, (alarm,) = run(rows, rule=MEAN)
    assert alarm.colour is Colour.YELLOW


@given(
    values=st.lists(st.sampled_from([0.1, 0.95, 2.0, 20.0, 999.0]), min_size=1, max_size=60),
    cut=st.integers(0, 60),
    rule=st.sampled_from([RULE, MEAN]),
)
def test_where_pages_end_makes_no_difference(values: list[float], cut: int, rule: LevelRule) -> None:
    rows = [(10 * number, value) for number, value in enumerate(values)]
    whole, parts = run(rows, rule=rule)[1], run(rows[:cut], rows[cut:], rule=rule)[1]
    assert whole == parts


@pytest.mark.parametrize("count", [5000])
def test_a_long_page_is_evaluated_whole(count: int) -> None:
    _, alarms = run([(10 * number, 2.0 if number % 100 < 50 else 0.1) for number in range(count)])
    assert len(alarms) == count // 100
    assert all(alarm.ended_at is not None for alarm in alarms)
