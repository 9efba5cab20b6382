"""How far a device's clock is off, from the time that it puts on its messages. Pure."""

from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=10)
"""How much messages may differ in delay while they still tell of the same clock."""
SETTLED_AFTER = timedelta(seconds=30)
SETTLED_MESSAGES = 3


class DeviceClock:
    """The skew of one device: its clock minus ours, positive where it leads.

    A message shows the skew less its delay. Messages that were kept back and come in a burst each show another delay,
    so a skew is believed only after several messages over some time agree on it.
    """

    __slots__ = ("_best", "_first", "_messages", "_since", "skew", "updated")

    def __init__(self) -> None:
        self.skew: timedelta | None = None
        """None until it is known."""
        self.updated: datetime | None = None
        """When the skew was last confirmed, by our clock."""
        self._since: datetime | None = None
        self._first = self._best = timedelta()
        self._messages = 0

    def observe(self, sent: datetime, received: datetime) -> None:
        """A message with the device's time ``sent`` came in at ``received``, both with their offset from UTC."""
        shown = sent - received
        if self._since is None or abs(shown - self._first) > TOLERANCE or received < self._since:
            self._since, self._first, self._best, self._messages = received, shown, shown, 1
            return
        self._messages += 1
        self._best = max(self._best, shown)
        if self._messages >= SETTLED_MESSAGES and received - self._since >= SETTLED_AFTER:
            self.skew, self.updated = self._best, received

    def is_beyond(self, limit: timedelta) -> bool:
        """Whether the clock is known to be off by more than ``limit``."""
        return self.skew is not None and abs(self.skew) > limit
