"""Rows judged by the registry as it is and by our clock, whichever way they came."""

from datetime import datetime, timedelta

from services.ingest.intake.addresses import AddressBook
from services.ingest.intake.taken import Rows, Taken, take
from services.ingest.intake.times import Times
from services.ingest.registry.live import Registry


class Judge:
    """Remembers addresses and times. ``ahead`` is how far a sender's clock may lead ours, ``late`` how old a row may
    be.
    """

    def __init__(self, registry: Registry, *, ahead: timedelta, late: timedelta) -> None:
        self._registry = registry
        self._ahead = ahead
        self._late = late
        self._addresses = AddressBook()
        self._times = Times()

    def take(self, park_id: str, rows: Rows, now: datetime) -> Taken:
        """Judge rows of a park; ``now`` is the wall clock."""
        addresses = self._addresses.of(self._registry.snapshot, park_id)
        return take(rows, addresses, self._times, now, self._ahead, self._late)
