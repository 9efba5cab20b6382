import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.stations.parts import MAX_OPEN, PATIENCE, Outcome, Parts
from shared.hj212.segment import Segment, parse

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def part(number: int, count: int, cn: str = "2061") -> Segment:
    return parse(f"QN=1;ST=22;CN={cn};PW=1;MN=A1;Flag=7;PNUM={count};PNO={number};CP=&&&&".encode())


@given(st.integers(2, 40), st.randoms(use_true_random=False))
def test_a_message_is_complete_once_with_its_last_part_in_any_order(count: int, chance: random.Random) -> None:
    parts = Parts()
    order = [*range(1, count + 1), *(chance.randint(1, count) for _ in range(5))]
    chance.shuffle(order)
    seen: set[int] = set()
    complete = 0
    for number in order:
        before = len(seen)
        seen.add(number)
        outcome = parts.take("A1", part(number, count), "t", NOW)
        assert outcome.lost == ()
        complete += outcome.complete
        if outcome.complete:
            assert len(seen) == count
            assert before == count - 1
            break
    assert complete == 1
    assert parts.end() == ()


def test_messages_are_told_apart_by_device_command_and_time() -> None:
    parts = Parts()
    for mn, cn, at in (("A1", "2061", "t"), ("A2", "2061", "t"), ("A1", "2051", "t"), ("A1", "2061", "u")):
        assert not parts.take(mn, part(1, 2, cn), at, NOW).complete
    assert parts.take("A2", part(2, 2), "t", NOW) == Outcome(complete=True)
    assert parts.end() == ("A1", "A1", "A1")


@pytest.mark.parametrize(("number", "count"), [(0, 2), (3, 2), (1, 1), (1, 100_000), (1, 0)])
def test_senseless_numbers_are_no_parts(number: int, count: int) -> None:
    parts = Parts()
    assert parts.take("A1", part(number, count), "t", NOW) == Outcome()
    assert parts.end() == ()


def test_what_does_not_come_is_given_up() -> None:
    parts = Parts()
    parts.take("A1", part(1, 2), "t", NOW)
    outcome = parts.take("A2", part(1, 2), "t", NOW + PATIENCE + timedelta(seconds=1))
    assert outcome == Outcome(lost=("A1",))


def test_endless_first_parts_are_bounded() -> None:
    parts = Parts()
    lost = [parts.take("A1", part(1, 2), str(number), NOW).lost for number in range(1000)]
    assert sum(map(len, lost)) == 1000 - MAX_OPEN
    assert len(parts.end()) == MAX_OPEN


def test_a_count_that_changes_begins_anew() -> None:
    parts = Parts()
    parts.take("A1", part(1, 3), "t", NOW)
    assert parts.take("A1", part(1, 2), "t", NOW).lost == ("A1",)
    assert parts.take("A1", part(2, 2), "t", NOW).complete
