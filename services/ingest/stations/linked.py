"""The devices of one connection, put into the links of the process as they are heard."""

from collections.abc import Callable, Iterable

from services.ingest.registry.snapshot import Device
from services.ingest.stations.counters import SessionCounters
from services.ingest.stations.links import Link, Links
from services.ingest.stations.session import Received
from services.ingest.stations.verdicts import Verdict
from shared.hj212.codes import DATA_COMMANDS
from shared.hj212.segment import Segment


class Linked:
    """What one connection has of the links. A gateway may speak for several devices."""

    __slots__ = ("_counters", "_links", "_own")

    def __init__(self, links: Links, counters: SessionCounters) -> None:
        self._links = links
        self._counters = counters
        self._own: dict[str, Link] = {}

    def note(self, received: Iterable[Received], remote: str, transmit: Callable[[Device, Segment], bool]) -> None:
        """Link the devices whose messages have been stored, and hand on what others listen for."""
        for entry in received:
            device, segment = entry.device, entry.segment
            if device is None or segment is None or not entry.genuine:
                continue
            link = self._own.get(device.mn)
            if link is None or self._links.get(device.mn) is not link:
                link = Link(device, remote, entry.received_at, transmit, segment.st, segment.pw)
                self._own[device.mn] = link
                self._counters.connected(device.mn, entry.received_at)
                self._links.put(link)
            link.device, link.heard_at = device, entry.received_at
            if entry.verdict is not Verdict.ANSWER:
                link.st, link.pw = segment.st, segment.pw
            if segment.cn not in DATA_COMMANDS or (device.mn, segment.cn) in self._links.watched:
                self._links.tell_answer(link, segment, entry.received_at)

    def end(self) -> None:
        """The connection has ended."""
        for link in self._own.values():
            self._links.drop(link)
