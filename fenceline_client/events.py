"""Live events as they come over the wire (WHATWG HTML, 9.2.6). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from fenceline_client.errors import NotUnderstood
from fenceline_client.models import AlarmChanged, RunChanged
from fenceline_client.operations import API

PATH = f"{API}/events"
SILENCE_S = 45.0
"""Fenceline gives a sign of life every 10 s; a stream that is silent for longer than this is dead."""
LONGEST_LINE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Event:
    """One event. With `id` a later stream goes on after it; an event can come twice."""

    kind: str
    id: str
    data: dict[str, Any]

    @property
    def park_id(self) -> str | None:
        """The park that it is about."""
        return self.data.get("park_id")

    def alarm(self) -> AlarmChanged | None:
        """Its data where it is an alarm's."""
        return AlarmChanged.model_validate(self.data) if self.kind == "alarm" else None

    def run(self) -> RunChanged | None:
        """Its data where it is a run's."""
        return RunChanged.model_validate(self.data) if self.kind == "run" else None


def wanted(parks: Sequence[str], kinds: Sequence[str]) -> httpx.QueryParams:
    """The query of a stream: only these parks and kinds; none: all that the key may hear."""
    return httpx.QueryParams({"park_id": list(parks), "kind": list(kinds)})


@dataclass(slots=True)
class EventReader:
    """Takes what a stream brings and gives its events. `last_id` is where the stream that comes after it goes on.

    Lines end with LF or CRLF, as Fenceline's do, and with nothing else: JSON may hold other breaks, such as U+2028.
    """

    last_id: str = ""
    retry_s: float | None = None
    _rest: bytes = b""
    _kind: str = ""
    _id: str | None = None
    _data: list[str] = field(default_factory=list)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that this piece completes; raises `NotUnderstood` for a line that does not end."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise NotUnderstood(f"a line of the event stream is longer than {LONGEST_LINE} bytes")
        for line in lines:
            event = self._take(line.removesuffix(b"\r").decode(errors="replace"))
            if event is not None:
                yield event

    def _take(self, line: str) -> Event | None:
        if line == "":
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._kind = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isdecimal():
                self.retry_s = int(value) / 1000.0
        return None

    def broken(self) -> None:
        """The stream broke off: what has begun is not an event."""
        self._rest = b""
        self._clear()

    def _clear(self) -> None:
        self._kind, self._id = "", None
        self._data.clear()

    def _dispatch(self) -> Event | None:
        self.last_id = self.last_id if self._id is None else self._id
        kind, text = self._kind or "message", "\n".join(self._data)
        self._clear()
        if not text:
            return None
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        return Event(kind, self.last_id, data if isinstance(data, dict) else {"text": text})
