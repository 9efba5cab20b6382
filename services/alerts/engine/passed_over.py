"""What became of readings, counted: which were evaluated, and which were passed over and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.alerts.conditions import Columns, Outcome
from services.alerts.engine import metrics
from services.alerts.engine.readings import Rows
from services.alerts.store.evaluation import Counts
from shared.messages import ObservationsStored
from shared.time import to_microseconds


def count(
    outcome: Outcome, columns: Columns, rows: Rows, history: NDArray[np.bool_], ahead: NDArray[np.bool_]
) -> dict[int, Counts]:
    """By datastream the readings that were passed over: most often there are none."""
    found: dict[int, Counts] = {}
    for slot, late in outcome.too_late.items():
        counts = found.setdefault(int(columns.ids[slot]), Counts())
        counts.too_late = max(counts.too_late, late)  # the same readings under each rule
    for reason, which in (("backfilled", history), ("ahead", ahead)):
        if which.any():
            for i, many in zip(*np.unique(rows.which[which], return_counts=True), strict=True):
                setattr(found.setdefault(int(rows.datastream[i]), Counts()), reason, int(many))
    return found


def add(into: dict[int, Counts], more: Mapping[int, Counts]) -> None:
    """Add counts to others."""
    for i, counts in more.items():
        known = into.setdefault(i, Counts())
        known.too_late += counts.too_late
        known.backfilled += counts.backfilled
        known.ahead += counts.ahead


def gauge(
    fed: NDArray[np.bool_],
    rows: Rows,
    history: NDArray[np.bool_],
    messages: Sequence[ObservationsStored],
    now: datetime,
) -> None:
    """Tell the metrics; `fed`: readings of datastreams that have a rule."""
    outcomes = {
        "live": fed & rows.proves & rows.live,
        "backfilled": history,
        "ahead": fed & rows.proves & rows.ahead,
        "without_proof": fed & ~rows.proves,
    }
    for outcome, which in outcomes.items():
        if many := int(np.count_nonzero(which)):
            metrics.EVALUATED.labels(outcome).inc(many)
    at = to_microseconds(now)
    for message in messages:
        if message.received_at is not None:
            metrics.LAG.observe(max(0, at - message.received_at) / 1e6)
