"""The evaluation over columns gives what `Track` gives for each datastream, whatever comes and in whatever order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import (
    Change,
    Columns,
    Edge,
    Level,
    LevelRule,
    Readings,
    Sample,
    Track,
    Unreadable,
    Verdict,
    evaluate,
    from_bytes,
    to_bytes,
)
from services.alerts.conditions.measures import (
    Deviation,
    Implausible,
    Maximum,
    Mean,
    NOfM,
    Percentile,
    RateOfChange,
    Stuck,
)
from services.alerts.conditions.track import MOST_KEPT
from shared.levels import Colour
from tests.alerts.conditions.scripts import BOUND, RULE, START, S, at

OWN = (Level(Colour.BLUE, 0.5, deadband=0.3), *RULE.levels[:2], Level(Colour.RED, 5.8, deadband=5.5))
QUICK = LevelRule("quick", OWN, on_delay=0, off_delay=0, deadband_fraction=0)
WARY = LevelRule("wary", RULE.levels[:1], on_delay=5 * S, off_delay=10 * S, max_gap=20 * S)
MEAN = replace(RULE, rule_id="mean", measure=Mean(90 * S), on_delay=0)
RATE = replace(WARY, rule_id="rate", measure=RateOfChange(60 * S), off_delay=0)
SOME = replace(QUICK, rule_id="some", measure=NOfM(2, 4), max_gap=100 * S)
HIGHEST = replace(RULE, rule_id="highest", measure=Maximum(40 * S), off_delay=0)
MOST = replace(QUICK, rule_id="most", measure=Percentile(120 * S, 80.0))
STILL = LevelRule("still", (Level(Colour.BLUE, 20), Level(Colour.RED, 50)), 0, 0, 0, measure=Stuck(100 * S, 0.3, 0.1))
ODD = LevelRule("odd", (Level(Colour.BLUE, 0.1),), 10 * S, 0, measure=Implausible(0.05, 4.0))
UNUSUAL = LevelRule("unusual", (Level(Colour.BLUE, 3),), 0, 5 * S, measure=Deviation(90 * S, 0.1))
SETS = [[RULE, QUICK, WARY], [MEAN, RATE, SOME], [HIGHEST, MOST, STILL], [UNUSUAL, MEAN, ODD]]
IDS = [70, 7, 700]
any_rules = st.sampled_from(SETS)

Fact = list[tuple[int, Sample]]
"""What came in one fact: (which of the datastreams, reading)."""


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Readings of three datastreams in some facts: mostly in order, some late, some repeated, some far too late."""
    clocks = [0, 0, 0]
    found: list[Fact] = []
    high = draw(st.sampled_from([0.4, 1.5, 8.0]))
    for _ in range(draw(st.integers(1, 14))):
        fact: Fact = []
        for _ in range(draw(st.integers(0, 10))):
            which = draw(st.integers(0, 2))
            back = draw(st.sampled_from([0, 0, 0, 0, 1, 15, 100, 119, 130, 400]))
            if not back:
                clocks[which] += draw(st.sampled_from([1, 2, 5, 30, 30, 61, 200]))
            value = draw(st.one_of(st.floats(0, 0.4), st.floats(0, high)))
            over_range = draw(st.integers(0, 30)) == 0
            sample = at(clocks[which] - back, None if over_range and value > 0.2 else value, over_range=over_range)
            fact.append((which, sample))
        found.append(fact)
    return found


def by_tracks(facts: list[Fact], tracks: list[Track]) -> tuple[dict[int, list[Change]], dict[int, int]]:
    changes: dict[int, list[Change]] = {}
    late: dict[int, int] = {}
    for fact in facts:
        for which, sample in sorted(fact, key=lambda reading: reading[1].time):
            verdict, change = tracks[which].offer(sample)
            if verdict is Verdict.TOO_LATE:
                late[which] = late.get(which, 0) + 1
            if change is not None:
                changes.setdefault(which, []).append(change)
    return changes, late


def rows(facts: list[Fact]) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", list[int], Readings]:
    flat = [(which, number, sample) for number, fact in enumerate(facts) for which, sample in fact]
    readings = Readings(
        np.array([sample.time for _, _, sample in flat], np.int64),
        np.array([np.nan if sample.value is None else sample.value for _, _, sample in flat], np.float64),
        np.array([sample.over_range for _, _, sample in flat], np.bool_),
    )
    return np.array([IDS[which] for which, _, _ in flat], np.int64), [number for _, number, _ in flat], readings


def by_columns(facts: list[Fact], columns: Columns) -> tuple[dict[int, list[Change]], dict[int, int]]:
    ids, number, readings = rows(facts)
    outcome = evaluate(columns, columns.find(ids), np.array(number, np.int64), readings)
    return outcome.changes, outcome.too_late


def three(rules: list[LevelRule] = SETS[0]) -> tuple[Columns, list[Track]]:
    columns = Columns(BOUND)
    columns.add(IDS, rules)
    return columns, [Track(rule, BOUND) for rule in rules]


def assert_same(columns: Columns, tracks: list[Track]) -> None:
    for slot, track in enumerate(tracks):
        assert columns.head.get(slot, len(track.rule.levels)) == track.head
        rebuilt = columns.track(slot)
        assert rebuilt.head == track.head
        assert rebuilt.samples[len(rebuilt.samples) - len(track.samples) :] == track.samples


@settings(max_examples=300, deadline=None)
@given(any_rules, facts(), st.data())
def test_columns_give_what_tracks_give_however_the_facts_are_cut(
    rules: list[LevelRule], script: list[Fact], data: st.DataObject
) -> None:
    columns, tracks = three(rules)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(script)), max_size=4)))
    for begin, end in zip([0, *cuts], [*cuts, len(script)], strict=True):
        assert by_columns(script[begin:end], columns) == by_tracks(script[begin:end], tracks)
        assert_same(columns, tracks)


@settings(max_examples=150, deadline=None)
@given(any_rules, facts(), st.data())
def test_columns_go_on_from_a_checkpoint_as_if_nothing_had_happened(
    rules: list[LevelRule], script: list[Fact], data: st.DataObject
) -> None:
    columns, tracks = three(rules)
    cut = data.draw(st.integers(0, len(script)))
    by_columns(script[:cut], columns)
    by_tracks(script[:cut], tracks)
    columns = from_bytes(to_bytes(columns), BOUND, lambda i, _: rules[IDS.index(i)])
    assert_same(columns, tracks)
    assert by_columns(script[cut:], columns) == by_tracks(script[cut:], tracks)
    assert_same(columns, tracks)


@st.composite
def walks(draw: st.DrawFn) -> list[Sample]:
    """Hundreds of readings in order of one datastream, about the levels for a while and calm for a while."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = [
        np.abs(generator.normal(mean, 0.4, 60)) for mean in draw(st.lists(st.sampled_from([0, 1.1, 6]), max_size=9))
    ]
    values = np.concatenate([np.zeros(1), *parts])
    times = np.cumsum(generator.choice([1, 2, 5, 20, 190], len(values), p=[0.5, 0.2, 0.2, 0.08, 0.02]))
    return [at(float(second), float(value)) for second, value in zip(times, values, strict=True)]


@settings(max_examples=40, deadline=None)
@given(any_rules, walks(), st.integers(1, 40))
def test_long_episodes_in_batches_of_any_size(rules: list[LevelRule], samples: list[Sample], size: int) -> None:
    columns, tracks = three(rules)
    for begin in range(0, len(samples), size):
        script: list[Fact] = [[(which, sample) for sample in samples[begin : begin + size]] for which in range(3)]
        assert by_columns(script, columns) == by_tracks(script, tracks)
        assert_same(columns, tracks)


@settings(max_examples=40, deadline=None)
@given(any_rules, walks(), st.integers(0, 2**32), st.integers(1, 60))
def test_late_within_the_bound_gives_the_edges_of_the_order(
    rules: list[LevelRule], samples: list[Sample], seed: int, size: int
) -> None:
    generator = np.random.default_rng(seed)
    arrival = np.array([sample.time for sample in samples]) + generator.integers(0, BOUND + 1, len(samples))
    shuffled = [samples[i] for i in np.argsort(arrival, kind="stable")]
    columns, tracks = three(rules)
    edges: list[list[Edge]] = [[], [], []]
    for begin in range(0, len(shuffled), size):
        script: list[Fact] = [[(w, sample) for w in range(3)] for sample in shuffled[begin : begin + size]]
        changes, late = by_columns(script, columns)
        assert not late
        for which, found in changes.items():
            for change in found:
                for edge in change.withdrawn:
                    edges[which].remove(edge)
                edges[which] += change.issued
    ordered, _ = by_tracks([[(w, sample) for w in range(3)] for sample in samples], tracks)
    for which in range(3):
        assert sorted(edges[which]) == [edge for change in ordered.get(which, []) for edge in change.issued]


def test_more_readings_at_once_than_are_kept() -> None:
    columns, tracks = three()
    script: list[Fact] = [[(0, Sample(START + i * 10_000, 1.5 if i > 6000 else 0.1)) for i in range(12_000)]]
    assert by_columns(script, columns) == by_tracks(script, tracks)
    assert columns.head.get(0, 3) == tracks[0].head
    assert len(columns.recent.of(0)) <= 2 * MOST_KEPT
    assert len(tracks[0].samples) == MOST_KEPT


def test_memory_is_bounded_by_the_bound() -> None:
    columns, _ = three()
    for second in range(2_000):
        by_columns([[(1, at(second, 0.1))]], columns)
    assert 120 <= len(columns.recent.of(1)) <= 245


@pytest.mark.parametrize("changed", [LevelRule("higher", RULE.levels[1:], 0, 0), QUICK])
def test_a_checkpoint_under_a_changed_rule_carries_the_colour_on(changed: LevelRule) -> None:
    columns, _ = three()
    by_columns([[(0, at(0, 3)), (0, at(30, 3))]], columns)
    assert columns.head.level[0] == 2
    restored = from_bytes(to_bytes(columns), BOUND, lambda i, _: changed if i == 70 else None)
    (slot,) = restored.find(np.array([70])).tolist()
    assert changed.levels[int(restored.head.level[slot]) - 1].colour == Colour.ORANGE
    assert restored.find(np.array([7])).tolist() == [-1]  # it has no rule any more
    changes, _ = by_columns([[(0, at(60, 3))]], restored)
    assert changes == {}


def test_what_is_no_checkpoint_is_refused() -> None:
    for stored in (b"", b"nonsense", to_bytes(Columns(BOUND))[:-40]):
        with pytest.raises(Unreadable):
            from_bytes(stored, BOUND, lambda *_: RULE)
