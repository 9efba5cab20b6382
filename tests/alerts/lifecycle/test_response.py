"""From readings to alarms, without a store: what each change does to the one open alarm."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.conditions import Sample, Track
from services.alerts.lifecycle import (
    Alarm,
    Case,
    Entry,
    Hold,
    IllegalTransition,
    Subject,
    acknowledge,
    fit,
    reset,
    shelve,
    unshelve,
)
from shared.messages import AlarmState
from shared.text import BilingualText
from tests.alerts.conditions.scripts import BOUND, RULE, at
from tests.alerts.conditions.test_track import late_readings

NAME = BilingualText(zh="一号站", en="Station 1")
SUBJECT = Subject("park", "park.s01", NAME, "source", "test", datastream_id=1, property_id="chlorine", unit="mg/m3")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Story:
    """Feeds readings to a track and its changes to the alarms, as the engine does."""

    def __init__(self) -> None:
        self.track = Track(RULE, BOUND)
        self.case = Case(SUBJECT, None, 0)
        self.alarms: dict[UUID, Alarm] = {}

    def read(self, *samples: Sample) -> None:
        for sample in samples:
            _, change = self.track.offer(sample)
            if change is not None:
                self.case.respond(RULE, change, NOW)
        self.alarms |= self.case.touched

    def acknowledge(self, alarm: Alarm) -> None:
        after, entries = acknowledge(alarm, "operator", "seen", NOW + timedelta(minutes=1))
        self.alarms[after.id] = self.case.touched[after.id] = after
        self.case.open = after if after.is_open else None
        self.case.entries += entries

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.case.entries]

    @property
    def only(self) -> Alarm:
        (alarm,) = self.alarms.values()
        return alarm


def test_one_alarm_climbs_is_acknowledged_returns_and_closes() -> None:
    story = Story()
    story.read(at(0, 1.5), at(30, 2.5), at(60, 6), at(90, 9))
    assert story.actions == ["raise", "escalate", "escalate"]
    assert (story.only.colour, story.only.peak_value, story.only.state) == ("red", 9, "unacknowledged")
    story.acknowledge(story.only)
    story.read(at(120, 0.1), at(180, 0.1))
    assert story.actions[3:] == ["acknowledge", "return", "close"]
    assert story.only.state == AlarmState.NORMAL
    assert (story.only.peak_colour, story.only.acknowledged_by, story.only.comment) == ("red", "operator", "seen")
    assert story.only.returned_at is not None
    assert story.only.closed_at is not None


def test_a_second_raise_before_the_acknowledgement_is_the_same_alarm() -> None:
    story = Story()
    story.read(at(0, 1.5), at(30, 1.5), at(60, 0.1), at(120, 0.1), at(150, 3), at(180, 3))
    assert story.actions == ["raise", "return", "raise"]
    assert story.only.colour == "orange"
    assert story.only.returned_at is None


def test_after_the_end_a_raise_opens_a_new_alarm() -> None:
    story = Story()
    story.read(at(0, 1.5), at(30, 1.5))
    story.acknowledge(story.only)
    story.read(at(60, 0.1), at(120, 0.1), at(150, 3), at(180, 3))
    assert [alarm.serial for alarm in story.alarms.values()] == [1, 2]
    assert [alarm.state for alarm in story.alarms.values()] == ["normal", "unacknowledged"]


def test_worse_than_acknowledged_must_be_acknowledged_anew() -> None:
    story = Story()
    story.read(at(0, 1.5), at(30, 1.5))
    story.acknowledge(story.only)
    story.read(at(60, 7), at(90, 7))
    assert story.only.state == "unacknowledged"
    assert story.only.acknowledged_by is None


def test_a_refuted_alarm_is_withdrawn_but_not_hidden() -> None:
    story = Story()
    story.read(at(0, 1.5), at(30, 1.5), at(15, 0.2))
    assert story.actions == ["raise", "withdraw"]
    assert story.only.withdrawn
    assert story.only.state.value == "returned_unacknowledged"
    story.acknowledge(story.only)
    assert story.only.state.value == "normal"


def test_a_late_reading_moves_the_time_of_the_raise() -> None:
    story = Story()
    story.read(at(0, 1.5), at(20, 0.5), at(40, 1.5), at(80, 1.5))
    assert (story.only.raised_at - datetime.fromtimestamp(at(0, 0).time / 1e6, UTC)).total_seconds() == 80
    story.read(at(70, 1.6))
    assert story.actions == ["raise", "revise"]
    assert (story.only.raised_at - datetime.fromtimestamp(at(0, 0).time / 1e6, UTC)).total_seconds() == 70


def test_the_same_history_gives_the_same_ids() -> None:
    one, other = Story(), Story()
    for story in (one, other):
        story.read(at(0, 1.5), at(30, 2.5), at(60, 6), at(90, 9))
    assert [entry.id for entry in one.case.entries] == [entry.id for entry in other.case.entries]
    assert len({entry.id for entry in one.case.entries}) == 3


@settings(deadline=None)
@given(late_readings(), st.lists(st.integers(0, 40), max_size=4))
def test_whatever_comes_the_alarm_stands_where_the_condition_stands(
    readings: tuple[list[Sample], list[Sample]], acknowledge_at: list[int]
) -> None:
    story = Story()
    for number, sample in enumerate(readings[1]):
        story.read(sample)
        level = story.track.head.level
        open_ = story.case.open
        assert (open_ is not None and open_.active) == (level > 0)
        if open_ is not None and level:
            assert open_.colour == RULE.levels[level - 1].colour
        if number in acknowledge_at and open_ is not None and open_.state != AlarmState.ACKNOWLEDGED:
            story.acknowledge(open_)
    assert sum(alarm.is_open for alarm in story.alarms.values()) <= 1
    assert len({entry.id for entry in story.case.entries}) == len(story.case.entries)


ACTIONS = ("acknowledge", "reset", "shelve", "shelve once", "unshelve", "maintenance", "out of service", "hour")


@settings(deadline=None)
@given(
    late_readings(),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(ACTIONS)), max_size=12),
    st.builds(Hold, st.booleans(), st.booleans()),
    st.booleans(),
)
def test_whatever_operators_do_the_evaluation_goes_on(
    readings: tuple[list[Sample], list[Sample]], done: list[tuple[int, str]], hold: Hold, latching: bool
) -> None:
    rule = replace(RULE, latching=latching)
    track, now = Track(rule, BOUND), NOW
    standing: Alarm | None = None
    ids: set[UUID] = set()
    serial = 0
    for number, sample in enumerate(readings[1]):
        _, change = track.offer(sample)
        case = Case(SUBJECT, standing, serial, hold=hold)
        if change is not None:
            case.respond(rule, change, now)
        standing, serial, entries = case.open, case.serial, case.entries
        for action in (action for at_, action in done if at_ == number):
            if action == "hour":
                now += timedelta(hours=1)
            elif action == "maintenance":
                hold = replace(hold, maintenance=not hold.maintenance)
            elif action == "out of service":
                hold = replace(hold, out_of_service=not hold.out_of_service)
            elif standing is not None:
                standing, more = operate(standing, action, now)
                entries = entries + more
            if standing is not None and standing.is_open:
                standing, more = fit(standing, hold, now)
                entries = entries + more
            standing = standing if standing is not None and standing.is_open else None
        assert not ids & {entry.id for entry in entries}
        ids |= {entry.id for entry in entries}
        level = track.head.level
        assert (standing is not None and standing.active) == (level > 0)
        if standing is not None:
            if level:
                assert standing.colour == rule.levels[level - 1].colour
            waiting = standing.state.needs_acknowledgement or standing.state is AlarmState.LATCHED
            assert standing.active or standing.state.is_hidden or waiting
            assert (standing.state is AlarmState.OUT_OF_SERVICE) <= hold.out_of_service
            assert (standing.state is AlarmState.SUPPRESSED) <= hold.maintenance
            if standing.active and (hold.maintenance or hold.out_of_service):
                assert standing.state.is_hidden


def operate(alarm: Alarm, action: str, now: datetime) -> tuple[Alarm, list[Entry]]:
    """What the state does not allow changes nothing."""
    until = now + timedelta(hours=2)
    steps: dict[str, Callable[[], tuple[Alarm, list[Entry]]]] = {
        "acknowledge": lambda: acknowledge(alarm, "operator", None, now),
        "reset": lambda: reset(alarm, "operator", None, now),
        "shelve": lambda: shelve(alarm, "operator", "why", until, now),
        "shelve once": lambda: shelve(alarm, "operator", "why", until, now, once=True),
        "unshelve": lambda: unshelve(alarm, "operator", None, now),
    }
    try:
        return steps[action]()
    except IllegalTransition:
        return alarm, []
