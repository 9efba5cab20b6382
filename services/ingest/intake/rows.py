"""Readings as JSON rows: decoded together at once, and one by one only where one of them is not as it should be."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from services.ingest.intake.taken import Rows
from services.ingest.schemas.intake import MAX_ROWS, ObservationRow
from shared.problems import Unprocessable
from shared.quality import Quality
from shared.time import iso

_Flag = Literal[tuple(flag.value for flag in Quality)]  # type: ignore[valid-type]


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An ``ObservationRow``, as fast as it can be read. Names and units are checked when they are looked up."""

    property: str
    time: str
    value: float | None
    station_id: str | None = None
    station: str | None = None
    quality: _Flag = Quality.NORMAL.value  # type: ignore[valid-type]
    unit: str | None = None
    cadence: str = "realtime"


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    observations: list[_Row]


class _RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    observations: list[msgspec.Raw]


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a text that is not what it should be; the last, where it is nested without end."""
_BATCH = msgspec.json.Decoder(_Batch)
_RAW_BATCH = msgspec.json.Decoder(_RawBatch)
_ROW = msgspec.json.Decoder(_Row)
_ADDRESS = attrgetter("station_id", "station", "property", "cadence", "unit")
_TIME, _VALUE, _QUALITY = attrgetter("time"), attrgetter("value"), attrgetter("quality")
_UNREAD = _Row(property="", time="1970-01-01T00:00:00Z", value=None)


def read_rows(body: bytes) -> Rows:
    """The rows of ``{"observations": [...]}``. Raises Unprocessable where the whole is no such thing."""
    refused: dict[int, str] = {}
    try:
        rows = _BATCH.decode(body).observations
    except UNREADABLE:
        rows = one_by_one(_raw_rows(body), refused)
    checked_count(len(rows))
    return as_columns(rows, refused)


def decode_lines(lines: bytes) -> list[_Row]:
    """One row a line; raises msgspec.DecodeError where one of them is not as it should be."""
    return _ROW.decode_lines(lines)


def checked_count(count: int) -> int:
    """The number of rows of a batch; raises Unprocessable where it has none, or too many."""
    if not 1 <= count <= MAX_ROWS:
        raise Unprocessable(f"observations: {count} rows; a batch has 1 to {MAX_ROWS}.")
    return count


def as_columns(rows: Sequence[Any], refused: dict[int, str]) -> Rows:
    """Decoded rows in columns."""
    return Rows(
        list(map(_ADDRESS, rows)),
        list(map(_TIME, rows)),
        list(map(_VALUE, rows)),
        list(map(_QUALITY, rows)),
        refused,
    )


def read_row(raw: bytes | msgspec.Raw) -> _Row:
    """One row by itself; raises ValueError with what is wrong, for its sender."""
    try:
        return _ROW.decode(raw)
    except UNREADABLE:
        return _lenient(bytes(raw))


def _raw_rows(body: bytes) -> list[msgspec.Raw]:
    try:
        return _RAW_BATCH.decode(body).observations
    except UNREADABLE as error:
        raise Unprocessable(f'The body is not {{"observations": [...]}} in JSON: {error}.') from error


def one_by_one(raws: Sequence[bytes | msgspec.Raw], refused: dict[int, str]) -> list[_Row]:
    """Rows of which some cannot be read: those are told in ``refused`` and hold nothing."""
    rows = []
    for index, raw in enumerate(raws):
        try:
            rows.append(read_row(raw))
        except ValueError as error:
            refused[index] = str(error)
            rows.append(_UNREAD)
    return rows


def _lenient(raw: bytes) -> _Row:
    """Read by the published model: it takes some more (a time as a number), and says best what is wrong."""
    try:
        row = ObservationRow.model_validate_json(raw)
    except ValidationError as error:
        faults = error.errors()
        words = (f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}" for fault in faults[:3])
        raise ValueError("; ".join(words)) from error
    return _Row(
        row.property,
        iso(row.time),
        row.value,
        row.station_id,
        row.station,
        row.quality.value,
        row.unit,
        row.cadence,
    )
