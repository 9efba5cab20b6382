"""Observations in columns: thousands are taken in, sorted, encoded and announced in a few passes of NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.ingest.meaning.normalise import Observation
from services.ingest.meaning.sent import SentColumns

Index = NDArray[np.intp] | NDArray[np.bool_] | slice


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Position i of every column is one observation.

    ``datastream_id`` int32; ``time`` int64, microseconds since 1970 UTC; ``value``, ``minimum``, ``maximum`` float64 in
    the stored unit, NaN where there is none; ``quality`` uint8, the ASCII of the flag; ``shard`` int16; ``sent`` what
    they were before they were converted, None where nothing was.
    """

    datastream_id: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    shard: NDArray[np.int16]
    sent: SentColumns | None = None

    @classmethod
    def of(cls, rows: Sequence[Observation]) -> Self:
        """From observations one by one."""
        ids, times, values, letters, minima, maxima, shards, sent = zip(*rows, strict=True) if rows else ((),) * 8
        return cls(
            np.array(ids, np.int32),
            np.array(times, np.int64),
            np.array(values, np.float64),
            np.frombuffer("".join(letters).encode("ascii"), np.uint8),
            np.array(minima, np.float64),
            np.array(maxima, np.float64),
            np.array(shards, np.int16),
            SentColumns.of(sent),
        )

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> Self:
        """All observations of several parts, one after the other."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES}
        sent = SentColumns.joined([part.sent for part in parts], [len(part) for part in parts])
        return cls(**columns, sent=sent)

    def __len__(self) -> int:
        return len(self.datastream_id)

    def take(self, chosen: Index) -> "Columns":
        """Some of the observations: those at these positions, or where the mask is true."""
        sent = None if self.sent is None else self.sent.take(chosen)
        return Columns(**{name: getattr(self, name)[chosen] for name in _NAMES}, sent=sent)

    def row(self, index: int) -> Observation:
        """One observation by itself."""
        return Observation(
            int(self.datastream_id[index]),
            int(self.time[index]),
            _number(self.value[index]),
            chr(self.quality[index]),
            _number(self.minimum[index]),
            _number(self.maximum[index]),
            int(self.shard[index]),
        )


_NAMES = tuple(field.name for field in fields(Columns) if field.name != "sent")


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
