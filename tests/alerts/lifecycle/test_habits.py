from datetime import timedelta

from services.alerts.lifecycle import Case, Habits, acknowledge
from tests.alerts.lifecycle.test_hiding import HOUR, SUBJECT, T0, at, raised, shelved

HABITS = Habits()


def chatter(minutes: float, *, seen: bool) -> Case:
    """Raised three times, `minutes` apart, and returned in between; with `seen` each is an alarm of its own."""
    case = Case(SUBJECT, None, 0)
    for number in range(3):
        case.move(0, 1, at(number * minutes), T0)
        if seen and case.open is not None:
            case.open = acknowledge(case.open, "op", None, T0)[0]
        if number < 2:
            case.move(1, 0, at((number + 0.5) * minutes), T0)
    return case


def test_three_raises_within_a_minute_are_chattering() -> None:
    for seen in (False, True):
        case = chatter(0.5, seen=seen)
        assert case.open is not None
        assert case.serial == (3 if seen else 1)
        assert case.open.chattering
        raises = [entry for entry in case.entries if entry.action == "raise"]
        assert [entry.chattering for entry in raises] == [False, False, True]
        assert raises[-1].detail == {"chattering_since": T0.isoformat()}


def test_slower_ones_are_not_and_what_rests_is_not_any_more() -> None:
    assert [alarm.chattering for alarm in chatter(0.6, seen=False).touched.values()] == [False]
    case = chatter(0.5, seen=False)
    case.move(1, 0, at(2), T0)
    case.move(0, 1, at(60), T0)
    assert case.open is not None
    assert not case.open.chattering


def test_the_definition_can_be_configured() -> None:
    patient = Habits(chattering_raises=2, chattering_within=timedelta(hours=1))
    case = Case(SUBJECT, None, 0, habits=patient)
    for number in range(2):
        case.move(0, 1, at(20 * number), T0)
        case.move(1, 0, at(20 * number + 10), T0)
    assert [alarm.chattering for alarm in case.touched.values()] == [True]


def test_what_stands_for_a_day_is_stale() -> None:
    alarm = raised()
    assert not HABITS.is_stale(alarm, T0 + 24 * HOUR - timedelta(seconds=1))
    assert HABITS.is_stale(alarm, T0 + 24 * HOUR)
    assert not HABITS.is_stale(shelved(), T0 + 24 * HOUR)
