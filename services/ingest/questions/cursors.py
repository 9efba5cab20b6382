"""The cursor of the change feed: how far a reader has come in each stream of facts."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from shared.problems import BadRequest

_FORM = "1"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """All facts up to ``position`` are read, and of the next one the first ``taken`` observations."""

    position: int
    taken: int = 0


def write(places: Mapping[str, Place]) -> str:
    """The cursor as text for a URL."""
    parts = [f"{stream}:{place.position}:{place.taken}" for stream, place in sorted(places.items())]
    return base64.urlsafe_b64encode("|".join([_FORM, *parts]).encode()).decode().rstrip("=")


def read(cursor: str) -> dict[str, Place]:
    """The inverse of ``write``; raises BadRequest."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        form, *parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split("|")
        if form != _FORM:
            raise ValueError(form)
        places = {}
        for part in parts:
            stream, position, taken = part.split(":")
            places[stream] = Place(_count(position), _count(taken))
    except (ValueError, binascii.Error) as error:
        raise BadRequest("The cursor is not one of ours; pass on `next` of the page before, unchanged.") from error
    return places


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(text)
    return number
