"""`levels.step` over columns: readings of many datastreams in order, all at once, as long as no level changes."""

from typing import NamedTuple

import numpy as np

from services.alerts.conditions.columns import Columns
from services.alerts.conditions.levels import NEVER
from services.alerts.conditions.readings import Bools, Floats, Ints, Readings


class Segments(NamedTuple):
    """Readings by datastream: those of `slot[i]` are `length[i]` rows from row `first[i]` on."""

    slot: Ints
    first: Ints
    length: Ints
    readings: Readings

    @property
    def last(self) -> Ints:
        """The last row of each."""
        return self.first + self.length - 1

    def of_rows(self) -> Ints:
        """For each row which segment it belongs to."""
        return np.repeat(np.arange(len(self.slot)), self.length)

    def pick(self, which: Bools) -> "Segments":
        """Some of the segments, with their rows."""
        length = self.length[which]
        return Segments(
            self.slot[which], np.cumsum(length) - length, length, self.readings.take(np.repeat(which, self.length))
        )


def scan(columns: Columns, segments: Segments) -> Bools:
    """Take the segments in which no level changes; which they were. The others are left untouched.

    The readings of each segment must be in order and after the datastream's newest.

    A level changes where more levels are proven than stand, or the highest that stands is not held any more. With
    levels that climb, a higher one stands at or above only while a lower one does, so to look at the number of proven
    levels and at the highest standing one is enough.
    """
    head, slot, first, readings = columns.head, segments.slot, segments.first, segments.readings
    time, height = readings.time, readings.height()
    row_slot = np.repeat(slot, segments.length)
    on_delay, off_delay, max_gap = columns.delays[row_slot].T

    before = np.empty_like(time)
    before[1:] = time[:-1]
    before[first] = head.last[slot]
    unbroken = time - before <= max_gap

    over = height[:, None] >= columns.threshold[row_slot]
    below = height[:, None] < columns.clear[row_slot]
    over_since = _since(over, head.over[slot], time, unbroken, first)
    below_since = _since(below, head.below[slot], time, unbroken, first)

    level = head.level[row_slot]
    proven = np.count_nonzero(time[:, None] - over_since >= on_delay[:, None], axis=1)
    highest_below = np.take_along_axis(below_since, np.maximum(level - 1, 0)[:, None], axis=1)[:, 0]
    held = (level == 0) | (time - highest_below < off_delay)
    unchanged: Bools = np.logical_and.reduceat((proven <= level) & held, first)

    peak = _peaks(columns, segments, over[:, 0])
    slot, last = slot[unchanged], segments.last[unchanged]
    standing = head.level[slot][:, None] > np.arange(over.shape[1])
    head.over[slot] = over_since[last]
    head.below[slot] = np.where(standing, below_since[last], NEVER)
    head.last[slot] = time[last]
    head.peak[slot] = peak[unchanged]
    columns.latest[slot] = readings.value[last]
    return unchanged


def _since(stands: Bools, before: Ints, time: Ints, unbroken: Bools, first: Ints) -> Ints:
    """For each row and level since when it stands, NEVER where it does not; `before` from before each segment."""
    begins = stands & ~unbroken[:, None]
    begins[1:] |= stands[1:] & ~stands[:-1]
    begins[first] = stands[first]
    row = np.where(begins, np.arange(len(time))[:, None], 0)
    np.maximum.accumulate(row, axis=0, out=row)
    begun = np.repeat(time[:, None], stands.shape[1], axis=1)
    begun[first] = np.where(unbroken[first][:, None], np.minimum(before, begun[first]), begun[first])
    return np.where(stands, np.take_along_axis(begun, row, axis=0), NEVER)


def _peaks(columns: Columns, segments: Segments, over: Bools) -> Floats:
    """The peak after each segment: the highest value of the episode, NaN where all is quiet.

    An episode lasts while a level stands, or while the readings are over the lowest.
    """
    first, value = segments.first, segments.readings.value
    standing = columns.head.level[segments.slot] > 0
    rows = np.arange(len(value))
    quiet = np.maximum.reduceat(np.where(over, -1, rows), first)
    quiet[standing] = -1
    of_episode = rows > np.repeat(quiet, segments.length)
    peak: Floats = np.fmax.reduceat(np.where(of_episode, value, np.nan), first)
    whole = quiet < first
    peak[whole] = np.fmax(peak[whole], columns.head.peak[segments.slot][whole])
    return peak
