"""The readings of the last minutes of many datastreams, in a few arrays: a ring for each, all in one pool."""

import numpy as np

from services.alerts.conditions.readings import Ints, Readings, no_readings

_LEAST = 8


class Recent:
    """Readings by slot in the order in which they came: `start` to `count` are kept; `base` and `mid` mark places.

    What stands before `base` is there for the windows of measures alone; of raw values there is nothing.

    Numbers run on; reading n of a slot stands in the pool at `offset + n modulo capacity`, capacities being powers of
    two. A ring that is too small moves to a larger place, and another takes its old one.
    """

    def __init__(self) -> None:
        self._pool = no_readings(_LEAST)
        self._used = 0
        self._free: dict[int, list[int]] = {}
        self._offset = np.zeros(0, np.int64)
        self._capacity = np.zeros(0, np.int64)
        self.start = np.zeros(0, np.int64)
        self.base = np.zeros(0, np.int64)
        self.mid = np.zeros(0, np.int64)
        self.count = np.zeros(0, np.int64)

    def extend(self, slots: int) -> None:
        """Room for more slots."""
        offset = self._take(slots * _LEAST) + _LEAST * np.arange(slots, dtype=np.int64)
        self._offset = np.concatenate([self._offset, offset])
        self._capacity = np.concatenate([self._capacity, np.full(slots, _LEAST, np.int64)])
        nothing = np.zeros(slots, np.int64)
        self.start, self.base, self.mid, self.count = (
            np.concatenate([column, nothing]) for column in (self.start, self.base, self.mid, self.count)
        )

    def append(self, slot: Ints, lengths: Ints, first: Ints, readings: Readings) -> None:
        """Add readings: `lengths[i]` of them, beginning at row `first[i]`, belong to `slot[i]`; no slot twice."""
        needed = self.count[slot] - self.start[slot] + lengths
        for place in np.flatnonzero(needed > self._capacity[slot]):
            self._grow(int(slot[place]), int(needed[place]))
        number = np.arange(len(readings)) + np.repeat(self.count[slot] - first, lengths)
        at = np.repeat(self._offset[slot], lengths) + (number & np.repeat(self._capacity[slot] - 1, lengths))
        self._pool.time[at] = readings.time
        self._pool.value[at] = readings.value
        self._pool.over_range[at] = readings.over_range
        self.count[slot] += lengths

    def of(self, slot: int, begin: int | None = None) -> Readings:
        """What is kept of one slot; or what came from number `begin` on."""
        number = np.arange(self.start[slot] if begin is None else begin, self.count[slot])
        return self._pool.take(self._offset[slot] + (number & (self._capacity[slot] - 1)))

    def replace(self, slot: int, readings: Readings, before_base: int = 0) -> None:
        """Keep these readings of a slot and no others; the first `before_base` of them stand before the base."""
        self.start[slot] = self.mid[slot] = self.count[slot] = 0
        one = np.array([slot])
        self.append(one, np.array([len(readings)]), np.array([0]), readings)
        self.base[slot] = before_base
        self.mid[slot] = self.count[slot]

    def rotate(self, slot: Ints) -> None:
        """Let the base be at the mark, and the mark at the end; `forget` what stands before."""
        self.base[slot] = self.mid[slot]
        self.mid[slot] = self.count[slot]

    def forget(self, slot: Ints, start: Ints | None = None) -> None:
        """Keep the readings from number `start` on; from the base on."""
        self.start[slot] = self.base[slot] if start is None else start

    def all(self) -> Readings:
        """What is kept of every slot, one after the other."""
        return self.of_many(np.arange(len(self.count)), self.count)

    def of_many(self, slot: Ints, end: Ints) -> Readings:
        """What is kept of some slots up to, not including, number `end` of each, one after the other."""
        kept = end - self.start[slot]
        first = np.cumsum(kept) - kept
        number = np.arange(int(kept.sum())) + np.repeat(self.start[slot] - first, kept)
        place = np.repeat(self._offset[slot], kept) + (number & np.repeat(self._capacity[slot] - 1, kept))
        return self._pool.take(place)

    def _grow(self, slot: int, needed: int) -> None:
        kept = self.of(slot)
        capacity = 1 << (needed + needed // 2).bit_length()
        self._free.setdefault(int(self._capacity[slot]), []).append(int(self._offset[slot]))
        free = self._free.get(capacity)
        offset = free.pop() if free else self._take(capacity)
        self._offset[slot], self._capacity[slot] = offset, capacity
        self.base[slot] -= self.start[slot]
        self.mid[slot] -= self.start[slot]
        self.start[slot], self.count[slot] = 0, len(kept)
        place = slice(offset, offset + len(kept))
        self._pool.time[place] = kept.time
        self._pool.value[place] = kept.value
        self._pool.over_range[place] = kept.over_range

    def _take(self, places: int) -> int:
        """A new part of the pool, which doubles when it is full."""
        offset, self._used = self._used, self._used + places
        if self._used > len(self._pool):
            larger = no_readings(2 * self._used)
            for column in ("time", "value", "over_range"):
                getattr(larger, column)[:offset] = getattr(self._pool, column)[:offset]
            self._pool = larger
        return offset
