from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import Level, LevelRule, Sample
from shared.levels import Colour
from tests.alerts.conditions.scripts import RULE, S, at, told


def test_a_level_is_raised_once_it_has_stood_for_the_on_delay() -> None:
    assert told(RULE, [at(0, 0.2), at(10, 1.2), at(20, 1.3), at(39.9, 1.2)]) == []
    assert told(RULE, [at(0, 0.2), at(10, 1.2), at(20, 1.3), at(40, 1.2)]) == [(40, 0, 1)]


def test_one_reading_below_begins_the_on_delay_anew() -> None:
    assert told(RULE, [at(0, 1.2), at(20, 0.99), at(40, 1.2), at(69, 1.2), at(70, 1.2)]) == [(70, 0, 1)]


def test_the_threshold_itself_counts() -> None:
    assert told(RULE, [at(0, 1.0), at(30, 1.0)]) == [(30, 0, 1)]


def test_climbing_gas_goes_through_the_colours() -> None:
    script = [at(0, 1.5), at(30, 2.5), at(60, 6), at(90, 7)]
    assert told(RULE, script) == [(30, 0, 1), (60, 1, 2), (90, 2, 3)]


def test_a_jump_is_raised_at_its_own_level() -> None:
    assert told(RULE, [at(0, 50), at(30, 50)]) == [(30, 0, 3)]


def test_within_the_deadband_nothing_moves() -> None:
    script = [at(0, 1.2), at(30, 1.2), *(at(60 + 30 * i, 0.95) for i in range(10))]
    assert told(RULE, script) == [(30, 0, 1)]


def test_an_alarm_returns_after_the_off_delay_below_the_deadband() -> None:
    script = [at(0, 1.2), at(30, 1.2), at(60, 0.89), at(90, 0.5), at(119, 0.5), at(120, 0.5)]
    assert told(RULE, script) == [(30, 0, 1), (120, 1, 0)]


def test_a_level_may_say_its_deadband_in_its_own_unit() -> None:
    levels = (Level(Colour.YELLOW, 1.0, deadband=0.4), *RULE.levels[1:])
    rule = replace(RULE, levels=levels)
    script = [at(0, 1.2), at(30, 1.2), at(60, 0.65), at(120, 0.65), at(180, 0.59), at(240, 0.59)]
    assert told(rule, script) == [(30, 0, 1), (240, 1, 0)]
    assert told(RULE, script) == [(30, 0, 1), (120, 1, 0)]
    assert rule.fingerprint() != RULE.fingerprint()
    with pytest.raises(ValueError, match=r"deadband of yellow must be below"):
        replace(RULE, levels=(Level(Colour.YELLOW, 1.0, deadband=1.0),))


def test_falling_gas_leaves_the_levels_one_after_the_other() -> None:
    script = [at(0, 7), at(30, 7), at(60, 3), at(120, 3), at(150, 0.1), at(210, 0.1)]
    assert told(RULE, script) == [(30, 0, 3), (120, 3, 2), (210, 2, 0)]


def test_over_range_is_above_every_level_whatever_the_value() -> None:
    assert told(RULE, [at(0, None, over_range=True), at(30, 0.0, over_range=True)]) == [(30, 0, 3)]


def test_readings_that_are_not_there_prove_nothing() -> None:
    assert told(RULE, [at(0, 1.2), at(181, 1.2)]) == []
    standing = [at(0, 1.2), at(30, 1.2)]
    assert told(RULE, [*standing, at(60, 0.1), at(3600, 0.1), at(3640, 0.1)]) == [(30, 0, 1)]
    assert told(RULE, [*standing, at(60, 0.1), at(3600, 0.1), at(3660, 0.1)]) == [(30, 0, 1), (3660, 1, 0)]


def test_without_delay_one_reading_is_enough() -> None:
    rule = LevelRule("now", RULE.levels, on_delay=0, off_delay=0, deadband_fraction=0)
    assert told(rule, [at(0, 3), at(1, 0.5)]) == [(0, 0, 2), (1, 2, 0)]


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (Level(Colour.YELLOW, 2), Level(Colour.RED, 2)),
        (Level(Colour.RED, 1), Level(Colour.YELLOW, 2)),
    ],
)
def test_levels_that_do_not_climb_are_refused(levels: tuple[Level, ...]) -> None:
    with pytest.raises(ValueError, match=r"bad: .*(climb|at least one)"):
        LevelRule("bad", levels, 0, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 10)), max_size=60))
def test_no_edge_rests_on_less_than_its_delay(steps: list[tuple[int, float]]) -> None:
    """Checked against the readings themselves: over the whole delay before an edge, each one must prove it."""
    samples: list[Sample] = []
    second = 0
    for gap, value in steps:
        second += gap
        samples.append(at(second, value))
    for when, before, after in told(RULE, samples):
        rise = after > before
        delay = RULE.on_delay if rise else RULE.off_delay
        edge = at(when, None).time
        decisive = [sample for sample in samples if edge - delay <= sample.time <= edge]
        earlier = [sample for sample in samples if sample.time <= edge - delay]
        evidence = [*earlier[-1:], *decisive]
        assert evidence[0].time <= edge - delay
        for sample in evidence:
            assert sample.value is not None
            if rise:
                assert sample.value >= RULE.levels[after - 1].threshold
            else:
                assert sample.value < RULE.clear_below(before - 1)


def test_the_gap_is_part_of_the_rule() -> None:
    patient = LevelRule("slow", RULE.levels, RULE.on_delay, RULE.off_delay, 0.1, max_gap=700 * S)
    assert told(patient, [at(0, 1.2), at(600, 1.2)]) == [(600, 0, 1)]
