"""Readings that ingest has stored."""

import sys
from array import array
from collections.abc import Iterable, Iterator
from math import isnan, nan
from typing import Literal, Self

from pydantic import ConfigDict, model_validator

from shared.messages.base import Message

Row = tuple[int, int, float | None, str]
"""Datastream id, time [microseconds since 1970 UTC], value, quality flag."""


class ObservationsStored(Message):
    """New observations of one shard, in columns (position i of each column is one observation).

    A column is the bytes of a little-endian array, in JSON as base64: who has NumPy reads it with ``frombuffer``, and
    thousands of readings cost next to nothing on either side. `datastream_id` holds int32; `time` int64, microseconds
    since 1970 UTC; `value` float64 in the datastream's stored unit, NaN where the instrument gave none; `quality` one
    flag letter an observation. `received_at` is the wall clock of ingest when it stored them, in microseconds: whoever
    reads the message much later still knows whether they were live.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    version: Literal[2] = 2
    datastream_id: bytes
    time: bytes
    value: bytes
    quality: str
    received_at: int | None = None

    @classmethod
    def of(cls, rows: Iterable[Row], received_at: int | None = None) -> Self:
        """A message with these observations."""
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return cls(
            datastream_id=_little(array("i", columns[0])),
            time=_little(array("q", columns[1])),
            value=_little(array("d", (nan if value is None else value for value in columns[2]))),
            quality="".join(columns[3]),
            received_at=received_at,
        )

    def __len__(self) -> int:
        return len(self.quality)

    def rows(self) -> Iterator[Row]:
        """The observations one by one, for a reader that has few of them or no NumPy."""
        ids, times, heights = array("i"), array("q"), array("d")
        for column, held in ((ids, self.datastream_id), (times, self.time), (heights, self.value)):
            column.frombytes(held)
            if sys.byteorder == "big":
                column.byteswap()
        values = (None if isnan(value) else value for value in heights)
        return zip(ids, times, values, self.quality, strict=True)

    @model_validator(mode="after")
    def _columns_match(self) -> Self:
        count = len(self.quality)
        if (len(self.datastream_id), len(self.time), len(self.value)) != (4 * count, 8 * count, 8 * count):
            raise ValueError("the columns differ in length")
        return self


def _little(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
