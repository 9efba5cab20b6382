"""Cursors of pages: where a page ended, as text that a caller passes back unchanged."""

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from shared.problems import BadRequest

_T = TypeVar("_T")
_BETWEEN = "|"


def write(*parts: object) -> str:
    """The cursor that says ``parts``, as text for a URL. No text of a part has a `|` in it."""
    return base64.urlsafe_b64encode(_BETWEEN.join(map(str, parts)).encode()).decode().rstrip("=")


def read(cursor: str, parse: Callable[[list[str]], _T]) -> _T:
    """What ``parse`` makes of the parts of a cursor, as texts; it may raise ValueError or OverflowError.

    Raises BadRequest for anything that is not ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return parse(base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(_BETWEEN))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadRequest("The cursor is not one of ours; pass on `next` of the page before, unchanged.") from error


def count(text: str, bits: int = 63) -> int:
    """A whole number from 0 on and below 2 to the power of ``bits``; raises ValueError."""
    number = int(text)
    if not 0 <= number < 1 << bits:
        raise ValueError(text)
    return number
