from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import Edge, LevelRule, Sample, Track, Verdict
from tests.alerts.conditions.scripts import BOUND, RULE, at


@st.composite
def late_readings(draw: st.DrawFn) -> tuple[list[Sample], list[Sample]]:
    """(in order, as they arrive): each reading is at most the bound behind the newest that came before it."""
    steps = draw(st.lists(st.tuples(st.integers(0, 70), st.floats(0, 8), st.booleans()), min_size=1, max_size=40))
    samples, second = [], 0
    for gap, value, over_range in steps:
        second += gap
        samples.append(at(second, value, over_range=over_range and value > 7))
    lateness = draw(st.lists(st.integers(0, BOUND), min_size=len(samples), max_size=len(samples)))
    arrival = sorted(range(len(samples)), key=lambda i: (samples[i].time + lateness[i], i))
    return samples, [samples[i] for i in arrival]


def issued_less_withdrawn(rule: LevelRule, arrivals: list[Sample]) -> list[Edge]:
    track = Track(rule, BOUND)
    edges: list[Edge] = []
    for sample in arrivals:
        verdict, change = track.offer(sample)
        assert verdict is Verdict.TAKEN
        if change is None:
            continue
        for edge in change.withdrawn:
            edges.remove(edge)
        edges += change.issued
        assert change.level_after == track.head.level
        assert edges[-1].after == change.level_after if edges else change.level_after == 0
    return sorted(edges)


def in_order(samples: list[Sample]) -> list[Edge]:
    """Readings of one time contradict each other: the higher one counts."""
    highest: dict[int, Sample] = {}
    for sample in samples:
        known = highest.get(sample.time)
        if known is None or (sample.height, sample.value or 0) > (known.height, known.value or 0):
            highest[sample.time] = sample
    return issued_less_withdrawn(RULE, [highest[time] for time in sorted(highest)])


@settings(max_examples=300, deadline=None)
@given(late_readings())
def test_late_readings_within_the_bound_give_the_alarms_of_the_order(
    readings: tuple[list[Sample], list[Sample]],
) -> None:
    samples, arrivals = readings
    assert issued_less_withdrawn(RULE, arrivals) == in_order(samples)


@settings(deadline=None)
@given(late_readings())
def test_at_no_moment_stands_a_level_on_less_than_its_on_delay(readings: tuple[list[Sample], list[Sample]]) -> None:
    _, arrivals = readings
    track = Track(RULE, BOUND)
    for sample in arrivals:
        _, change = track.offer(sample)
        for edge in change.issued if change else ():
            if edge.after > edge.before:
                assert edge.time - edge.since >= RULE.on_delay


def test_memory_is_bounded_by_the_bound() -> None:
    track = Track(RULE, BOUND)
    for second in range(10_000):
        track.offer(at(second, 0.1))
    assert len(track.samples) == 121


def test_a_reading_later_than_the_bound_is_refused() -> None:
    track = Track(RULE, BOUND)
    track.offer(at(1000, 0.1))
    assert track.offer(at(879, 9)) == (Verdict.TOO_LATE, None)
    assert track.offer(at(880, 9))[0] is Verdict.TAKEN


def test_a_late_reading_withdraws_what_it_refutes() -> None:
    track = Track(RULE, BOUND)
    track.offer(at(0, 1.5))
    _, raised = track.offer(at(30, 1.5))
    assert raised is not None
    assert [(edge.before, edge.after) for edge in raised.issued] == [(0, 1)]
    _, change = track.offer(at(15, 0.2))
    assert change is not None
    assert (change.level_before, change.level_after) == (1, 0)
    assert change.withdrawn == raised.issued
    assert change.issued == ()


def test_a_late_reading_completes_the_proof() -> None:
    track = Track(RULE, BOUND)
    track.offer(at(0, 1.5))
    assert track.offer(at(200, 1.5))[1] is None  # too wide a gap to prove anything
    _, change = track.offer(at(100, 1.5))
    assert change is not None
    assert [(edge.time, edge.after) for edge in change.issued] == [(at(100, None).time, 1)]
