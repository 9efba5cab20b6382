"""What becomes of a gap once the device was asked for it: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.ingest.commands.lifecycle import Progress, State
from shared.hj212.codes import QnRtn

MAX_TRIES = 4
FIRST_PAUSE = timedelta(minutes=30)
"""Before a device is asked again; four times as long after each further try."""
_HOPELESS = frozenset({QnRtn.REFUSED, QnRtn.BAD_CN})


class GapState(StrEnum):
    """Where a gap stands."""

    MISSING = "missing"
    ASKED = "asked"
    FILLED = "filled"
    PARTLY = "partly"
    """The device has given what it has, and that is not all."""
    UNFILLABLE = "unfillable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of a gap, and when it may be asked for again (None: not at all)."""

    state: GapState
    tries: int
    try_at: datetime | None = None


def outcome(ended: Progress, tries: int, present: int, expected: int, now: datetime) -> Outcome:
    """After a command has ended: ``present`` of ``expected`` records are there, ``tries`` were made before."""
    if present >= expected:
        return Outcome(GapState.FILLED, tries + 1)
    if ended.attempts == 0:
        # The device was away: it has not been asked at all.
        return Outcome(GapState.MISSING, tries, now)
    if ended.state is State.EXECUTED:
        return Outcome(GapState.PARTLY if present else GapState.UNFILLABLE, tries + 1)
    if ended.qn_rtn in _HOPELESS or tries + 1 >= MAX_TRIES:
        return Outcome(GapState.PARTLY if present else GapState.UNFILLABLE, tries + 1)
    return Outcome(GapState.MISSING, tries + 1, now + FIRST_PAUSE * 4**tries)
