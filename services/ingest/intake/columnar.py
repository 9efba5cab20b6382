"""Readings as JSON columns: what is the same for many rows is said once."""

from functools import lru_cache

import msgspec
import numpy as np

from services.ingest.intake.rows import UNREADABLE, checked_count
from services.ingest.intake.taken import Rows
from shared.problems import Unprocessable
from shared.quality import Quality

_FLAGS = frozenset(flag.value for flag in Quality)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999, as times are written in ISO 8601."""


Fields = tuple[str | None, str | None, str, str, str | None]


class _Datastream(msgspec.Struct, forbid_unknown_fields=True):
    property: str
    station_id: str | None = None
    station: str | None = None
    cadence: str = "realtime"
    unit: str | None = None


class _Columns(msgspec.Struct, forbid_unknown_fields=True):
    datastreams: msgspec.Raw
    datastream: list[int]
    value: list[float | None]
    time: list[str] | None = None
    time_ms: list[int] | None = None
    quality: str | None = None


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    columns: _Columns


_BODY = msgspec.json.Decoder(_Body)
_DATASTREAMS = msgspec.json.Decoder(list[_Datastream])
_REMEMBERED_BYTES = 128 * 1024


def read_columns(body: bytes) -> Rows:
    """The rows of ``{"columns": {...}}``, an ``ObservationColumns``. Raises Unprocessable where it is no such thing."""
    try:
        columns = _BODY.decode(body).columns
        addresses = _addresses(bytes(columns.datastreams))
    except UNREADABLE as error:
        raise Unprocessable(f'The body is not {{"columns": {{...}}}} in JSON: {error}.') from error
    count = checked_count(len(columns.datastream))
    refused: dict[int, str] = {}
    times = _times(columns, refused)
    quality = Quality.NORMAL.value * count if columns.quality is None else columns.quality
    for name, length in (("value", len(columns.value)), ("time", len(times)), ("quality", len(quality))):
        if length != count:
            raise Unprocessable(f"columns: {name} has {length} entries and datastream {count}; give one for each row.")
    if unknown := set(quality) - _FLAGS:
        refused |= {row: f"quality: no flag '{flag}'" for row, flag in enumerate(quality) if flag in unknown}
        quality = "".join(flag if flag in _FLAGS else Quality.NORMAL.value for flag in quality)
    return Rows(
        addresses,
        times,
        columns.value,
        quality,
        refused,
        _which(columns, len(addresses)),
    )


def _addresses(datastreams: bytes) -> list[Fields]:
    """The fields of ``Address`` of each. Senders name the same ones in every batch, so the latest are remembered."""
    return _remembered(datastreams) if len(datastreams) <= _REMEMBERED_BYTES else _decoded(datastreams)


def _decoded(datastreams: bytes) -> list[Fields]:
    entries = _DATASTREAMS.decode(datastreams)
    return [(entry.station_id, entry.station, entry.property, entry.cadence, entry.unit) for entry in entries]


_remembered = lru_cache(maxsize=64)(_decoded)


def _times(columns: _Columns, refused: dict[int, str]) -> list[str] | np.ndarray[tuple[int], np.dtype[np.int64]]:
    if (columns.time is None) == (columns.time_ms is None):
        raise Unprocessable("columns: give either time (ISO 8601) or time_ms (milliseconds since 1970 UTC).")
    if columns.time is not None:
        return columns.time
    try:
        milliseconds = np.array(columns.time_ms, np.int64)
    except OverflowError as error:
        raise Unprocessable("columns: a time_ms is out of range.") from error
    outside = (milliseconds < _FIRST_MS) | (milliseconds > _LAST_MS)
    if outside.any():
        refused |= dict.fromkeys(np.flatnonzero(outside).tolist(), "time_ms: out of range")
        milliseconds[outside] = 0
    return milliseconds * 1000


def _which(columns: _Columns, known: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    try:
        which = np.array(columns.datastream, np.intp)
    except OverflowError as error:
        raise Unprocessable("columns: an entry of datastream is out of range.") from error
    outside = (which < 0) | (which >= known)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise Unprocessable(f"columns: datastream[{row}] is {which[row]}, and there are {known} datastreams.")
    return which
