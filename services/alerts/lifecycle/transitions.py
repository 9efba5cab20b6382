"""The table of transitions. What is not in it is illegal.

States after ISA-18.2: an alarm is active or has returned, and its change has been acknowledged or not. `normal` is both
before the first raise and after the end; an alarm that came to it again is closed and a new raise opens a new one.

A hidden alarm (shelved, suppressed by design, out of service) follows its condition without changing its state. What it
is afterwards the condition says, not what it was before: an alarm that still stands has to be acknowledged anew.
"""

from collections.abc import Collection
from enum import StrEnum

from shared.messages import AlarmState


class Action(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"
    ESCALATE = "escalate"
    DEESCALATE = "deescalate"
    RETURN = "return"
    REVISE = "revise"
    """A late reading moved times or peak of what was raised."""
    WITHDRAW = "withdraw"
    """A late reading showed that the alarm should not have been raised."""
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    ASSIGN = "assign"
    COMMENT = "comment"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    """By hand, or because its time is over."""
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    RETURN_TO_SERVICE = "return_to_service"


BY_HAND = (Action.ACKNOWLEDGE, Action.RESET, Action.SHELVE, Action.UNSHELVE, Action.ASSIGN, Action.COMMENT)
"""What an operator can do to one alarm. Suppression and service are of stations and datastreams."""


class When(StrEnum):
    """Where an action leads to several states, what is true of the alarm after it decides: the first that holds."""

    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "suppressed by design"
    SHELVED = "still shelved"
    ACTIVE = "the condition stands"
    LATCHING = "over, and the rule latches"
    OTHERWISE = "otherwise"


_NORMAL = AlarmState.NORMAL
_UNACKNOWLEDGED = AlarmState.UNACKNOWLEDGED
_ACKNOWLEDGED = AlarmState.ACKNOWLEDGED
_RETURNED = AlarmState.RETURNED_UNACKNOWLEDGED
_LATCHED_UNACKNOWLEDGED = AlarmState.LATCHED_UNACKNOWLEDGED
_LATCHED = AlarmState.LATCHED
_SHELVED = AlarmState.SHELVED
_SUPPRESSED = AlarmState.SUPPRESSED
_OUT = AlarmState.OUT_OF_SERVICE

_STANDING = (_UNACKNOWLEDGED, _ACKNOWLEDGED)
_OVER = (_RETURNED, _LATCHED_UNACKNOWLEDGED, _LATCHED)
_HIDDEN = (_SHELVED, _SUPPRESSED, _OUT)
_OPEN = _STANDING + _OVER + _HIDDEN

Branches = dict[When, AlarmState]

_CONDITION: Branches = {
    When.ACTIVE: _UNACKNOWLEDGED,
    When.LATCHING: _LATCHED_UNACKNOWLEDGED,
    When.OTHERWISE: _NORMAL,
}
_RAISED: Branches = {When.OUT_OF_SERVICE: _OUT, When.SUPPRESSED: _SUPPRESSED, When.OTHERWISE: _UNACKNOWLEDGED}
_ENDED_SHELVING: Branches = {When.SHELVED: _SHELVED, When.LATCHING: _LATCHED_UNACKNOWLEDGED, When.OTHERWISE: _NORMAL}

TRANSITIONS: dict[tuple[AlarmState, Action], AlarmState | Branches] = {
    (_NORMAL, Action.RAISE): _RAISED,
    (_NORMAL, Action.COMMENT): _NORMAL,
    (_UNACKNOWLEDGED, Action.ESCALATE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.DEESCALATE): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.RETURN): {When.LATCHING: _LATCHED_UNACKNOWLEDGED, When.OTHERWISE: _RETURNED},
    (_UNACKNOWLEDGED, Action.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_UNACKNOWLEDGED, Action.WITHDRAW): _RETURNED,
    # Worse than what was acknowledged: it must be acknowledged anew.
    (_ACKNOWLEDGED, Action.ESCALATE): _UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.DEESCALATE): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Action.RETURN): {When.LATCHING: _LATCHED, When.OTHERWISE: _NORMAL},
    (_ACKNOWLEDGED, Action.WITHDRAW): _NORMAL,
    (_RETURNED, Action.RAISE): _RAISED,
    (_RETURNED, Action.ACKNOWLEDGE): _NORMAL,
    (_RETURNED, Action.WITHDRAW): _RETURNED,
    (_LATCHED_UNACKNOWLEDGED, Action.RAISE): _RAISED,
    (_LATCHED_UNACKNOWLEDGED, Action.ACKNOWLEDGE): _LATCHED,
    (_LATCHED_UNACKNOWLEDGED, Action.WITHDRAW): _RETURNED,
    (_LATCHED, Action.RAISE): _RAISED,
    (_LATCHED, Action.RESET): _NORMAL,
    (_LATCHED, Action.WITHDRAW): _NORMAL,
    # A shelving for one time is over when the condition is.
    (_SHELVED, Action.RETURN): _ENDED_SHELVING,
    (_SHELVED, Action.WITHDRAW): _ENDED_SHELVING,
    (_SHELVED, Action.UNSHELVE): _CONDITION,
    (_SHELVED, Action.SUPPRESS): _SUPPRESSED,
    (_SHELVED, Action.TAKE_OUT_OF_SERVICE): _OUT,
    (_SUPPRESSED, Action.RETURN): _SUPPRESSED,
    (_SUPPRESSED, Action.WITHDRAW): _SUPPRESSED,
    # There may be two reasons for a suppression.
    (_SUPPRESSED, Action.SUPPRESS): _SUPPRESSED,
    (_SUPPRESSED, Action.UNSUPPRESS): {When.SUPPRESSED: _SUPPRESSED, When.SHELVED: _SHELVED, **_CONDITION},
    (_SUPPRESSED, Action.TAKE_OUT_OF_SERVICE): _OUT,
    (_OUT, Action.RETURN): _OUT,
    (_OUT, Action.WITHDRAW): _OUT,
    (_OUT, Action.SUPPRESS): _OUT,
    (_OUT, Action.UNSUPPRESS): _OUT,
    (_OUT, Action.RETURN_TO_SERVICE): {When.SUPPRESSED: _SUPPRESSED, When.SHELVED: _SHELVED, **_CONDITION},
    # What has not been put in order yet is not hidden by maintenance; should it rise again, it is.
    **{(state, Action.SUPPRESS): state for state in _OVER},
    **{(state, Action.UNSUPPRESS): state for state in _OVER},
    **{(state, Action.TAKE_OUT_OF_SERVICE): state for state in _OVER},
    **{(state, Action.RETURN_TO_SERVICE): state for state in _OVER},
    **{(state, Action.SUPPRESS): _SUPPRESSED for state in _STANDING},
    **{(state, Action.TAKE_OUT_OF_SERVICE): _OUT for state in _STANDING},
    # Shelved again: with another end.
    **{(state, Action.SHELVE): _SHELVED for state in (*_STANDING, *_OVER, _SHELVED)},
    **{(state, action): state for state in _HIDDEN for action in (Action.RAISE, Action.ESCALATE, Action.DEESCALATE)},
    **{(state, action): state for state in _OPEN for action in (Action.REVISE, Action.ASSIGN, Action.COMMENT)},
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
    """The actions that `state` allows, in the order of `Action`."""
    return tuple(action for action in Action if (state, action) in TRANSITIONS)


def next_state(state: AlarmState, action: Action, holds: Collection[When] = ()) -> AlarmState:
    """Where `action` leads from `state`, where `holds` is true of the alarm after it; raises `IllegalTransition`."""
    after = TRANSITIONS.get((state, action))
    if after is None:
        raise IllegalTransition(state, action)
    if isinstance(after, AlarmState):
        return after
    return next(target for when, target in after.items() if when in holds or when is When.OTHERWISE)
