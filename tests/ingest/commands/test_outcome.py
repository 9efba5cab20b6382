from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.commands.filled import MAX_TRIES, GapState, outcome
from services.ingest.commands.lifecycle import Progress, State

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ended(state: State, *, attempts: int = 1, qn_rtn: int | None = None) -> Progress:
    return Progress(state, None, NOW, attempts=attempts, qn_rtn=qn_rtn)


@pytest.mark.parametrize(
    ("progress", "present", "state"),
    [
        (ended(State.EXECUTED), 10, GapState.FILLED),
        (ended(State.TIMED_OUT), 10, GapState.FILLED),
        (ended(State.EXECUTED), 4, GapState.PARTLY),
        (ended(State.EXECUTED), 0, GapState.UNFILLABLE),
        (ended(State.REFUSED, qn_rtn=8), 0, GapState.UNFILLABLE),
        (ended(State.REFUSED, qn_rtn=2), 3, GapState.PARTLY),
        (ended(State.REFUSED, qn_rtn=9), 0, GapState.MISSING),
        (ended(State.FAILED), 0, GapState.MISSING),
        (ended(State.TIMED_OUT, attempts=3), 0, GapState.MISSING),
    ],
)
def test_what_becomes_of_a_gap(progress: Progress, present: int, state: GapState) -> None:
    assert outcome(progress, 0, present, 10, NOW).state is state


def test_tries_come_further_and_further_apart_and_end() -> None:
    tries, pauses = 0, []
    while True:
        became = outcome(ended(State.TIMED_OUT), tries, 0, 10, NOW)
        tries = became.tries
        if became.try_at is None:
            break
        pauses.append(became.try_at - NOW)
    assert (became.state, tries) == (GapState.UNFILLABLE, MAX_TRIES)
    assert pauses == [timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8)]


def test_a_device_that_was_away_was_not_asked() -> None:
    became = outcome(ended(State.TIMED_OUT, attempts=0), 2, 0, 10, NOW)
    assert (became.state, became.tries, became.try_at) == (GapState.MISSING, 2, NOW)
