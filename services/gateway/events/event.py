"""Events and the cursors that say how far a client has heard. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.gateway.scopes import Scope


class Kind(StrEnum):
    """What an event tells of."""

    ALARM = "alarm"
    RUN = "run"
    INCIDENT = "incident"
    FLOOD = "flood"
    NOTIFICATION = "notification"
    OBSERVATION = "observation"

    def required(self) -> Scope:
        """The scope that hearing of it takes."""
        match self:
            case Kind.OBSERVATION:
                return Scope.OBSERVATIONS_READ
            case Kind.RUN:
                return Scope.RUNS_READ
            case _:
                return Scope.ALARMS_READ


# The streams that are replayed, and what their facts are told as. Observations are not: a client asks for the latest.
REPLAYED: Mapping[str, Kind] = {
    "alarms": Kind.ALARM,
    "runs": Kind.RUN,
    "incidents": Kind.INCIDENT,
    "floods": Kind.FLOOD,
    "notifications": Kind.NOTIFICATION,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event, for every client alike; `data` is JSON without a line break."""

    kind: Kind
    park_id: str
    data: bytes
    stream: str | None = None
    position: int = 0


class Cursor:
    """How far a client has heard each replayed stream; written as `alarms:12,runs:3`."""

    def __init__(self, positions: Mapping[str, int] | None = None) -> None:
        self.positions = dict(positions or {})

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor written as `text`; raises `ValueError` for what is none."""
        positions: dict[str, int] = {}
        for part in filter(None, text.strip().split(",")):
            stream, colon, position = part.partition(":")
            if stream not in REPLAYED or not colon or not (position.isascii() and position.isdigit()):
                raise ValueError(f"{part[:40]!r} is not a place in a stream, such as alarms:12")
            positions[stream] = int(position[:18])
        return cls(positions)

    def __str__(self) -> str:
        return ",".join(f"{stream}:{self.positions[stream]}" for stream in REPLAYED if stream in self.positions)

    def is_behind(self, event: Event) -> bool:
        """Whether the event is news to the client."""
        return event.stream is None or event.position > self.positions.get(event.stream, -1)

    def pass_event(self, event: Event) -> None:
        """The client has heard the event."""
        if event.stream is not None:
            self.positions[event.stream] = max(event.position, self.positions.get(event.stream, -1))


def encode(event: Event, cursor: Cursor) -> bytes:
    """The event as it goes over the wire (WHATWG HTML, 9.2.5)."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (event.kind.encode(), str(cursor).encode(), event.data)


def encode_comment(comment: str, cursor: Cursor | None = None) -> bytes:
    """A line that no client shows, with the cursor where it is given: clients remember it without an event."""
    place = f"id: {cursor}\n" if cursor is not None and cursor.positions else ""
    return f": {comment}\n{place}\n".encode()
