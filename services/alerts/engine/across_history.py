"""Readings of the past of several datastreams together, in windows of time."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import httpx
import numpy as np

from services.alerts.conditions import Readings
from services.alerts.engine.history import history
from shared.time import to_microseconds

WINDOW = timedelta(hours=6)


async def windows(
    ingest: httpx.AsyncClient, park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime
) -> AsyncIterator[tuple[dict[int, Readings], Counter[int], int]]:
    """Window by window: the readings by datastream that an alarm may rest on, how many of any quality there were of
    each, and the end of the window in microseconds. Raises `HistoryUnavailable`."""
    first = start
    while first < end:
        last = min(first + WINDOW, end)
        found: dict[int, Readings] = {}
        counts: Counter[int] = Counter()
        for datastream_id in datastream_ids:
            pages = [page async for page in history(ingest, park_id, datastream_id, first, last)]
            counts[datastream_id] = sum(count for _, count in pages)
            if pages:
                found[datastream_id] = _joined([readings for readings, _ in pages])
        yield found, counts, to_microseconds(last)
        first = last


def _joined(pages: Sequence[Readings]) -> Readings:
    return Readings(
        np.concatenate([page.time for page in pages]),
        np.concatenate([page.value for page in pages]),
        np.concatenate([page.over_range for page in pages]),
    )
