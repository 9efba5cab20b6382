"""Who is called when: step by step, and less often in a flood, but for no alarm never."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.alerts.notifications import Call, FloodRule, Plan, Policy, Step, Waiting, next_call, plan
from shared.levels import Colour

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = FloodRule()
STEPS = Policy().escalation
EVENT, OTHER = UUID(int=100), UUID(int=200)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def waiting(number: int = 1, colour: Colour = Colour.YELLOW, called: str = "", event: UUID | None = EVENT) -> Waiting:
    return Waiting(UUID(int=number), event, colour, NOON, frozenset(called.split()))


def planned(*alarms: Waiting, second: float = 0, flood: bool = False, last: float | None = None) -> Plan:
    before: dict[tuple[UUID | None, str], datetime] = {(EVENT, "operator"): at(last)} if last is not None else {}
    return plan(alarms, STEPS, RULE, before, at(second), flood=flood)


def shortly(call: Call) -> tuple[str, str, list[int]]:
    return call.role, call.colour, [one.alarm_id.int for one in call.alarms]


@pytest.mark.parametrize(
    ("second", "colour", "called", "roles", "again"),
    [
        (0, Colour.YELLOW, "", ["operator"], 300),
        (299, Colour.YELLOW, "operator", [], 300),
        (300, Colour.YELLOW, "operator", ["shift_leader"], 600),
        (900, Colour.YELLOW, "", ["operator", "shift_leader", "duty_manager"], None),
        (600, Colour.BLUE, "operator shift_leader", [], None),
        (1800, Colour.YELLOW, "operator shift_leader duty_manager", [], None),
        (1800, Colour.ORANGE, "operator shift_leader duty_manager", ["province"], None),
    ],
)
def test_step_by_step(second: float, colour: Colour, called: str, roles: list[str], again: float | None) -> None:
    found = planned(waiting(colour=colour, called=called), second=second)
    assert [call.role for call in found.calls] == roles
    assert found.again == {UUID(int=1): at(again) if again is not None else None}


@pytest.mark.parametrize(
    ("colour", "called", "role", "second"),
    [
        (Colour.YELLOW, "", "operator", 0),
        (Colour.YELLOW, "operator", "shift_leader", 300),
        (Colour.ORANGE, "operator shift_leader duty_manager", "province", 1800),
        (Colour.YELLOW, "operator shift_leader duty_manager", None, None),
    ],
)
def test_who_comes_next(colour: Colour, called: str, role: str | None, second: float | None) -> None:
    following = next_call(waiting(colour=colour, called=called), STEPS)
    assert (following and following[0].role) == role
    assert (following and following[1]) == (at(second) if second is not None else None)


def test_one_call_for_the_alarms_of_one_event_the_worst_first() -> None:
    alarms = [waiting(1), waiting(2, Colour.RED), waiting(3, event=OTHER), waiting(4, Colour.ORANGE)]
    assert [shortly(call) for call in planned(*alarms).calls] == [
        ("operator", "red", [2, 4, 1]),
        ("operator", "yellow", [3]),
    ]


def test_in_a_flood_lower_ones_wait_for_their_turn() -> None:
    found = planned(waiting(), second=10, flood=True, last=0)
    assert (found.calls, found.again) == ((), {UUID(int=1): at(60)})
    assert [shortly(call) for call in planned(waiting(), second=60, flood=True, last=0).calls] == [
        ("operator", "yellow", [1])
    ]
    assert len(planned(waiting(event=OTHER), second=10, flood=True, last=0).calls) == 1
    assert len(planned(waiting(), second=10, flood=False, last=0).calls) == 1


def test_in_a_flood_too_the_high_ones_wait_for_nobody_and_take_the_others_along() -> None:
    found = planned(waiting(1), waiting(2, Colour.ORANGE), second=10, flood=True, last=0)
    assert [shortly(call) for call in found.calls] == [("operator", "orange", [2, 1])]


ALARMS = st.lists(
    st.tuples(st.sampled_from(Colour), st.floats(0, 3600), st.sampled_from([EVENT, OTHER, None])),
    min_size=1,
    max_size=30,
)


@given(ALARMS, st.booleans())
@example([(Colour.BLUE, 0.0, EVENT), (Colour.BLUE, 0.5, EVENT), (Colour.ORANGE, 1.0, EVENT)], True)
def test_nobody_is_forgotten_and_nobody_is_called_twice(
    drawn: list[tuple[Colour, float, UUID | None]], flood: bool
) -> None:
    """Looking whenever there is something to look at, all alarms have had all of their steps in the end."""
    called: defaultdict[UUID, list[str]] = defaultdict(list)
    last: dict[tuple[UUID | None, str], datetime] = {}
    known = {UUID(int=i + 1): (colour, at(since), event) for i, (colour, since, event) in enumerate(drawn)}
    look_at: dict[UUID, datetime | None] = {name: since for name, (_, since, _) in known.items()}
    for _ in range(1000):
        times = [moment for moment in look_at.values() if moment is not None]
        if not times:
            break
        now = min(times)
        due = [name for name, moment in look_at.items() if moment is not None and moment <= now]
        found = plan(
            [Waiting(i, known[i][2], known[i][0], known[i][1], frozenset(called[i])) for i in due],
            STEPS,
            RULE,
            last,
            now,
            flood=flood,
        )
        for call in found.calls:
            last[call.incident_id, call.role] = now
            for one in call.alarms:
                late = now - one.since - timedelta(seconds=call.after_s)
                assert timedelta() <= late <= timedelta(seconds=RULE.hold_s if flood else 0)
                called[one.alarm_id].append(call.role)
        look_at |= found.again
    assert called == {
        name: [step.role for step in STEPS if colour.rank >= step.lowest.rank] for name, (colour, _, _) in known.items()
    }


@pytest.mark.parametrize(
    ("alarms", "operators", "begins", "ends"),
    [(10, 1, False, False), (11, 1, True, False), (5, 1, False, False), (4, 1, False, True), (11, 2, False, False)],
)
def test_what_a_flood_is(alarms: int, operators: int, begins: bool, ends: bool) -> None:
    rule = FloodRule(operators=operators)
    assert (rule.begins(alarms), rule.ends(alarms)) == (begins, ends)


def test_what_no_policy_can_say() -> None:
    with pytest.raises(ValidationError, match="ends_below"):
        FloodRule(begins_above=3, ends_below=4)
    twice = (Step(role="operator", after_s=0), Step(role="operator", after_s=60))
    with pytest.raises(ValidationError, match="a role can be called once"):
        Policy(escalation=twice)
