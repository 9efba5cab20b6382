from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.commands import lifecycle
from services.ingest.commands.lifecycle import OPEN, Patience, Progress, State

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE = Patience(
    over_time=timedelta(seconds=10), tries=3, execution=timedelta(seconds=60), connection=timedelta(hours=1)
)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def sent() -> Progress:
    return lifecycle.sent(lifecycle.requested(NOW, PATIENCE), NOW, PATIENCE)


def test_from_request_to_result() -> None:
    progress = lifecycle.confirmed(sent(), 1, at(1), PATIENCE)
    assert (progress.state, progress.due_at) == (State.CONFIRMED, at(61))
    progress = lifecycle.told(progress, 5, {}, at(30), PATIENCE)
    progress = lifecycle.told(progress, 2, {}, at(50), PATIENCE)
    assert (progress.state, progress.records, progress.due_at) == (State.EXECUTING, 7, at(110))
    progress = lifecycle.executed(progress, 1)
    assert (progress.state, progress.due_at, progress.detail) == (State.EXECUTED, None, None)


@pytest.mark.parametrize(
    ("result", "state", "detail"),
    [
        (1, State.EXECUTED, None),
        (100, State.EXECUTED, "no_data"),
        (5, State.FAILED, "busy"),
        (77, State.FAILED, "not_in_the_standard"),
        (None, State.FAILED, "unreadable"),
    ],
)
def test_results(result: int | None, state: State, detail: str | None) -> None:
    progress = lifecycle.executed(sent(), result)
    assert (progress.state, progress.detail, progress.exe_rtn) == (state, detail, result)


@pytest.mark.parametrize(("result", "detail"), [(2, "refused"), (3, "bad_pw"), (8, "bad_cn"), (None, "unreadable")])
def test_refusals(result: int | None, detail: str) -> None:
    progress = lifecycle.confirmed(sent(), result, at(1), PATIENCE)
    assert (progress.state, progress.detail) == (State.REFUSED, detail)


def test_it_goes_out_as_often_as_the_standard_says_and_then_ends() -> None:
    progress = lifecycle.requested(NOW, PATIENCE)
    for attempt in range(1, 4):
        progress = lifecycle.sent(progress, at(attempt * 10), PATIENCE)
        assert (progress.state, progress.attempts) == (State.SENT, attempt)
        assert lifecycle.overdue(progress, at(attempt * 10 + 9.9), PATIENCE) == progress
        progress = lifecycle.overdue(progress, at(attempt * 10 + 10), PATIENCE)
    assert (progress.state, progress.detail) == (State.TIMED_OUT, "The device did not answer in 3 tries.")


def test_a_device_that_is_not_connected() -> None:
    progress = lifecycle.requested(NOW, PATIENCE)
    assert lifecycle.overdue(progress, at(3599), PATIENCE) == progress
    ended = lifecycle.overdue(progress, at(3600), PATIENCE)
    assert (ended.state, ended.detail) == (State.TIMED_OUT, "The device was not connected in time.")


def test_a_late_result_is_believed_and_a_result_of_what_never_went_out_is_not() -> None:
    given_up = lifecycle.overdue(lifecycle.confirmed(sent(), 1, at(1), PATIENCE), at(100), PATIENCE)
    assert given_up.state is State.TIMED_OUT
    assert lifecycle.executed(given_up, 1).state is State.EXECUTED
    waiting = lifecycle.requested(NOW, PATIENCE)
    assert lifecycle.executed(waiting, 1) == waiting


def test_notices_end_with_their_answer() -> None:
    assert lifecycle.noticed(sent()).state is State.EXECUTED


def test_answers_are_kept_within_bounds() -> None:
    many = {f"field\x00{number}": "x\x00" * 1000 for number in range(100)}
    progress = lifecycle.told(sent(), 0, many, NOW, PATIENCE)
    assert len(progress.answer) == lifecycle.MAX_ANSWER_FIELDS
    assert max(len(value) for value in progress.answer.values()) <= lifecycle.MAX_ANSWER_TEXT
    assert "\x00" not in str(progress.answer)
    assert "\\x00" not in repr(progress.answer)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["sent", "confirmed", "refused", "told", "executed", "noticed", "overdue"]),
        st.integers(0, 3000),
    ),
    max_size=30,
)


@given(EVENTS)
def test_any_order_of_events_ends(events: list[tuple[str, int]]) -> None:
    progress, now = lifecycle.requested(NOW, PATIENCE), NOW
    for name, seconds in events:
        now += timedelta(seconds=seconds)
        before = progress
        match name:
            case "sent":
                progress = lifecycle.sent(progress, now, PATIENCE)
            case "confirmed" | "refused":
                progress = lifecycle.confirmed(progress, 1 if name == "confirmed" else 2, now, PATIENCE)
            case "told":
                progress = lifecycle.told(progress, 1, {}, now, PATIENCE)
            case "executed":
                progress = lifecycle.executed(progress, 1)
            case "noticed":
                progress = lifecycle.noticed(progress)
            case _:
                progress = lifecycle.overdue(progress, now, PATIENCE)
        assert (progress.due_at is not None) == (progress.state in OPEN)
        if before.state in (State.EXECUTED, State.FAILED, State.REFUSED):
            assert progress == before
        assert progress.attempts <= PATIENCE.tries
    for _ in range(2 * PATIENCE.tries):
        now += timedelta(days=1)
        progress = lifecycle.overdue(progress, now, PATIENCE)
    assert not progress.open
