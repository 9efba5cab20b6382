import pytest

from services.alerts.lifecycle import Action, IllegalTransition, allowed, next_state
from services.alerts.lifecycle.transitions import TRANSITIONS
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
    ],
)
def test_the_life_of_an_alarm(state: str, action: str, after: str) -> None:
    assert next_state(AlarmState(state), Action(action)) == after


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


def test_every_state_can_be_left() -> None:
    for state in AlarmState:
        assert any(TRANSITIONS[state, action] is not state for action in allowed(state))
