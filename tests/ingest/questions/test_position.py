import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.questions.position import Position
from shared.problems import BadRequest

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_cursor_says_all_that_was_asked() -> None:
    position = Position.begin("minute", START, START + timedelta(microseconds=1)).at(7, START + timedelta(days=1))
    assert Position.read(position.cursor) == position


@pytest.mark.parametrize(
    "inner",
    ["", "raw|1|2|3", "week|1|2|3|4", "raw|1|2|3|-4", "raw|1|2|3|99999999999", "raw|x|2|3|4", f"raw|{10**30}|2|3|4"],
)
def test_what_is_no_cursor_is_refused(inner: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        Position.read(base64.urlsafe_b64encode(inner.encode()).decode())


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Position.read(text)
