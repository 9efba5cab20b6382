"""When a request is sent again, and after how long. Pure.

What was refused because of a limit (429) is sent again after `Retry-After`, whatever it was. What may have been carried
out (503, 502, 504, no answer) is sent again only if that does no harm; what never left (no connection) always.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_LIMITED = 429
_PASSING = frozenset((_LIMITED, 502, 503, 504))
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently. Waits double from `first_s`, with jitter, unless the server says how long.

    A server that asks for more than `longest_s` is not waited for: the problem is raised at once.
    """

    attempts: int = 4
    first_s: float = 0.5
    longest_s: float = 30.0
    jitter: Callable[[], float] = random.random

    def after_answer(self, attempt: int, answer: httpx.Response, now: datetime, *, repeatable: bool) -> float | None:
        """How long to wait [s] after the answer to the attempt with this number (from 1); None: it is the last word."""
        if answer.status_code not in _PASSING or not (repeatable or answer.status_code == _LIMITED):
            return None
        asked = retry_after_s(answer.headers.get("Retry-After"), now)
        if asked is not None and asked > self.longest_s:
            return None
        return self._wait(attempt, asked)

    def after_error(self, attempt: int, error: httpx.RequestError, *, repeatable: bool) -> float | None:
        """The same where no answer came."""
        return self._wait(attempt, None) if repeatable or isinstance(error, _NEVER_LEFT) else None

    def backoff_s(self, attempt: int) -> float:
        """Full jitter over the upper half of a wait that doubles."""
        return float(min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 20)) * (0.5 + self.jitter() / 2.0))

    def _wait(self, attempt: int, asked: float | None) -> float | None:
        if attempt >= self.attempts:
            return None
        return self.backoff_s(attempt) if asked is None else asked


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """`Retry-After` (RFC 9110, 10.2.3) in seconds from `now`; None where it is missing or no such thing."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
