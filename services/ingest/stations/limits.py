"""What stations may take of memory, time and the line."""

from dataclasses import dataclass
from datetime import timedelta

from services.ingest.meaning.normalise import MAX_LATE

PIECE_BYTES = 16 * 1024
"""What is read of a connection at once, and what may wait of it while the piece before is being stored."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of what stations may take; times in seconds.

    ``idle_timeout_s`` counts from the last frame, so that junk keeps nobody connected. A connection that sends more
    than ``bytes_per_s`` over a while, beyond a burst of ``burst_bytes``, is read more slowly; nothing of it is dropped.
    Readings more than ``clock_ahead`` in the future or older than ``late`` are refused; those of a device whose clock
    is known to be off by more than ``clock_skew`` are flagged.
    """

    max_connections: int
    max_connections_per_address: int
    idle_timeout_s: float
    half_frame_timeout_s: float
    send_timeout_s: float
    clock_ahead: timedelta
    bytes_per_s: float
    burst_bytes: int
    late: timedelta = MAX_LATE
    clock_skew: timedelta = timedelta(minutes=5)


class Allowance:
    """How many bytes a connection may send now: a bucket that fills by the second. Times from a monotonic clock [s]."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, bytes_per_s: float, burst_bytes: int, now: float) -> None:
        self._rate, self._burst = bytes_per_s, burst_bytes
        self._left, self._at = float(burst_bytes), now

    def spend(self, count: int, now: float) -> float:
        """Take ``count`` bytes; for how long [s] no more should be read."""
        self._left = min(self._left + (now - self._at) * self._rate, self._burst) - count
        self._at = now
        return max(-self._left / self._rate, 0.0)
