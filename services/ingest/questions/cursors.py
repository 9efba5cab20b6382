"""The cursor of the change feed: how far a reader has come in each stream of facts."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared import cursors

_FORM = "1"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """All facts up to ``position`` are read, and of the next one the first ``taken`` observations."""

    position: int
    taken: int = 0


def write(places: Mapping[str, Place]) -> str:
    """The cursor as text for a URL."""
    return cursors.write(
        _FORM, *(f"{stream}:{place.position}:{place.taken}" for stream, place in sorted(places.items()))
    )


def read(cursor: str) -> dict[str, Place]:
    """The inverse of ``write``; raises BadRequest."""
    return cursors.read(cursor, _places)


def _places(parts: list[str]) -> dict[str, Place]:
    form, *told = parts
    if form != _FORM:
        raise ValueError(form)
    places = {}
    for part in told:
        stream, position, taken = part.split(":")
        places[stream] = Place(cursors.count(position), cursors.count(taken))
    return places
