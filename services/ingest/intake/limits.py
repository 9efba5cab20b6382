"""How many rows a caller may send: a bucket of tokens each, filled at a steady rate. Pure."""

from dataclasses import dataclass

MAX_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class CallerLimits:
    """Buckets of callers. ``now_s`` is a clock in seconds that never goes back."""

    def __init__(self, rows_per_s: float, burst_rows: int) -> None:
        self._rate = rows_per_s
        self._burst = burst_rows
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, caller: str, rows: int, now_s: float) -> float:
        """0, and the rows are counted; or after how many seconds they would be let in. At most the burst at once."""
        bucket = self._buckets.get(caller)
        if bucket is None:
            self._forget_full(now_s)
            bucket = self._buckets[caller] = _Bucket(float(self._burst), now_s)
        bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._rate)
        bucket.at_s = now_s
        lacking = min(rows, self._burst) - bucket.tokens
        if lacking > 0:
            return lacking / self._rate
        bucket.tokens -= rows
        return 0.0

    def _forget_full(self, now_s: float) -> None:
        """A bucket that is full again is as good as a new one; should all be in use, the oldest goes."""
        if len(self._buckets) < MAX_CALLERS:
            return
        full_after = self._burst / self._rate
        self._buckets = {name: kept for name, kept in self._buckets.items() if now_s - kept.at_s < full_after}
        while len(self._buckets) >= MAX_CALLERS:
            del self._buckets[next(iter(self._buckets))]
