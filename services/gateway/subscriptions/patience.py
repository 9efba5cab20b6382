"""When a message that was not taken is sent again, and when it is given up. Pure.

Messages of a subscription stay in order: the first that is not taken holds up those behind it. So waits stay short
(at most ten minutes), and one message that the receiver refuses by itself is set aside after some attempts.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_S = 1.0
LONGEST_S = 600.0
MOST_ASKED_S = 3600.0
"""A receiver may ask for a longer wait (Retry-After), up to this."""
GIVE_UP = timedelta(days=3)
REFUSED_ATTEMPTS = 8
"""About two minutes; then a message that only the receiver itself can object to does not hold the others up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `error` is for the owner of the subscription and holds no secret; what was
    delivered may have one too, where some recipients of several did not get it.

    `refused`: the receiver is there and objects to this message. `gone`: it wants nothing any more (HTTP 410).
    """

    delivered: bool
    error: str | None = None
    status: int | None = None
    refused: bool = False
    gone: bool = False
    retry_after_s: float | None = None


def wait_s(attempts: int, asked_s: float | None = None, jitter: float | None = None) -> float:
    """How long to wait [s] after the `attempts`-th failure: doubling, with full jitter in its upper half.

    `jitter` in 0 to 1 instead of a random one.
    """
    full = min(LONGEST_S, FIRST_S * 2.0 ** min(attempts - 1, 20))
    spread = random.random() if jitter is None else jitter
    return max(full * (0.5 + 0.5 * spread), min(asked_s or 0.0, MOST_ASKED_S))


def is_given_up(outcome: Outcome, attempts: int, waiting_since: datetime, now: datetime) -> bool:
    """Whether a message is set aside after its `attempts`-th failure."""
    return is_too_old(waiting_since, now) or (outcome.refused and attempts >= REFUSED_ATTEMPTS)


def is_too_old(waiting_since: datetime, now: datetime) -> bool:
    """Whether it has waited so long that one more failure is the last."""
    return now - waiting_since >= GIVE_UP
