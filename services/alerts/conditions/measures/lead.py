"""What must be kept of the readings before a moment, so that windows that end after it can be computed."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from services.alerts.conditions.measures.measure import Measure
from services.alerts.conditions.readings import Ints


def first_needed(times: Sequence[int], after: int, measure: Measure) -> int:
    """The first of the readings at `times`, rising, that a window ending after `after` may need.

    One reading from before the window is among them: it tells whether the window is covered.
    """
    before = bisect_right(times, after)
    by_count = before - measure.samples + 1
    if measure.lookback is None:
        return max(0, by_count)
    return max(0, by_count, bisect_right(times, after - measure.lookback) - 1)


def needed_since(time: Ints, which: Ints, after: Ints, measures: Sequence[Measure]) -> Ints:
    """The same for many datastreams, readings in any order: for each the earliest time that is needed.

    Row i is a reading of datastream `which[i]`, none later than its `after`; each datastream has its measure.
    """
    count, lowest = len(after), np.iinfo(np.int64).min
    lookback = np.array([-1 if measure.lookback is None else measure.lookback for measure in measures], np.int64)
    samples = np.array([measure.samples for measure in measures], np.int64)
    by_time = np.full(count, lowest)
    old = (lookback >= 0)[which] & (time <= (after - lookback)[which])
    np.maximum.at(by_time, which[old], time[old])
    # To sort what there are fewer of than a window holds would be for nothing.
    crowded = (np.bincount(which, minlength=count) >= samples)[which]
    time, which = time[crowded], which[crowded]
    order = np.lexsort((time, which))
    distinct = np.ones(len(time), np.bool_)
    distinct[1:] = (np.diff(time[order]) != 0) | (np.diff(which[order]) != 0)
    kept = order[distinct]
    owner = which[kept]
    end = np.searchsorted(owner, np.arange(count), side="right")
    begin = np.searchsorted(owner, np.arange(count), side="left")
    place = end - samples + 1
    by_count = np.full(count, lowest)
    many = (place > begin) & (place < end)
    by_count[many] = time[kept[place[many]]]
    none = place >= end
    by_count[none] = after[none] + 1
    needed: Ints = np.maximum(by_time, by_count)
    return needed
