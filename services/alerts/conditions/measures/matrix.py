"""Windows as the rows of a matrix, some at a time: for what has to sort them."""

from collections.abc import Iterator

import numpy as np

from services.alerts.conditions.readings import Floats, Ints

_MOST_AT_ONCE = 1_000_000
"""Places of the matrix: 8 MB."""


def windows(height: Floats, begin: Ints, end: Ints) -> Iterator[tuple[slice, Floats]]:
    """Which windows, and a matrix with rows `begin[i]` to before `end[i]` of `height` in row i, then infinity."""
    longest = max(1, int((end - begin).max(initial=1)))
    many = max(1, _MOST_AT_ONCE // longest)
    for low in range(0, len(begin), many):
        part = slice(low, low + many)
        place = begin[part, None] + np.arange(longest)
        yield part, np.where(place < end[part, None], height[np.minimum(place, len(height) - 1)], np.inf)


def ranked(matrix: Floats, rank: Ints) -> Floats:
    """Of each row the value of that rank, from 0 for the lowest. Sorts the matrix."""
    matrix.sort(axis=1)
    found: Floats = np.take_along_axis(matrix, rank[:, None], axis=1)[:, 0]
    return found
