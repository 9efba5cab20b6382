"""Messages that a device sends in parts (``PNUM``, ``PNO``): whether all parts of each have come.

Each part is a message of its own and is stored as it comes, so nothing waits here and nothing is put together. What
is kept of a message are the numbers of its parts, for as many messages and as long as the bounds below say.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.hj212.segment import Segment

MAX_OPEN = 16
"""Messages of one connection that may be incomplete at a time; the oldest counts as lost when there are more."""
PATIENCE = timedelta(minutes=10)
"""The last part of a message comes within its device's tries; after so long it will not come on its own."""
Key = tuple[str, str, str]


@dataclass(slots=True)
class _Open:
    """A message of which parts are still awaited: its parts so far as bits."""

    mn: str
    count: int
    begun: datetime
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part did. ``complete`` tells whether its message is, ``lost`` whose messages were given up for it."""

    complete: bool = False
    lost: tuple[str, ...] = ()


NO_PART = Outcome()


@dataclass(slots=True)
class Parts:
    """The divided messages of one connection. A message is known by MN, CN and ``DataTime``."""

    _open: dict[Key, _Open] = field(default_factory=dict)

    def take(self, mn: str, segment: Segment, data_time: str, now: datetime) -> Outcome:
        """Note a part. The same part twice counts once; a message that changes its count begins anew."""
        part = segment.part
        if part is None:
            return NO_PART
        number, count = part
        key = (mn, segment.cn or "", data_time)
        lost = self._give_up(now)
        message = self._open.get(key)
        if message is not None and message.count != count:
            lost.append(self._open.pop(key).mn)
            message = None
        if message is None:
            if len(self._open) >= MAX_OPEN:
                lost.append(self._open.pop(next(iter(self._open))).mn)
            message = self._open[key] = _Open(mn, count, now)
        message.seen |= 1 << number
        complete = message.seen.bit_count() == count
        if complete:
            del self._open[key]
        return Outcome(complete, tuple(lost))

    def end(self) -> tuple[str, ...]:
        """The connection has ended: whose messages stay incomplete."""
        lost = tuple(message.mn for message in self._open.values())
        self._open.clear()
        return lost

    def _give_up(self, now: datetime) -> list[str]:
        late = [key for key, message in self._open.items() if now - message.begun > PATIENCE]
        return [self._open.pop(key).mn for key in late]
