"""The table of transitions. What is not in it is illegal.

States after ISA-18.2: an alarm is active or has returned, and its change has been acknowledged or not. `normal` is both
before the first raise and after the end; an alarm that came to it again is closed and a new raise opens a new one.
"""

from enum import StrEnum

from shared.messages import AlarmState


class Action(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"
    ESCALATE = "escalate"
    DEESCALATE = "deescalate"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    REVISE = "revise"
    """A late reading moved times or peak of what was raised."""
    WITHDRAW = "withdraw"
    """A late reading showed that the alarm should not have been raised."""


_NORMAL = AlarmState.NORMAL
_UNACKNOWLEDGED = AlarmState.UNACKNOWLEDGED
_ACKNOWLEDGED = AlarmState.ACKNOWLEDGED
_RETURNED = AlarmState.RETURNED_UNACKNOWLEDGED

TRANSITIONS: dict[tuple[AlarmState, Action], AlarmState] = {
    (_NORMAL, Action.RAISE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.ESCALATE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.DEESCALATE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.RETURN): _RETURNED,
    (_UNACKNOWLEDGED, Action.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.REVISE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.WITHDRAW): _RETURNED,
    # Worse than what was acknowledged: it must be acknowledged anew.
    (_ACKNOWLEDGED, Action.ESCALATE): _UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.DEESCALATE): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.RETURN): _NORMAL,
    (_ACKNOWLEDGED, Action.REVISE): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.WITHDRAW): _NORMAL,
    (_RETURNED, Action.RAISE): _UNACKNOWLEDGED,
    (_RETURNED, Action.ACKNOWLEDGE): _NORMAL,
    (_RETURNED, Action.REVISE): _RETURNED,
    (_RETURNED, Action.WITHDRAW): _RETURNED,
}


class IllegalTransition(Exception):
    """The state does not allow the action."""

    def __init__(self, state: AlarmState, action: Action) -> None:
        self.state = state
        self.action = action
        self.allowed = allowed(state)
        can = ", ".join(self.allowed) or "nothing"
        super().__init__(f"An alarm that is {state} cannot {action}; it can {can}.")


def allowed(state: AlarmState) -> tuple[Action, ...]:
    """The actions that `state` allows."""
    return tuple(action for (at, action) in TRANSITIONS if at is state)


def next_state(state: AlarmState, action: Action) -> AlarmState:
    """Where `action` leads from `state`; raises `IllegalTransition`."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(state, action) from None
