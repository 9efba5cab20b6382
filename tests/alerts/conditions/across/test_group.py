"""A rule across stations over readings in any order: the edges are those of the readings in order."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import Edge, Level, LevelRule, Readings, Sample
from services.alerts.conditions.across import Group, KOfN, Member, UpwindDifference, Weather
from shared.levels import Colour

S = 1_000_000
BOUND = 900 * S
START = 1_000_000 * S
MEMBERS = tuple(Member(n, f"p.s{n}", "chlorine", 119.0, 37.1 + n / 100) for n in (1, 2, 3))
RULE = LevelRule("across.two", (Level(Colour.YELLOW, 1.0), Level(Colour.RED, 5.0)), 20 * S, 30 * S)
Reading = tuple[int, int, float]
"""Datastream, second, value."""


def two_of_three(within: int = 0) -> KOfN:
    return KOfN(MEMBERS, 2, within * S)


def difference() -> UpwindDifference:
    return UpwindDifference(MEMBERS, 45, 600 * S, 0.5, weather=Weather((9,)))


def offer(group: Group, rows: Sequence[Reading], clock: int) -> list[Edge]:
    """What is told, as a ledger: issued edges with what was withdrawn taken out."""
    found = {
        n: Readings.of(
            sorted((Sample(START + second * S, value) for m, second, value in rows if m == n), key=lambda s: s.time)
        )
        for n in {row[0] for row in rows}
    }
    change = group.take(found, START + clock * S)
    ledger: list[Edge] = []
    if change is not None:
        ledger += (edge._replace(before=edge.after, after=edge.before) for edge in change.withdrawn)
        ledger += change.issued
    return ledger


def told(ledger: list[Edge]) -> list[tuple[int, int, int]]:
    return [(edge.time // S - START // S, edge.before, edge.after) for edge in ledger]


def in_order(rows: list[Reading], group: Group | None = None) -> Group:
    group = group or Group(two_of_three(), RULE, BOUND)
    for row in sorted(rows, key=lambda row: row[1]):
        offer(group, [row], row[1])
    return group


def steady(value: float, seconds: range, members: Sequence[int] = (1, 2)) -> list[Reading]:
    return [(n, second, value) for second in seconds for n in members]


def test_two_stations_raise_it_after_its_delay_and_one_does_not() -> None:
    assert told(in_order(steady(3.0, range(0, 100, 10), (1,)) + steady(0.1, range(0, 100, 10), (2, 3))).edges) == []
    rows = steady(3.0, range(0, 100, 10)) + steady(0.1, range(100, 200, 10))
    assert told(in_order(rows).edges) == [(20, 0, 1), (130, 1, 0)]


def test_levels_are_climbed_and_the_evidence_names_who_contributed() -> None:
    group = Group(two_of_three(), RULE, BOUND)
    for second in range(0, 30, 10):
        found = {n: Readings.of([Sample(START + second * S, 6.0 + n)]) for n in (1, 2)}
        change = group.take(found, START + second * S)
    assert change is not None
    assert [(edge.before, edge.after, edge.value) for edge in change.issued] == [(0, 2, 7.0)]
    across = change.evidence[change.issued[0].time]["across"]
    assert [(one["station_id"], one["value"]) for one in across["stations"]] == [("p.s2", 8.0), ("p.s1", 7.0)]
    assert (across["kind"], across["k"], across["members"], across["present"]) == ("k_of_n", 2, 3, 2)


def test_who_falls_silent_does_not_clear_it() -> None:
    group = in_order(
        steady(3.0, range(0, 60, 10)) + steady(3.0, range(60, 890, 10), (1,)) + steady(0.1, range(60, 890, 10), (3,))
    )
    assert told(group.edges) == [(20, 0, 1)]
    in_order(steady(0.1, range(900, 950, 10)), group)
    assert told(group.edges)[-1][1:] == (1, 0)


def test_a_late_reading_refutes_what_was_raised() -> None:
    group = in_order([*steady(3.0, range(0, 40, 10)), (3, 0, 0.1)])
    assert told(group.edges) == [(20, 0, 1)]
    change = group.take({1: Readings.of([Sample(START + 15 * S, 0.1)])}, START + 50 * S)
    assert change is not None
    assert told(list(change.withdrawn)) == [(20, 0, 1)]
    assert (change.level_before, change.level_after, change.refuted_by) == (1, 0, START + 15 * S)


def test_a_station_whose_clock_leads_blinds_nobody() -> None:
    group = Group(two_of_three(), RULE, BOUND)
    for second in range(0, 60, 10):
        offer(group, [(3, second + 500, 0.1), *steady(3.0, range(second, second + 1))], second)
    assert told(group.edges)[:1] == [(20, 0, 1)]
    group.begin_anew(two_of_three(), RULE, None, None)
    for second in range(60, 120, 10):
        offer(group, [(3, second + 500, 0.1), *steady(3.0, range(second, second + 1))], second)
    assert told(group.edges)[:1] == [(80, 0, 1)]


def test_what_is_kept_is_bounded_and_settles() -> None:
    group = in_order(steady(3.0, range(0, 6000, 10)))
    assert sum(len(found) for found in group.samples.values()) < 2 * (900 + 180 + 20) / 10 + 10
    assert offer(group, [(1, 100, 0.0)], 6000) == []
    assert group.too_late == 1


def test_another_rule_goes_on_with_what_stands() -> None:
    group = in_order(steady(3.0, range(0, 60, 10)))
    higher = LevelRule("across.two", (Level(Colour.YELLOW, 2.0), Level(Colour.RED, 5.0)), 20 * S, 30 * S)
    kept = group.keep()
    group.begin_anew(two_of_three(), higher, group.standing(), group.head.peak)
    again = Group.resume(two_of_three(), higher, BOUND, kept)
    for one in (group, again):
        assert one.head.level in (0, 1)
        in_order(steady(1.0, range(60, 120, 10)), one)
    assert told(group.edges) == [(90, 1, 0)]


ROWS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 9]), st.integers(0, 800), st.sampled_from([0.1, 0.95, 1.0, 3.0, 6.0, 180.0])),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, data=st.data(), windy=st.booleans(), size=st.integers(1, 7))
def test_in_any_order_and_any_parts_the_edges_are_the_same(
    rows: list[Reading], data: st.DataObject, windy: bool, size: int
) -> None:
    condition = difference() if windy else two_of_three(30)
    rule = LevelRule("across.two", RULE.levels, 10 * S, 10 * S, max_gap=300 * S)
    expected = Group(condition, rule, BOUND)
    for row in sorted(rows, key=lambda row: row[1]):
        offer(expected, [row], 800)
    shuffled = Group(condition, rule, BOUND)
    ledger: list[tuple[int, int, int]] = []
    order = data.draw(st.permutations(rows))
    for first in range(0, len(order), size):
        part = order[first : first + size]
        for time, before, after in told(offer(shuffled, part, 800)):
            if (time, after, before) in ledger:
                ledger.remove((time, after, before))
            else:
                ledger.append((time, before, after))
        if data.draw(st.booleans()):
            shuffled = Group.resume(condition, rule, BOUND, shuffled.keep())
    assert shuffled.edges == expected.edges
    assert sorted(ledger) == sorted(told(expected.edges))
    assert shuffled.head == expected.head
