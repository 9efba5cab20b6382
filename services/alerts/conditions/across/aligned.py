"""The readings of several datastreams brought to the same instants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.alerts.conditions.readings import Bools, Floats, Ints, Readings, no_readings


@dataclass(frozen=True, slots=True)
class Aligned:
    """Rows are instants, columns members. `value` is NaN where there is none to count.

    `height` is what is compared: the value, or infinity beyond the range. `present`: the value counts at that instant.
    `vanished`: there was one, too old now, so it may be anything, for as long as it is a member. `at` is the time of
    the reading.
    """

    value: Floats
    height: Floats
    present: Bools
    vanished: Bools
    at: Ints


def aligned(
    samples: Mapping[int, Readings], members: Sequence[int], instants: Ints, hold: int, window: int = 0
) -> Aligned:
    """For each instant and member the newest reading not older than `hold`, or the highest of `window` before it.

    Times in microseconds; the readings of each datastream rise in time.
    """
    shape = (len(instants), len(members))
    found = Aligned(
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.int64),
    )
    for column, datastream_id in enumerate(members):
        readings = samples.get(datastream_id)
        if readings is None or not len(readings):
            continue
        place = np.searchsorted(readings.time, instants, side="right") - 1
        newest = np.maximum(place, 0)
        age = instants - readings.time[newest]
        present = (place >= 0) & (age <= hold)
        if window:
            newest = _highest(readings, instants, newest, window)
        found.present[:, column] = present
        found.vanished[:, column] = (place >= 0) & ~present
        found.value[:, column] = np.where(present, readings.value[newest], np.nan)
        found.height[:, column] = np.where(present, readings.height()[newest], np.nan)
        found.at[:, column] = readings.time[newest]
    return found


def _highest(readings: Readings, instants: Ints, newest: Ints, window: int) -> Ints:
    """The place of the highest reading of the window up to each newest one, which is always among them."""
    first = np.minimum(np.searchsorted(readings.time, instants - window, side="right"), newest)
    # Ranks rise with height and, of two that are equal, with time; so the highest rank tells its place.
    order = np.lexsort((readings.time, readings.height()))
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    pairs = np.column_stack([first, newest + 1]).ravel()
    return np.asarray(order[np.maximum.reduceat(rank, pairs)[::2]], np.int64)


def merged(known: Readings | None, more: Readings) -> Readings:
    """Both in order of time; of readings of one time the one that counts, the higher: see `track.severity`."""
    known = known if known is not None else no_readings()
    time = np.concatenate([known.time, more.time])
    value = np.concatenate([known.value, more.value])
    over_range = np.concatenate([known.over_range, more.over_range])
    order = np.lexsort((np.where(np.isnan(value), -np.inf, value), over_range, time))
    last = np.append(np.diff(time[order]) != 0, True) if len(order) else np.zeros(0, np.bool_)
    return Readings(time, value, over_range).take(order[last])
