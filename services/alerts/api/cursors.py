"""Opaque cursors of lists in the order of time: moment and id of the last item, where it takes one a number."""

import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from shared.problems import BadRequest

Cursor = Annotated[str | None, Query(max_length=200)]


def encode(moment: datetime, name: UUID, number: int | None = None) -> str:
    """The cursor of an item."""
    parts = [moment.isoformat(), str(name), *([str(number)] if number is not None else [])]
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode()


def time_and_id(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The inverse, without a number; raises `BadRequest`."""
    if cursor is None:
        return None
    moment, name, *rest = _parts(cursor)
    if rest:
        raise _foreign()
    return _moment(moment), _id(name)


def time_number_and_id(cursor: str | None) -> tuple[datetime, int, UUID] | None:
    """The inverse, with a number; raises `BadRequest`."""
    if cursor is None:
        return None
    moment, name, *rest = _parts(cursor)
    if len(rest) != 1 or not (rest[0].isascii() and rest[0].isdigit() and len(rest[0]) < 10):
        raise _foreign()
    return _moment(moment), int(rest[0]), _id(name)


def _parts(cursor: str) -> list[str]:
    try:
        parts = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
    except ValueError as error:
        raise _foreign() from error
    if len(parts) < 2:
        raise _foreign()
    return parts


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise _foreign() from error
    if moment.tzinfo is None:
        raise _foreign()
    return moment


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as error:
        raise _foreign() from error


def _foreign() -> BadRequest:
    return BadRequest("cursor: not a cursor that this list gave")
