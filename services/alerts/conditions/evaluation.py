"""Readings of many datastreams evaluated together: exactly what `Track` gives for each of them, offered its readings
fact by fact and in a fact by time.

Most readings change nothing: a datastream is calm and stays below all levels (its last time moves), or no level
changes (`scan`). That is some passes of NumPy for all of them, with no work by row. What is left, where a level
changes or a reading comes late to gas, is evaluated reading by reading.
"""

from dataclasses import dataclass, field

import numpy as np

from services.alerts.conditions.columns import Columns
from services.alerts.conditions.measured import measured
from services.alerts.conditions.measures import RAW
from services.alerts.conditions.readings import Bools, Ints, Readings
from services.alerts.conditions.scan import Segments, scan
from services.alerts.conditions.track import Change, Track, Verdict

_MOST_AT_ONCE = 1024
"""Readings of one datastream in one pass: what is kept is trimmed between passes."""


@dataclass(slots=True)
class Outcome:
    """By slot: what changed, in order; how many readings came too late. `standing`: slots with a level, touched."""

    changes: dict[int, list[Change]] = field(default_factory=dict)
    too_late: dict[int, int] = field(default_factory=dict)
    standing: set[int] = field(default_factory=set)


def evaluate(columns: Columns, slot: Ints, fact: Ints, readings: Readings) -> Outcome:
    """Take readings of all slots; `fact` numbers the facts they came in, rising. Each row: `slot[i]`, `readings` i."""
    outcome = Outcome()
    if not len(slot):
        return outcome
    segments, rising = _segments(slot, fact, readings)
    if segments.length.max() <= _MOST_AT_ONCE:
        _pass(columns, segments, rising, outcome)
        return outcome
    number = np.arange(len(slot)) - np.repeat(segments.first, segments.length)
    slot = np.repeat(segments.slot, segments.length)
    for begin in range(0, int(segments.length.max()), _MOST_AT_ONCE):
        rows = (number >= begin) & (number < begin + _MOST_AT_ONCE)
        _pass(columns, _by_slot(slot[rows], segments.readings.take(rows)), rising[rows], outcome)
    return outcome


def _segments(slot: Ints, fact: Ints, readings: Readings) -> tuple[Segments, Bools]:
    """The readings by slot, in order of arrival; and for each row whether it is later than the one before it."""
    order = np.argsort(slot, kind="stable")
    segments = _by_slot(slot[order], readings.take(order))
    rising = _rising(segments)
    if not rising.all():
        order = np.lexsort((readings.time, fact, slot))
        segments = _by_slot(slot[order], readings.take(order))
        rising = _rising(segments)
    return segments, rising


def _by_slot(slot: Ints, readings: Readings) -> Segments:
    begins = np.empty(len(slot), np.bool_)
    begins[0] = True
    np.not_equal(slot[1:], slot[:-1], out=begins[1:])
    first = np.flatnonzero(begins)
    return Segments(slot[first], first, np.diff(first, append=len(slot)), readings)


def _rising(segments: Segments) -> Bools:
    time = segments.readings.time
    rising = np.empty(len(time), np.bool_)
    np.greater(time[1:], time[:-1], out=rising[1:])
    rising[segments.first] = True
    return rising


def _pass(columns: Columns, segments: Segments, rising: Bools, outcome: Outcome) -> None:
    slot, first = segments.slot, segments.first
    ordered = segments.readings.time[first] > columns.head.last[slot]
    ordered[np.searchsorted(first, np.flatnonzero(~rising), side="right") - 1] = False
    highest = np.maximum.reduceat(segments.readings.height(), first)
    reaches = highest >= columns.wake[slot]
    calm = columns.calm[slot] & ~reaches
    plain = calm & ordered
    if plain.all():
        _take_calm(columns, segments)
        return
    if plain.any():
        _take_calm(columns, segments.pick(plain))
    late = calm & ~ordered
    if late.any():
        _take_calm_and_late(columns, segments.pick(late), outcome)
    moving = ordered & ~calm
    if moving.any():
        _take_moving(columns, segments.pick(moving), reaches[moving], outcome)
    _take_late(columns, segments.pick(~ordered & ~calm), outcome)


def _take_calm(columns: Columns, segments: Segments) -> None:
    """In order, below all levels, and nothing stands."""
    slot, first, length, readings = segments
    columns.head.last[slot] = readings.time[segments.last]
    columns.recent.append(slot, length, first, readings)
    columns.rotate(slot)


def _take_calm_and_late(columns: Columns, segments: Segments, outcome: Outcome) -> None:
    """Some are out of order, but all below all levels and nothing stands: only which come too late is asked."""
    head, time, of_row = columns.head, segments.readings.time, segments.of_rows()
    # The running maximum of each segment: over ranks, with every segment's ranks above those of the one before.
    known, rank = np.unique(time, return_inverse=True)
    above = of_row * len(known)
    so_far = known[np.maximum.accumulate(rank + above) - above]
    newest = np.empty_like(time)
    newest[1:] = so_far[:-1]
    newest[segments.first] = head.last[segments.slot]
    row_slot = segments.slot[of_row]
    newest = np.maximum(newest, head.last[row_slot])
    taken = (time >= newest - columns.bound) & (time > columns.base.last[row_slot])
    for slot, count in zip(*np.unique(row_slot[~taken], return_counts=True), strict=True):
        outcome.too_late[int(slot)] = outcome.too_late.get(int(slot), 0) + int(count)
    head.last[segments.slot] = np.maximum(head.last[segments.slot], so_far[segments.last])
    if taken.any():
        slot, first, length, readings = _by_slot(row_slot[taken], segments.readings.take(taken))
        columns.recent.append(slot, length, first, readings)
        columns.rotate(slot)


def _take_moving(columns: Columns, segments: Segments, reaches: Bools, outcome: Outcome) -> None:
    """In order; a level is reached or stands."""
    of_raw = columns.measure[segments.slot] == 0
    if of_raw.all():
        _take_in_order(columns, segments, segments, reaches, outcome)
        return
    if of_raw.any():
        raw = segments.pick(of_raw)
        _take_in_order(columns, raw, raw, reaches[of_raw], outcome)
    rest = segments.pick(~of_raw)
    _take_in_order(columns, rest, measured(columns, rest), reaches[~of_raw], outcome)


def _take_in_order(columns: Columns, segments: Segments, measured: Segments, reaches: Bools, outcome: Outcome) -> None:
    """`measured` is what the rules make of the readings."""
    unchanged = scan(columns, measured)
    if unchanged.any():
        still, hit = segments.pick(unchanged), reaches[unchanged]
        slot = still.slot
        columns.stirred[:, slot] |= hit
        columns.calm[slot[hit]] = False
        columns.recent.append(slot, still.length, still.first, still.readings)
        columns.rotate(slot)
        outcome.standing.update(slot[columns.head.level[slot] > 0].tolist())
    if not unchanged.all():
        _take_changes(columns, segments.pick(~unchanged), measured.pick(~unchanged), outcome)


def _take_changes(columns: Columns, segments: Segments, measured: Segments, outcome: Outcome) -> None:
    """In order, and a level changes: one by one from the head on."""
    for slot, first, length in zip(segments.slot.tolist(), segments.first, segments.length, strict=True):
        rows = slice(first, first + length)
        track = Track(columns.rules[slot], columns.bound, columns.state(slot), measure=RAW)
        for sample in measured.readings.take(rows).samples():
            _, change = track.offer(sample)
            if change is not None:
                outcome.changes.setdefault(slot, []).append(change)
        columns.put_head(slot, track, segments.readings.take(rows))
        if track.head.level:
            outcome.standing.add(slot)


def _take_late(columns: Columns, segments: Segments, outcome: Outcome) -> None:
    """A reading comes late to gas: one by one from the middle on, or from before all that is kept."""
    for slot, first, length in zip(segments.slot.tolist(), segments.first, segments.length, strict=True):
        rows = segments.readings.take(slice(first, first + length))
        whole = bool(columns.measure[slot]) or bool(rows.time.min() <= columns.middle.last[slot])
        track = columns.track(slot) if whole else columns.track_since_middle(slot)
        taken = np.ones(len(rows), np.bool_)
        for number, sample in enumerate(rows.samples()):
            verdict, change = track.offer(sample)
            taken[number] = verdict is Verdict.TAKEN
            if change is not None:
                outcome.changes.setdefault(slot, []).append(change)
        if not taken.all():
            outcome.too_late[slot] = outcome.too_late.get(slot, 0) + int(np.count_nonzero(~taken))
        if whole:
            columns.put_track(slot, track)
        else:
            columns.put_head(slot, track, rows.take(taken))
        if track.head.level:
            outcome.standing.add(slot)
