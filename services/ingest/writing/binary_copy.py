"""Observations in PostgreSQL's binary COPY layout: one pass of ``struct`` instead of one adapter call a field."""

import struct
from collections.abc import Iterable

from services.ingest.meaning.normalise import Observation

_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01T00:00Z in microseconds since 1970: PostgreSQL counts from there."""

# Fields of (value, minimum, maximum) are a length and a double, or the length -1. Fields of a row: id, time, value,
# quality, minimum, maximum, each behind its length; with an ordinal in front for the staging table.
_FLOAT = struct.Struct(">id")
_NULL = struct.pack(">i", -1)
_KEY = struct.Struct(">hiiiq")
_NUMBERED_KEY = struct.Struct(">hiiiiiq")
_QUALITY = {flag: struct.pack(">i1s", 1, flag.encode()) for flag in "NFMSDCTB"}


def _float(value: float | None) -> bytes:
    return _NULL if value is None else _FLOAT.pack(8, value)


def encode_observations(rows: Iterable[Observation]) -> bytes:
    """For ``COPY observation FROM STDIN (FORMAT binary)``: columns in the order of the table."""
    parts = [_HEADER]
    for row in rows:
        parts.append(_KEY.pack(6, 4, row.datastream_id, 8, row.time - _POSTGRES_EPOCH))
        parts += (_float(row.value), _QUALITY[row.quality], _float(row.minimum), _float(row.maximum))
    parts.append(_TRAILER)
    return b"".join(parts)


def encode_numbered(rows: Iterable[tuple[int, Observation]]) -> bytes:
    """The same with an integer in front of each row, for the staging table."""
    parts = [_HEADER]
    for number, row in rows:
        parts.append(_NUMBERED_KEY.pack(7, 4, number, 4, row.datastream_id, 8, row.time - _POSTGRES_EPOCH))
        parts += (_float(row.value), _QUALITY[row.quality], _float(row.minimum), _float(row.maximum))
    parts.append(_TRAILER)
    return b"".join(parts)
