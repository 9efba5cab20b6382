"""What each measure gives, against its definition in words, one reading at a time."""

from collections.abc import Callable
from math import ceil, inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import Level, LevelRule, Measure, Readings, Sample, Track
from services.alerts.conditions.measures import (
    MOST_IN_WINDOW,
    Deviation,
    Implausible,
    Maximum,
    Mean,
    NOfM,
    Percentile,
    RateOfChange,
    Series,
    Stuck,
)
from shared.levels import Colour
from tests.alerts.conditions.scripts import BOUND, RULE, S, at, told

MAX_GAP = 180 * S
W = 120 * S


def measured(measure: Measure, *scripts: list[Sample]) -> list[list[float]]:
    """The heights that the measure gives over some datastreams at once."""
    readings = Readings.of([sample for script in scripts for sample in script])
    length = np.array([len(script) for script in scripts])
    first = np.cumsum(length) - length
    series = Series(readings, first, np.full(len(scripts), MAX_GAP), measure.lookback or 0)
    heights = measure.over(series, np.arange(len(readings))).height().tolist()
    return [heights[begin : begin + count] for begin, count in zip(first.tolist(), length.tolist(), strict=True)]


def unbroken(samples: list[Sample]) -> list[Sample]:
    """The readings at the end without a gap between them."""
    run = samples[-1:]
    for sample in reversed(samples[:-1]):
        if run[0].time - sample.time > MAX_GAP:
            break
        run.insert(0, sample)
    return run


def window(samples: list[Sample], length: int) -> list[Sample]:
    return [sample for sample in unbroken(samples) if sample.time > samples[-1].time - length]


def covered(samples: list[Sample], length: int) -> bool:
    return samples[-1].time - unbroken(samples)[0].time >= 0.75 * length


def mean(samples: list[Sample]) -> float:
    heights = [sample.height for sample in window(samples, W)]
    return sum(heights) / len(heights) if covered(samples, W) else nan


def maximum(samples: list[Sample]) -> float:
    return max(sample.height for sample in window(samples, W))


def percentile(samples: list[Sample]) -> float:
    heights = sorted(sample.height for sample in window(samples, W))
    return heights[ceil(0.9 * len(heights)) - 1] if covered(samples, W) else nan


def n_of_m(samples: list[Sample]) -> float:
    heights = sorted(sample.height for sample in unbroken(samples)[-5:])
    return heights[-3] if len(heights) >= 3 else nan


def rate(samples: list[Sample]) -> float:
    known = [sample for sample in window(samples, W) if sample.value is not None]
    newer = [sample for sample in known if sample.time > samples[-1].time - W // 2]
    older = [sample for sample in known if sample not in newer]
    if not older or not newer or not covered(samples, W):
        return nan
    rise = sum(s.value or 0 for s in newer) / len(newer) - sum(s.value or 0 for s in older) / len(older)
    return rise / (sum(s.time for s in newer) / len(newer) - sum(s.time for s in older) / len(older)) * 60 * S


def deviation(samples: list[Sample]) -> float:
    usual = sorted(sample.height for sample in window(samples, W)[:-1])
    if not usual or not covered(samples, W) or (median := usual[(len(usual) - 1) // 2]) == inf:
        return nan
    spread = sorted(abs(height - median) for height in usual)[(len(usual) - 1) // 2]
    return nan if spread == inf else (samples[-1].height - median) / max(1.4826 * spread, 0.2)


def stuck(samples: list[Sample]) -> float:
    found = 0
    for before, sample in zip(reversed(samples[:-1]), reversed(samples), strict=False):
        still = abs((sample.value or 0) - (before.value or 0)) <= 0.2
        high = min(sample.value or 0, before.value or 0) > 0.1 and not sample.over_range and not before.over_range
        if not still or not high or sample.time - before.time > MAX_GAP or before.time <= samples[-1].time - W:
            break
        found = samples[-1].time - before.time
    return found / S


def implausible(samples: list[Sample]) -> float:
    sample = samples[-1]
    return 0 if sample.over_range or sample.value is None else max(0.5 - sample.value, sample.value - 4, 0)


DEFINITIONS: list[tuple[Measure, Callable[[list[Sample]], float]]] = [
    (Mean(W), mean),
    (Maximum(W), maximum),
    (Percentile(W, 90.0), percentile),
    (NOfM(3, 5), n_of_m),
    (RateOfChange(W), rate),
    (Deviation(W, 0.2), deviation),
    (Stuck(W, 0.2, 0.1), stuck),
    (Implausible(0.5, 4.0), implausible),
]


@st.composite
def scripts(draw: st.DrawFn) -> list[Sample]:
    found, second = [], 0
    for _ in range(draw(st.integers(1, 30))):
        second += draw(st.sampled_from([1, 7, 30, 30, 60, 61, 120, 180, 181, 5000]))
        value = draw(st.sampled_from([0.0, 0.1, 1.0, 1.1, 1.25, 3.7, 9.0]))
        over_range = draw(st.integers(0, 12)) == 0
        found.append(at(second, draw(st.sampled_from([value, None])) if over_range else value, over_range=over_range))
    return found


@pytest.mark.parametrize(("measure", "definition"), DEFINITIONS, ids=lambda each: type(each).__name__)
@settings(max_examples=60, deadline=None)
@given(st.lists(scripts(), min_size=1, max_size=3))
def test_each_gives_what_its_definition_says(
    measure: Measure, definition: Callable[[list[Sample]], float], several: list[list[Sample]]
) -> None:
    expected = [[definition(script[: end + 1]) for end in range(len(script))] for script in several]
    for found, wanted in zip(measured(measure, *several), expected, strict=True):
        assert found == pytest.approx(wanted, abs=2e-6, nan_ok=True)


def under(measure: Measure, *levels: Level, on_delay: int = 0, off_delay: int = 0) -> LevelRule:
    return LevelRule("measured", levels or RULE.levels, on_delay, off_delay, measure=measure)


def every(seconds: int, count: int, value: float, begin: int = 0) -> list[Sample]:
    return [at(begin + i * seconds, value) for i in range(count)]


def test_a_mean_waits_until_its_window_is_covered() -> None:
    assert told(under(Mean(600 * S)), every(30, 40, 1.2)) == [(450, 0, 1)]


@pytest.mark.parametrize("value", [0.29, 1.45, 0.1, 38.0, 0.000711])
def test_the_mean_of_one_value_is_that_value(value: float) -> None:
    """Else a level would not be reached at its threshold."""
    assert measured(Mean(600 * S), every(7, 300, value))[0][-1] == value


def test_a_short_puff_moves_the_raw_value_but_not_the_mean() -> None:
    script = [*every(30, 20, 0.2), at(600, 9), *every(30, 20, 0.2, 630)]
    assert told(under(Mean(600 * S)), script) == []
    assert [edge[1:] for edge in told(under(Maximum(300 * S)), script)] == [(0, 3), (3, 0)]


def test_the_maximum_keeps_a_puff_for_the_window() -> None:
    script = [at(0, 0.2), at(30, 3), *every(30, 20, 0.2, 60)]
    assert told(under(Maximum(300 * S)), script) == [(30, 0, 2), (330, 2, 0)]


def test_n_of_m_raises_on_flicker_that_no_on_delay_would_prove() -> None:
    flicker = [at(i * 30, 1.2 if i % 2 else 0.2) for i in range(20)]
    assert told(RULE, flicker) == []
    assert told(under(NOfM(3, 6)), flicker) == [(150, 0, 1)]


def test_a_rise_is_told_before_the_level_is_reached() -> None:
    climbing = [at(i * 30, 0.1 + 0.05 * i) for i in range(17)]
    rising = under(RateOfChange(300 * S), Level(Colour.YELLOW, 0.09))
    assert told(rising, climbing) == [(240, 0, 1)]
    assert told(RULE, climbing) == []
    assert rising.measure.unit_of("mg/m3") == "mg/m3/min"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=20, max_size=60), st.floats(-2, 2))
def test_the_rate_of_a_straight_line_is_exact_however_it_is_sampled(gaps: list[int], slope: float) -> None:
    seconds = np.cumsum(gaps).tolist()
    rates = measured(RateOfChange(300 * S), [at(second, 500 + slope * second / 60) for second in seconds])[0]
    known = [each for each in rates if not isnan(each)]
    assert known == pytest.approx([slope] * len(known), abs=1e-5)


def test_what_is_unusual_for_a_datastream_is_told_far_below_the_levels() -> None:
    rule = under(Deviation(1800 * S, 0.01), Level(Colour.BLUE, 6))
    usual = [at(i * 30, 0.1 + 0.02 * (i % 3)) for i in range(60)]
    assert told(rule, usual) == []
    assert told(rule, [*usual, at(1800, 0.35)]) == [(1800, 0, 1)]
    noisy = [at(i * 30, 0.1 + 0.1 * (i % 3)) for i in range(60)]
    assert told(rule, [*noisy, at(1800, 0.35)]) == []
    assert rule.measure.unit_of("mg/m3") == "1"


def test_a_value_that_stands_still_is_stuck_unless_it_is_low() -> None:
    levels = (Level(Colour.BLUE, 600),)
    assert told(under(Stuck(1200 * S), *levels), every(30, 40, 0.73)) == [(600, 0, 1)]
    assert told(under(Stuck(1200 * S, above=0.8), *levels), every(30, 40, 0.73)) == []
    moving = [at(i * 30, 0.73 + 0.001 * (i % 2)) for i in range(40)]
    assert told(under(Stuck(1200 * S), *levels), moving) == []
    assert [edge[0] for edge in told(under(Stuck(1200 * S, tolerance=0.01), *levels), moving)] == [600]


def test_what_cannot_be_is_told_and_what_the_instrument_says_itself_is_not() -> None:
    rule = under(Implausible(-0.5, 100), Level(Colour.BLUE, 0.01))
    assert told(rule, [at(0, 0.2), at(30, -0.4), at(60, -3), at(90, 0.2)]) == [(60, 0, 1), (90, 1, 0)]
    assert told(rule, [at(0, 0.2), at(30, 120, over_range=True)]) == []


def test_data_that_vanish_leave_a_mean_as_it_stands() -> None:
    standing = every(30, 40, 1.2)
    rule = under(Mean(600 * S))
    assert told(rule, [*standing, at(9000, 0.1), at(9030, 0.1)]) == [(450, 0, 1)]
    assert told(rule, [*standing, *every(30, 20, 0.1, 9000)]) == [(450, 0, 1), (9450, 1, 0)]


def test_a_late_reading_changes_the_means_of_all_windows_that_it_is_in() -> None:
    rule = under(Mean(300 * S))
    track = Track(rule, BOUND)
    samples = [sample for sample in every(30, 20, 0.99) if sample.time != at(480, 0).time]
    for sample in samples:
        assert track.offer(sample)[1] is None
    _, change = track.offer(at(480, 2.9))
    assert change is not None
    assert [(edge.before, edge.after, edge.time) for edge in change.issued] == [(0, 1, at(480, 0).time)]
    assert change.refuted_by == at(480, 0).time


def test_of_very_many_readings_the_last_ones_make_the_window() -> None:
    many = [Sample(at(0, 0).time + i * 10_000, 1.2) for i in range(MOST_IN_WINDOW + 10)]
    heights = measured(Mean(3600 * S), many)[0]
    assert isnan(heights[MOST_IN_WINDOW - 2])
    assert heights[-1] == 1.2


def test_what_is_beyond_the_range_is_above_every_level() -> None:
    script = [*every(30, 20, 0.2), at(600, None, over_range=True)]
    assert measured(Mean(300 * S), script)[0][-1] == inf
    assert measured(Maximum(300 * S), script)[0][-1] == inf
    assert measured(Percentile(300 * S, 50.0), script)[0][-1] == 0.2
    assert measured(NOfM(1, 3), script)[0][-1] == inf


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Mean(0),
        lambda: Percentile(S, 0.0),
        lambda: Percentile(0, 50.0),
        lambda: NOfM(4, 3),
        lambda: Stuck(S, -1.0),
        lambda: Stuck(0),
        lambda: Deviation(S, 0.0),
        lambda: Deviation(0, 1.0),
        lambda: Implausible(2.0, 1.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], Measure]) -> None:
    with pytest.raises(ValueError, match=r"window|deviation|percentile|n of m|tolerance|plausible"):
        wrong()


def test_the_measure_is_part_of_the_rule() -> None:
    means = [under(Mean(300 * S)), under(Mean(600 * S)), under(Maximum(300 * S)), under(NOfM(1, 1))]
    assert len({rule.fingerprint() for rule in means}) == 4
