"""Cursors of lists in the order of time."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from services.alerts.api.cursors import encode, time_and_id, time_number_and_id
from shared import cursors
from shared.problems import BadRequest

AT = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
NAME = UUID(int=7)


def test_what_is_written_is_read() -> None:
    assert time_and_id(encode(AT, NAME)) == (AT, NAME)
    assert time_number_and_id(encode(AT, NAME, 3)) == (AT, 3, NAME)
    assert time_and_id(encode(AT.astimezone(timezone(timedelta(hours=8))), NAME)) == (AT, NAME)
    assert (time_and_id(None), time_number_and_id(None)) == (None, None)


@pytest.mark.parametrize(
    "parts",
    [
        (AT.isoformat(),),
        (AT.isoformat(), "x"),
        (AT.isoformat(), NAME, 3),
        ("2026-03-01T08:00:00", NAME),
        ("0001-01-01T00:00:00+08:00", NAME),
    ],
    ids=["short", "no_id", "long", "no_offset", "before_the_first_year"],
)
def test_a_cursor_of_something_else_is_refused(parts: tuple[object, ...]) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        time_and_id(cursors.write(*parts))


@pytest.mark.parametrize("number", ["-1", "x", str(2**31)])
def test_numbers_are_those_of_the_database(number: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        time_number_and_id(cursors.write(AT.isoformat(), NAME, number))
