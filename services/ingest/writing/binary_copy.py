"""Observations in PostgreSQL's binary layouts, of COPY and of arrays, all rows at once: no Python for the single row.

A row is its number of fields, then each field behind its length; a NULL is the length -1 and nothing behind it. So rows
without NULL all have one layout, which NumPy writes as records. Where NULLs are mixed in, the bytes that are not there
are left out of the records afterwards.
"""

import struct

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

from services.ingest.writing.columns import Columns

_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01T00:00Z in microseconds since 1970: PostgreSQL counts from there."""
_NULL = -1


def encode_observations(rows: Columns) -> bytes:
    """For ``COPY observation FROM STDIN (FORMAT binary)``: fields in the order of the table."""
    return _encode(_fields(rows), len(rows))


def encode_numbered(rows: Columns, numbers: NDArray[np.intp]) -> bytes:
    """The same with an integer in front of each row, for the staging table."""
    return _encode([(">i4", numbers), *_fields(rows)], len(rows))


class BinaryArray(bytes):
    """An array of PostgreSQL in its binary layout, to be a parameter of a statement as it is."""

    __slots__ = ()


class BinaryArrayDumper(Dumper):
    """Leaves a BinaryArray as it is; the statement says of what type it is."""

    format = Format.BINARY

    def dump(self, obj: BinaryArray) -> BinaryArray:
        """The bytes themselves."""
        return obj


_ELEMENT_TYPES = {">i4": 23, ">i8": 20, ">f8": 701}
"""OIDs of integer, bigint and float8."""


def encode_array(kind: str, column: NDArray[np.generic]) -> BinaryArray:
    """One column as a one-dimensional array: ``kind`` is ``>i4``, ``>i8`` or ``>f8``, whose NaN becomes NULL."""
    body, has_null = _records([(kind, column)], len(column), [])
    header = struct.pack(">iiiii", 1, has_null, _ELEMENT_TYPES[kind], len(column), 1)
    return BinaryArray(header + body)


def _fields(rows: Columns) -> list[tuple[str, NDArray[np.generic]]]:
    return [
        (">i4", rows.datastream_id),
        (">i8", rows.time - _POSTGRES_EPOCH),
        (">f8", rows.value),
        ("u1", rows.quality),
        (">f8", rows.minimum),
        (">f8", rows.maximum),
    ]


def _encode(fields: list[tuple[str, NDArray[np.generic]]], count: int) -> bytes:
    body, _ = _records(fields, count, [("fields", ">i2")])
    return b"".join((_HEADER, body, _TRAILER))


def _records(
    fields: list[tuple[str, NDArray[np.generic]]], count: int, head: list[tuple[str, str]]
) -> tuple[bytes, bool]:
    """The rows, each begun by the number of its fields where ``head`` says so; and whether there is a NULL in them."""
    absent = [np.isnan(column) if kind == ">f8" else np.False_ for kind, column in fields]
    everywhere = [bool(count) and bool(np.all(where)) for where in absent]
    layout = [*head]
    for index, (kind, _) in enumerate(fields):
        layout.append((f"length{index}", ">i4"))
        if not everywhere[index]:
            layout.append((f"value{index}", kind))
    records = np.empty(count, np.dtype(layout))
    if head:
        records["fields"] = len(fields)
    for index, (_, column) in enumerate(fields):
        if everywhere[index]:
            records[f"length{index}"] = _NULL
            continue
        records[f"value{index}"] = column
        size = records.dtype[f"value{index}"].itemsize
        records[f"length{index}"] = np.where(absent[index], _NULL, size)
    return _without_absent(records, absent, everywhere), any(map(np.any, absent))


def _without_absent(
    records: NDArray[np.void], absent: list[NDArray[np.bool_] | np.bool_], everywhere: list[bool]
) -> bytes:
    """The bytes of the records, less those of values that are NULL in some rows and not in others."""
    mixed = [index for index, where in enumerate(absent) if not everywhere[index] and np.any(where)]
    if not mixed:
        return records.tobytes()
    octets = records.view(np.uint8).reshape(len(records), records.dtype.itemsize)
    kept = np.ones(octets.shape, np.bool_)
    places = records.dtype.fields
    assert places is not None
    for index in mixed:
        kind, offset = places[f"value{index}"][:2]
        kept[:, offset : offset + kind.itemsize] = ~np.atleast_1d(absent[index])[:, None]
    return octets[kept].tobytes()
