"""Silence of a station, the one condition on wall time: data that do not come never look safe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """A station is silent when nothing live was heard of it for longer than `after`, in microseconds."""

    rule_id: str
    after: int


def is_silent(rule: SilenceRule, now: int, watched_since: int, last_heard: int | None) -> bool:
    """Whether a station counts as silent at wall time `now` (microseconds since 1970 UTC).

    A station never heard counts from `watched_since`, the moment from which this process would have heard it: after a
    start there is a grace of the same length.
    """
    return now - max(watched_since, last_heard if last_heard is not None else watched_since) > rule.after
