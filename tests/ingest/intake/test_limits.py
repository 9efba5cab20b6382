import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.intake import limits
from services.ingest.intake.limits import CallerLimits


def test_a_burst_then_the_rate() -> None:
    callers = CallerLimits(100.0, 1000)
    assert callers.wait_s("a", 1000, 0.0) == 0
    assert callers.wait_s("a", 50, 0.0) == pytest.approx(0.5)
    assert callers.wait_s("b", 1000, 0.0) == 0, "callers do not pay for each other"
    assert callers.wait_s("a", 50, 0.5) == 0
    assert callers.wait_s("a", 1, 0.5) > 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 1000)), max_size=50))
def test_no_more_than_burst_and_rate_let_in(asked: list[tuple[float, int]]) -> None:
    callers = CallerLimits(100.0, 1000)
    now, taken = 0.0, 0
    for pause, rows in asked:
        now += pause
        wait = callers.wait_s("a", rows, now)
        if wait:
            assert callers.wait_s("a", rows, now + wait + 1e-6) == 0, "after the wait that was told it is let in"
            now += wait + 1e-6
        taken += rows
        assert taken <= 1000 + 100 * now + 1


def test_callers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 10)
    callers = CallerLimits(100.0, 1000)
    for number in range(100):
        callers.wait_s(str(number), 1000, 0.0)
    assert len(callers._buckets) == 10
    callers.wait_s("last", 1, 100.0)
    assert len(callers._buckets) == 1
