"""What a reading was before it was converted: the values as they were sent, and their unit. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from services.ingest.meaning.units import UNITS

AS_STORED = -1
"""In the place of a unit: nothing was converted."""
_CODES = {unit: code for code, unit in enumerate(UNITS)}


def unit_code(unit: str, stored_unit: str) -> int:
    """The position of a unit in `UNITS`, ``AS_STORED`` where it is the stored one."""
    return AS_STORED if unit == stored_unit else _CODES[unit]


class Sent(NamedTuple):
    """The values of one reading as sent, in ``UNITS[unit]``."""

    unit: int
    value: float | None
    minimum: float | None
    maximum: float | None


_NOT_CONVERTED = Sent(AS_STORED, None, None, None)


@dataclass(frozen=True, slots=True, eq=False)
class SentColumns:
    """What many readings were as sent; position i belongs to observation i.

    ``unit`` int8, a position in `UNITS` or ``AS_STORED``; ``value``, ``minimum``, ``maximum`` float64 in that unit, NaN
    where there is none.
    """

    unit: NDArray[np.int8]
    value: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[Sent | None]) -> Self | None:
        """From readings one by one; None where not one of them was converted."""
        if not any(rows):
            return None
        units, values, minima, maxima = zip(*(row or _NOT_CONVERTED for row in rows), strict=True)
        numbers = (np.array(column, np.float64) for column in (values, minima, maxima))
        return cls(np.array(units, np.int8), *numbers)

    @classmethod
    def of_values(cls, units: NDArray[np.int8], values: NDArray[np.float64]) -> Self | None:
        """Of readings that are a value alone."""
        if not (units != AS_STORED).any():
            return None
        none = np.full(len(values), np.nan)
        return cls(units, values, none, none)

    @classmethod
    def joined(cls, parts: Sequence["SentColumns | None"], lengths: Sequence[int]) -> Self | None:
        """Of all observations of several parts, which have these lengths."""
        if not any(part is not None for part in parts):
            return None
        whole = [part or cls._none(length) for part, length in zip(parts, lengths, strict=True)]
        return cls(*(np.concatenate([getattr(part, name) for part in whole]) for name in _NAMES))

    @classmethod
    def _none(cls, length: int) -> Self:
        absent = np.full(length, np.nan)
        return cls(np.full(length, AS_STORED, np.int8), absent, absent, absent)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "SentColumns":
        """Of some of the observations."""
        return SentColumns(*(getattr(self, name)[chosen] for name in _NAMES))


_NAMES = tuple(field.name for field in fields(SentColumns))
