"""Measures over columns: what the rules of many datastreams make of readings that follow what is kept of each."""

import numpy as np

from services.alerts.conditions.columns import Columns
from services.alerts.conditions.measures import Measure, Series
from services.alerts.conditions.readings import Ints, Readings, no_readings
from services.alerts.conditions.scan import Segments


def measured(columns: Columns, segments: Segments) -> Segments:
    """The same segments with what the measure of each slot gives instead of the readings.

    The readings of each segment must be in order and after the datastream's newest.
    """
    kind = columns.measure[segments.slot]
    row_kind = np.repeat(kind, segments.length)
    found = no_readings(len(segments.readings))
    for number in np.unique(kind).tolist():
        rows = row_kind == number
        given = _over(columns, columns.measures[number], segments.pick(kind == number))
        found.time[rows], found.value[rows], found.over_range[rows] = given.time, given.value, given.over_range
    return Segments(segments.slot, segments.first, segments.length, found)


def _over(columns: Columns, measure: Measure, segments: Segments) -> Readings:
    """What one measure gives."""
    slot = segments.slot
    behind = columns.recent.of_many(slot, columns.recent.count[slot])
    owner = np.repeat(np.arange(len(slot)), columns.recent.count[slot] - columns.recent.start[slot])
    if not _in_order(behind.time, owner):
        behind, owner = _ordered(behind, owner)
    # After what is kept of a slot its new readings; both are by slot already, so a stable sort is a merge.
    order = np.argsort(np.concatenate([owner, segments.of_rows()]), kind="stable")
    series_rows = Readings(
        np.concatenate([behind.time, segments.readings.time])[order],
        np.concatenate([behind.value, segments.readings.value])[order],
        np.concatenate([behind.over_range, segments.readings.over_range])[order],
    )
    length = np.bincount(owner, minlength=len(slot)) + segments.length
    series = Series(series_rows, np.cumsum(length) - length, columns.delays[slot, 2], measure.lookback or 0)
    return measure.over(series, np.flatnonzero(order >= len(owner)))


def _in_order(time: Ints, owner: Ints) -> bool:
    return bool(np.all((np.diff(time) > 0) | (np.diff(owner) != 0)))


def _ordered(readings: Readings, owner: Ints) -> tuple[Readings, Ints]:
    """By time; of readings of one time the one that counts, see `track.severity`."""
    value = np.where(np.isnan(readings.value), -np.inf, readings.value)
    order = np.lexsort((value, readings.over_range, readings.time, owner))
    readings, owner = readings.take(order), owner[order]
    last = np.ones(len(owner), np.bool_)
    last[:-1] = (np.diff(readings.time) != 0) | (np.diff(owner) != 0)
    return readings.take(last), owner[last]
