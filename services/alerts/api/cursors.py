"""Cursors of lists in the order of time: moment and id of the last item, where it takes one a number."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.alerts.store.pages import Place
from shared import cursors

Cursor = Annotated[str | None, Query(max_length=200)]


def encode(moment: datetime, name: UUID, number: int | None = None) -> str:
    """The cursor of an item."""
    return cursors.write(moment.isoformat(), name, *([number] if number is not None else []))


def time_and_id(cursor: str | None) -> Place | None:
    """The inverse, without a number; raises `BadRequest`."""
    return cursors.read(cursor, _time_and_id) if cursor is not None else None


def time_number_and_id(cursor: str | None) -> tuple[datetime, int, UUID] | None:
    """The inverse, with a number; raises `BadRequest`."""
    return cursors.read(cursor, _time_number_and_id) if cursor is not None else None


def moment(written: str) -> datetime:
    """A time with its offset, as it stands in a cursor; raises ValueError or OverflowError."""
    found = datetime.fromisoformat(written)
    if found.tzinfo is None:
        raise ValueError(written)
    return found.astimezone(UTC)


def _time_and_id(parts: list[str]) -> Place:
    time, name = parts
    return moment(time), UUID(name)


def _time_number_and_id(parts: list[str]) -> tuple[datetime, int, UUID]:
    time, name, number = parts
    return moment(time), cursors.count(number, bits=31), UUID(name)
