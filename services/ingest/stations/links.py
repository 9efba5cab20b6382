"""The devices that are connected to this process now: how others speak to them, and hear what they answer.

The seam for whoever sends commands::

    link = server.links.get(mn)           # None: not connected here
    link.send(segment)                    # raises NotConnected; framed with the checksum that the device uses
    server.links.listeners.append(mine)   # a LinkListener, called in the event loop: it returns at once

A device is linked by its first frame that holds together, bears its MN and its password; a later connection of the same
MN takes the place of the earlier one. ``answered`` comes after the frame was committed: with the answers of devices
(9011 to 9014) and with every other message that carries no readings (1011, 1061, 3019, ...), but with data only where
``links.watched`` has the device and the command.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.ingest.registry.snapshot import Device
from shared.hj212.segment import Segment


class NotConnected(Exception):
    """The connection has ended; a frame for the device has nowhere to go."""


@dataclass(eq=False, slots=True)
class Link:
    """One connected device. ``remote`` is the address it came from, ``since`` when it was heard first.

    ``st`` and ``pw`` are those of its latest frame: what a message to it has to bear.
    """

    device: Device
    remote: str
    since: datetime
    transmit: Callable[[Device, Segment], bool]
    """Puts a message on the wire; False where the connection has ended or takes no more."""
    st: str | None
    pw: str | None
    heard_at: datetime = field(init=False)
    """When it was last heard."""

    def __post_init__(self) -> None:
        self.heard_at = self.since

    @property
    def mn(self) -> str:
        """The device's number."""
        return self.device.mn

    def send(self, message: Segment) -> None:
        """Send a message of the platform. Raises NotConnected. That it went out says nothing of its arrival."""
        if not self.transmit(self.device, message):
            raise NotConnected(self.mn)


class LinkListener(Protocol):
    """Who wants to know of devices that come, go and answer. Nothing here may block or raise."""

    def linked(self, link: Link) -> None:
        """A device is connected, for the first time or anew."""

    def unlinked(self, link: Link) -> None:
        """The connection of a device has ended, or another one has taken its place."""

    def answered(self, link: Link, message: Segment, received_at: datetime) -> None:
        """A device has said something that carries no readings, or data that are watched; it is committed."""


class Links:
    """The links by MN."""

    def __init__(self) -> None:
        self._by_mn: dict[str, Link] = {}
        self.listeners: list[LinkListener] = []
        self.watched: set[tuple[str, str]] = set()
        """MN and CN of the data that listeners wait for."""

    def __len__(self) -> int:
        return len(self._by_mn)

    def get(self, mn: str) -> Link | None:
        """The link of a device, None where it is not connected to this process."""
        return self._by_mn.get(mn)

    def all(self) -> list[Link]:
        """Every link of now."""
        return list(self._by_mn.values())

    def put(self, link: Link) -> None:
        """A device is connected; an older link of it is dropped."""
        older = self._by_mn.get(link.mn)
        self._by_mn[link.mn] = link
        for listener in self.listeners:
            if older is not None:
                listener.unlinked(older)
            listener.linked(link)

    def drop(self, link: Link) -> None:
        """A connection has ended; nothing happens where a newer one has taken its place."""
        if self._by_mn.get(link.mn) is link:
            del self._by_mn[link.mn]
            for listener in self.listeners:
                listener.unlinked(link)

    def tell_answer(self, link: Link, message: Segment, received_at: datetime) -> None:
        """Hand a committed message to all who listen."""
        for listener in self.listeners:
            listener.answered(link, message, received_at)
