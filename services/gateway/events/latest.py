"""Live values: of all that came in, the newest of each datastream. Pure."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.gateway.events.event import Event, Kind
from shared.messages import ObservationsStored
from shared.time import from_microseconds, iso


@dataclass(frozen=True, slots=True)
class Reading:
    """One value; `time` in microseconds since 1970 UTC."""

    time: int
    value: float | None
    quality: str


class LatestValues:
    """Gathers observations and gives, park by park, the newest of each datastream since it last did."""

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        self._waiting: dict[int, Reading] = {}

    def add(self, message: ObservationsStored) -> None:
        """Take observations in; older ones than a datastream's newest are history and not told."""
        for datastream, time, value, quality in message.rows():
            if time >= self._newest.get(datastream, time):
                self._newest[datastream] = time
                self._waiting[datastream] = Reading(time, value, quality)

    @property
    def datastreams(self) -> Iterable[int]:
        """The datastreams that have something to tell."""
        return self._waiting.keys()

    def take(self, park_of: Callable[[int], str | None]) -> list[Event]:
        """One event a park. What belongs to no park that `park_of` knows stays for the next time."""
        by_park: dict[str, list[tuple[int, Reading]]] = {}
        staying: dict[int, Reading] = {}
        for datastream, reading in self._waiting.items():
            park_id = park_of(datastream)
            if park_id is None:
                staying[datastream] = reading
            else:
                by_park.setdefault(park_id, []).append((datastream, reading))
        self._waiting = staying
        return [Event(Kind.OBSERVATION, park_id, _data(park_id, items)) for park_id, items in by_park.items()]

    def forget(self, datastreams: Iterable[int]) -> None:
        """Drop what nobody can be told of."""
        for datastream in datastreams:
            self._waiting.pop(datastream, None)


def _data(park_id: str, items: list[tuple[int, Reading]]) -> bytes:
    rows = [
        {
            "datastream_id": datastream,
            "time": iso(from_microseconds(reading.time)),
            "value": reading.value,
            "quality": reading.quality,
        }
        for datastream, reading in items
    ]
    return json.dumps({"park_id": park_id, "items": rows}, separators=(",", ":")).encode()
