import pytest

from services.alerts.lifecycle import Action, IllegalTransition, allowed, next_state
from services.alerts.lifecycle.transitions import BY_HAND, TRANSITIONS, When
from shared.messages import AlarmState


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("normal", "raise", "unacknowledged"),
        ("unacknowledged", "acknowledge", "acknowledged"),
        ("acknowledged", "return", "normal"),
        ("unacknowledged", "return", "returned_unacknowledged"),
        ("returned_unacknowledged", "acknowledge", "normal"),
        ("returned_unacknowledged", "raise", "unacknowledged"),
        ("acknowledged", "escalate", "unacknowledged"),
        ("acknowledged", "deescalate", "acknowledged"),
        ("latched_unacknowledged", "acknowledge", "latched"),
        ("latched", "reset", "normal"),
        ("latched", "raise", "unacknowledged"),
        ("acknowledged", "shelve", "shelved"),
        ("shelved", "escalate", "shelved"),
        ("shelved", "raise", "shelved"),
        ("unacknowledged", "suppress", "suppressed"),
        ("returned_unacknowledged", "suppress", "returned_unacknowledged"),
        ("suppressed", "return", "suppressed"),
        ("shelved", "take_out_of_service", "out_of_service"),
        ("out_of_service", "unsuppress", "out_of_service"),
    ],
)
def test_the_life_of_an_alarm(state: str, action: str, after: str) -> None:
    assert next_state(AlarmState(state), Action(action)) == after


@pytest.mark.parametrize(
    ("state", "action", "holds", "after"),
    [
        ("normal", "raise", {When.OUT_OF_SERVICE, When.SUPPRESSED, When.ACTIVE}, "out_of_service"),
        ("normal", "raise", {When.SUPPRESSED, When.ACTIVE}, "suppressed"),
        ("unacknowledged", "return", {When.LATCHING}, "latched_unacknowledged"),
        ("acknowledged", "return", {When.LATCHING}, "latched"),
        ("shelved", "unshelve", {When.ACTIVE}, "unacknowledged"),
        ("shelved", "unshelve", {When.LATCHING}, "latched_unacknowledged"),
        ("shelved", "unshelve", set(), "normal"),
        ("shelved", "return", {When.SHELVED}, "shelved"),
        ("shelved", "return", set(), "normal"),
        ("suppressed", "unsuppress", {When.SUPPRESSED, When.ACTIVE}, "suppressed"),
        ("suppressed", "unsuppress", {When.SHELVED, When.ACTIVE}, "shelved"),
        ("suppressed", "unsuppress", {When.ACTIVE}, "unacknowledged"),
        ("out_of_service", "return_to_service", {When.SUPPRESSED, When.SHELVED, When.ACTIVE}, "suppressed"),
        ("out_of_service", "return_to_service", set(), "normal"),
    ],
)
def test_what_holds_decides_where_the_state_alone_does_not(
    state: str, action: str, holds: set[When], after: str
) -> None:
    assert next_state(AlarmState(state), Action(action), holds) == after


def test_what_is_not_in_the_table_is_refused_with_what_is_allowed() -> None:
    legal = set(TRANSITIONS)
    for state in AlarmState:
        for action in Action:
            if (state, action) in legal:
                continue
            with pytest.raises(IllegalTransition, match=f"is {state} cannot {action}") as refused:
                next_state(state, action)
            assert refused.value.allowed == allowed(state)
            assert action not in refused.value.allowed


def test_every_state_can_be_left_and_reached() -> None:
    leads = {
        key: {after} if isinstance(after, AlarmState) else set(after.values()) for key, after in TRANSITIONS.items()
    }
    for state in AlarmState:
        assert any(leads[state, action] - {state} for action in allowed(state))
        assert any(state in after for (before, _), after in leads.items() if before is not state)


def test_whoever_branches_has_a_way_out() -> None:
    branches = [after for after in TRANSITIONS.values() if not isinstance(after, AlarmState)]
    assert branches
    assert all(list(after)[-1] is When.OTHERWISE for after in branches)


def test_whatever_happens_to_the_condition_an_open_alarm_can_follow() -> None:
    for state in AlarmState:
        if state is AlarmState.NORMAL:
            continue
        assert {Action.REVISE, Action.WITHDRAW} <= set(allowed(state))
        if state.is_hidden:
            assert {Action.RAISE, Action.ESCALATE, Action.DEESCALATE, Action.RETURN} <= set(allowed(state))


def test_nobody_acknowledges_or_resets_what_is_hidden() -> None:
    by_hand = {state: set(allowed(state)) & set(BY_HAND) for state in AlarmState}
    assert by_hand[AlarmState.SHELVED] == {Action.SHELVE, Action.UNSHELVE, Action.ASSIGN, Action.COMMENT}
    assert by_hand[AlarmState.SUPPRESSED] == by_hand[AlarmState.OUT_OF_SERVICE] == {Action.ASSIGN, Action.COMMENT}
    assert Action.RESET not in by_hand[AlarmState.LATCHED_UNACKNOWLEDGED]
