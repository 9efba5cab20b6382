"""The skew of a clock is told from steady messages, and from nothing else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.meaning.clock import DeviceClock

T0 = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT = timedelta(minutes=5)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def watch(clock: DeviceClock, skew_s: float, *, count: int = 10, start_s: float = 0, delay_s: float = 0.2) -> None:
    """A device that sends every 30 s."""
    for step in range(count):
        sent = T0 + seconds(start_s + 30 * step)
        clock.observe(sent + seconds(skew_s), sent + seconds(delay_s))


def test_a_steady_lead_and_a_steady_lag() -> None:
    for skew in (400.0, -400.0, 3.0):
        clock = DeviceClock()
        watch(clock, skew)
        assert clock.skew == seconds(skew - 0.2)
        assert clock.is_beyond(LIMIT) == (abs(skew) > 300)
        assert clock.updated == T0 + seconds(270.2)


def test_one_message_or_a_burst_tells_nothing() -> None:
    clock = DeviceClock()
    for step in range(100):
        clock.observe(T0 - seconds(400), T0 + seconds(step * 0.2))
    assert clock.skew is None


def test_a_backlog_sent_at_once_is_no_slow_clock() -> None:
    clock = DeviceClock()
    # Two hours of readings with the times at which they should have been sent, ten times as fast as they were made.
    for step in range(240):
        clock.observe(T0 + seconds(30 * step), T0 + seconds(7200 + 3 * step))
    assert clock.skew is None


def test_a_backlog_leaves_what_is_known() -> None:
    clock = DeviceClock()
    watch(clock, 2.0)
    for step in range(240):
        clock.observe(T0 + seconds(300 + 30 * step), T0 + seconds(7500 + 3 * step))
    assert clock.skew == seconds(1.8)


def test_a_clock_that_was_set_is_believed_again() -> None:
    clock = DeviceClock()
    watch(clock, -3600.0)
    assert clock.is_beyond(LIMIT)
    watch(clock, 0.5, start_s=600)
    assert not clock.is_beyond(LIMIT)


@given(st.lists(st.floats(0, 9), min_size=5, max_size=30), st.floats(-5000, 5000))
def test_the_message_with_the_least_delay_counts(delays: list[float], skew: float) -> None:
    clock = DeviceClock()
    for step, delay in enumerate(delays):
        sent = T0 + seconds(30 * step)
        clock.observe(sent + seconds(skew), sent + seconds(delay))
    assert clock.skew is not None
    assert abs(clock.skew - seconds(skew - min(delays))) < seconds(0.001)
