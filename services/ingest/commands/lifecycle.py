"""The life of a command, from the request to the device's last answer: a pure state machine.

::

    requested ──► sent ──9011──► confirmed ──data──► executing ──9012──► executed | failed
        ▲          │ │               └──────────────9012────────────────────▲
        └──again───┘ └─9011: no──► refused

``timed_out`` is reached from every open state: nobody connected to send it to, no answer in all tries, or no result.
A device that tells its result though it was given up is believed: it has done what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.hj212.codes import ExeRtn, QnRtn

MAX_ANSWER_FIELDS = 20
MAX_ANSWER_TEXT = 200


class State(StrEnum):
    """Where a command stands."""

    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"


ON_THE_WAY = frozenset({State.SENT, State.CONFIRMED, State.EXECUTING})
"""The device has it, or may have it: it gets no other before this one has ended."""
OPEN = frozenset({State.REQUESTED, *ON_THE_WAY})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each step may take.

    ``over_time`` and ``tries`` are OverTime and ReCount of the standard (HJ 212-2017, 6.2: 5 s by wire, 10 s by mobile
    networks, three times). ``execution`` counts anew from every record that comes.
    """

    over_time: timedelta
    tries: int
    execution: timedelta
    connection: timedelta


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come. ``due_at`` is when its next time-out strikes, None once it has ended."""

    state: State
    due_at: datetime | None
    expires_at: datetime
    attempts: int = 0
    records: int = 0
    qn_rtn: int | None = None
    exe_rtn: int | None = None
    answer: Mapping[str, str] = field(default_factory=dict)
    detail: str | None = None

    @property
    def open(self) -> bool:
        """Whether something is still to come."""
        return self.state in OPEN


def requested(now: datetime, patience: Patience) -> Progress:
    """A new command: it waits for its device to be connected."""
    expires = now + patience.connection
    return Progress(State.REQUESTED, expires, expires)


def sent(progress: Progress, now: datetime, patience: Patience) -> Progress:
    """It goes out, for the first time or again."""
    if progress.state is not State.REQUESTED:
        return progress
    return replace(progress, state=State.SENT, attempts=progress.attempts + 1, due_at=now + patience.over_time)


def confirmed(progress: Progress, result: int | None, now: datetime, patience: Patience) -> Progress:
    """The device has answered the request (9011) with this QnRtn; None where it could not be read."""
    if progress.state not in (State.REQUESTED, State.SENT):
        return progress
    if result == QnRtn.READY:
        return replace(progress, state=State.CONFIRMED, qn_rtn=result, due_at=now + patience.execution)
    return replace(progress, state=State.REFUSED, qn_rtn=result, due_at=None, detail=_name(QnRtn, result))


def told(progress: Progress, records: int, answer: Mapping[str, str], now: datetime, patience: Patience) -> Progress:
    """The device sends what was asked for: records of its history, or the values of a setting."""
    if not progress.open or progress.attempts == 0:
        return progress
    return replace(
        progress,
        state=State.EXECUTING,
        records=progress.records + records,
        answer={**progress.answer, **bounded(answer)},
        due_at=now + patience.execution,
    )


def executed(progress: Progress, result: int | None) -> Progress:
    """The device has told the result (9012), this ExeRtn. No data (100) is a result, not a failure."""
    if progress.attempts == 0 or not (progress.open or progress.state is State.TIMED_OUT):
        return progress
    if result in (ExeRtn.DONE, ExeRtn.NO_DATA):
        detail = None if result == ExeRtn.DONE else _name(ExeRtn, result)
        return replace(progress, state=State.EXECUTED, exe_rtn=result, due_at=None, detail=detail)
    return replace(progress, state=State.FAILED, exe_rtn=result, due_at=None, detail=_name(ExeRtn, result))


def noticed(progress: Progress) -> Progress:
    """The device has taken a notice (9013): all that ever comes of it."""
    return replace(progress, state=State.EXECUTED, due_at=None) if progress.state is State.SENT else progress


def overdue(progress: Progress, now: datetime, patience: Patience) -> Progress:
    """What becomes of it when its time-out strikes; unchanged before that."""
    if progress.due_at is None or now < progress.due_at:
        return progress
    match progress.state:
        case State.REQUESTED if progress.attempts == 0:
            detail = "The device was not connected in time."
        case State.REQUESTED:
            detail = "The device did not answer, and was not connected for another try."
        case State.SENT if progress.attempts < patience.tries and now < progress.expires_at:
            return replace(progress, state=State.REQUESTED, due_at=progress.expires_at)
        case State.SENT:
            detail = f"The device did not answer in {progress.attempts} tries."
        case _:
            detail = "The device took the command and did not tell its result."
    return replace(progress, state=State.TIMED_OUT, due_at=None, detail=detail)


def bounded(answer: Mapping[str, str]) -> dict[str, str]:
    """The part of an answer that is kept."""
    some = list(answer.items())[:MAX_ANSWER_FIELDS]
    return {_storable(name): _storable(value) for name, value in some}


def _storable(text: str) -> str:
    return text[:MAX_ANSWER_TEXT].replace("\x00", "")


def _name(table: type[QnRtn] | type[ExeRtn], result: int | None) -> str:
    try:
        return table(result).name.lower() if result is not None else "unreadable"
    except ValueError:
        return "not_in_the_standard"
