"""The rows of one request, whatever their form: what can be stored, and the answer about every one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.ingest.intake.addresses import REFUSED as NOWHERE
from services.ingest.intake.addresses import Addresses
from services.ingest.intake.times import Times
from services.ingest.meaning.normalise import MAX_LATE
from services.ingest.meaning.sent import SentColumns
from services.ingest.writing.batch import ACCEPTED, CONFLICTING, STATUSES, RowStatus, StatusCodes
from services.ingest.writing.columns import Columns
from shared.quality import MAX_VALUE, Quality
from shared.time import to_microseconds

_CONFLICT = "another value is stored for this time; it stays, and yours was journalled"
_REFUSED = STATUSES.index(RowStatus.REFUSED)
_NEEDS_VALUE = [ord(flag) for flag in (Quality.NORMAL, Quality.STUCK, Quality.CLOCK_SKEWED)]
_MISSING = ord(Quality.MISSING)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as sent, in columns. ``addresses`` has the fields of ``Address``, that of each row or those that ``which``
    points to; ``times`` is ISO 8601 with an offset, or microseconds since 1970 UTC.
    """

    addresses: Sequence[tuple[str | None, ...]]
    times: Sequence[str] | NDArray[np.int64]
    values: Sequence[float | None]
    qualities: Sequence[str]
    refused: dict[int, str]
    """Reasons by position, for rows that could not even be read; their other columns hold anything readable."""
    which: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a request brought: ``columns`` of the rows that can be stored, the reasons why the others cannot."""

    count: int
    columns: Columns
    positions: NDArray[np.intp]
    refused: dict[int, str]

    def answer(self, codes: StatusCodes) -> bytes:
        """The body of the answer, a ``BatchResult``, given what became of ``columns``."""
        if not self.refused and not codes.any():
            return _all_accepted(self.count)
        told = np.full(self.count, _REFUSED, np.uint8)
        told[self.positions] = codes
        return _result(told, self.refused)


def take(
    rows: Rows, addresses: Addresses, times: Times, now: datetime, ahead: timedelta, late: timedelta = MAX_LATE
) -> Taken:
    """Judge rows; ``now`` is the wall clock, ``ahead`` how far a sender's clock may lead it, ``late`` how old a row may
    be.
    """
    slots, nowhere = addresses.slots(rows.addresses)
    if rows.which is not None:
        if nowhere:
            nowhere = {row: nowhere[index] for row, index in enumerate(rows.which.tolist()) if index in nowhere}
        slots = slots[rows.which]
    at, unreadable = _moments(rows, times)
    untimely = _at_rows(at > to_microseconds(now + ahead), "the time is in the future")
    untimely |= _at_rows(at < to_microseconds(now - late), f"the time lies more than {late.days} days back")
    values = np.array(rows.values, np.float64)
    beyond = _at_rows(np.abs(values) > MAX_VALUE, "value: no instrument means a number as large")
    refused = untimely | beyond | unreadable | nowhere | rows.refused
    quality = np.frombuffer("".join(rows.qualities).encode("ascii"), np.uint8)
    absent = np.isnan(values)
    if absent.any():
        quality = np.where(absent & np.isin(quality, _NEEDS_VALUE), _MISSING, quality).astype(np.uint8)
    if refused:
        kept = np.ones(len(at), np.bool_)
        kept[list(refused)] = False
        positions = np.flatnonzero(kept)
        slots, at, values, quality = slots[positions], at[positions], values[positions], quality[positions]
    else:
        positions = np.arange(len(at))
    assert not np.any(slots == NOWHERE)
    ids, shards, factors, units = addresses.columns()
    none = np.full(len(slots), np.nan)
    sent = None if units is None else SentColumns.of_values(units[slots], values)
    columns = Columns(ids[slots], at, values * factors[slots], quality, none, none, shards[slots], sent)
    return Taken(len(rows), columns, positions, refused)


def _at_rows(where: NDArray[np.bool_], reason: str) -> dict[int, str]:
    return dict.fromkeys(np.flatnonzero(where).tolist(), reason) if where.any() else {}


def _moments(rows: Rows, times: Times) -> tuple[NDArray[np.int64], dict[int, str]]:
    if isinstance(rows.times, np.ndarray):
        return rows.times, {}
    moments, unreadable = times.microseconds(rows.times)
    return np.array(moments, np.int64), unreadable


class _Result(msgspec.Struct, omit_defaults=True):
    index: int
    status: str
    detail: str | None = None


def _result(told: NDArray[np.uint8], refused: dict[int, str]) -> bytes:
    results = [
        _Result(index, STATUSES[code], refused.get(index, _CONFLICT if code == CONFLICTING else None))
        for index, code in enumerate(told.tolist())
    ]
    counts = np.bincount(told, minlength=len(STATUSES)).tolist()
    counted: dict[str, object] = {status.value: count for status, count in zip(STATUSES, counts, strict=True)}
    return msgspec.json.encode(counted | {"results": results})


@lru_cache(maxsize=64)
def _all_accepted(count: int) -> bytes:
    """By far the most frequent answer, which depends on the number of rows alone."""
    return _result(np.full(count, ACCEPTED, np.uint8), {})
