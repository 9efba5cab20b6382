"""Shelved, suppressed by design, out of service: the condition goes on, and says what the alarm is afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.lifecycle import (
    Alarm,
    Evidence,
    Hold,
    IllegalTransition,
    Step,
    Subject,
    Suppressor,
    acknowledge,
    fall,
    fit,
    open_alarm,
    overshadow,
    reopen,
    reset,
    rise,
    settle,
    shelve,
    unshelve,
    withdraw,
)
from shared.levels import Colour
from shared.messages import AlarmTransition
from shared.text import BilingualText

T0 = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBJECT = Subject(
    "p",
    "p.s1",
    BilingualText(zh="一", en="1"),
    "source",
    "level.chlorine",
    datastream_id=1,
    property_id="chlorine",
    amount=True,
)


def at(minutes: float, colour: Colour = Colour.YELLOW) -> Evidence:
    return Evidence(T0 + timedelta(minutes=minutes), colour, value=2.0, peak_value=2.0, threshold=1.0)


def raised(
    *, hold: Hold | None = None, latching: bool = False, rule: str = "level.chlorine", amount: bool = True
) -> Alarm:
    return open_alarm(replace(SUBJECT, rule_id=rule, amount=amount), 1, at(0), T0, hold=hold, latching=latching)[0]


def shelved(*, once: bool = False, latching: bool = False) -> Alarm:
    return shelve(raised(latching=latching), "op", "sensor drifts", T0 + HOUR, T0, once=once)[0]


def test_under_shelving_the_condition_is_followed_and_nothing_else() -> None:
    alarm = shelved()
    assert (alarm.state, alarm.shelved_until) == ("shelved", T0 + HOUR)
    happens: list[tuple[Callable[[Alarm, Evidence, datetime], Step], Evidence]] = [
        (rise, at(1, Colour.RED)),
        (fall, at(2)),
        (settle, at(3)),
        (reopen, at(4)),
    ]
    for step, evidence in happens:
        alarm, (entry,) = step(alarm, evidence, T0)
        assert alarm.state == "shelved"
        assert entry.told_as is not None
    assert (alarm.active, alarm.peak_colour) == (True, "red")


def test_a_shelving_ends_at_its_time_and_not_before() -> None:
    alarm = shelved()
    assert fit(alarm, Hold(), T0 + HOUR - timedelta(seconds=1)) == (alarm, [])
    after, (entry,) = fit(alarm, Hold(), T0 + HOUR)
    assert (after.state, after.shelved_until) == ("unacknowledged", None)
    assert (entry.action, entry.actor, entry.told_as) == ("unshelve", None, AlarmTransition.UNSHELVED)
    assert entry.comment == "the time of the shelving is over"


def test_what_returned_under_shelving_is_closed_after_it() -> None:
    alarm = settle(shelved(), at(5), T0)[0]
    after, entries = unshelve(alarm, "op", None, T0 + timedelta(minutes=6))
    assert [entry.action for entry in entries] == ["unshelve", "close"]
    assert (after.state, after.closed_at) == ("normal", T0 + timedelta(minutes=6))


def test_what_latches_returned_under_shelving_and_has_to_be_acknowledged() -> None:
    alarm = settle(shelved(latching=True), at(5), T0)[0]
    assert unshelve(alarm, "op", None, T0)[0].state == "latched_unacknowledged"


def test_an_acknowledged_alarm_that_was_shelved_is_acknowledged_anew() -> None:
    seen = acknowledge(raised(), "op", "seen", T0)[0]
    after = unshelve(shelve(seen, "op", "why", T0 + HOUR, T0)[0], "op", None, T0)[0]
    assert (after.state, after.acknowledged_by) == ("unacknowledged", None)


@pytest.mark.parametrize("end", [settle, withdraw])
def test_a_shelving_for_one_time_ends_with_the_condition(end: Callable[[Alarm, Evidence, datetime], Step]) -> None:
    after, entries = end(shelved(once=True), at(5), T0)
    assert [entry.action for entry in entries][1:] == ["close"]
    assert (after.state, after.shelved_until, after.shelved_once) == ("normal", None, False)


def test_a_latched_alarm_is_acknowledged_and_then_reset() -> None:
    over = settle(raised(latching=True), at(5), T0)[0]
    assert over.state == "latched_unacknowledged"
    with pytest.raises(IllegalTransition):
        reset(over, "op", None, T0)
    seen = acknowledge(over, "op", None, T0)[0]
    assert (seen.state, seen.is_open) == ("latched", True)
    after, entries = reset(seen, "op", "valve closed", T0)
    assert [entry.action for entry in entries] == ["reset", "close"]
    assert after.state == "normal"


def test_what_was_withdrawn_does_not_latch() -> None:
    assert withdraw(raised(latching=True), at(5), T0)[0].state == "returned_unacknowledged"


def test_under_maintenance_a_raise_calls_nobody_and_stands_after_it() -> None:
    hold = Hold(maintenance=True, actor="op", reason="calibration")
    alarm = raised(hold=hold)
    assert (alarm.state, alarm.suppressed_by) == ("suppressed", (Suppressor.MAINTENANCE,))
    assert fit(alarm, hold, T0) == (alarm, [])
    after, (entry,) = fit(alarm, Hold(actor="op", reason="done"), T0)
    assert (after.state, entry.action, entry.actor, entry.comment) == ("unacknowledged", "unsuppress", "op", "done")


def test_several_reasons_to_hide_end_one_by_one() -> None:
    alarm = fit(shelved(), Hold(maintenance=True), T0)[0]
    assert alarm.state == "suppressed"
    alarm, entries = fit(alarm, Hold(maintenance=True, out_of_service=True), T0)
    assert (alarm.state, [entry.action for entry in entries]) == ("out_of_service", ["take_out_of_service"])
    assert fit(alarm, Hold(maintenance=True), T0)[0].state == "suppressed"
    assert fit(alarm, Hold(), T0)[0].state == "shelved"
    assert fit(alarm, Hold(), T0 + 2 * HOUR)[0].state == "unacknowledged"


def test_what_waits_to_be_acknowledged_is_not_hidden_until_it_rises_again() -> None:
    alarm = settle(raised(), at(5), T0)[0]
    hold = Hold(maintenance=True)
    alarm = fit(alarm, hold, T0)[0]
    assert alarm.state == "returned_unacknowledged"
    assert reopen(alarm, at(6), T0, hold=hold)[0].state == "suppressed"


def test_a_lower_level_is_suppressed_while_a_higher_one_stands() -> None:
    red = rise(raised(), at(1, Colour.RED), T0)[0]
    orange = rise(raised(rule="mean.chlorine"), at(1, Colour.ORANGE), T0)[0]
    yellow = raised(rule="percentile.chlorine")
    stuck = raised(rule="stuck.chlorine", amount=False)
    steps = overshadow([yellow, stuck, red, orange], T0)
    assert [(alarm.colour, alarm.state) for alarm, _ in steps] == [("orange", "suppressed"), ("yellow", "suppressed")]
    assert steps[0][1][0].detail == {
        "suppressed_by": "higher_level",
        "higher_alarm": str(red.id),
        "higher_colour": "red",
    }
    orange, yellow = (alarm for alarm, _ in steps)
    assert overshadow([red, orange, yellow], T0) == []
    over = settle(red, at(2), T0)[0]
    (step,) = overshadow([over, orange, yellow], T0)
    assert (step[0].colour, step[0].state) == ("orange", "unacknowledged")


def test_a_higher_level_that_is_hidden_hides_nothing() -> None:
    red = rise(raised(), at(1, Colour.RED), T0)[0]
    yellow = raised(rule="mean.chlorine")
    ((yellow, _),) = overshadow([red, yellow], T0)
    red = shelve(red, "op", "why", T0 + HOUR, T0)[0]
    assert [alarm.state for alarm, _ in overshadow([red, yellow], T0)] == ["unacknowledged"]
