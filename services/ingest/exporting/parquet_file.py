"""An export as Apache Parquet. Imported only when somebody asks for one: the library takes some 50 MB of memory."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from services.ingest.exporting.pieces import Datastream, Entry

MEDIA_TYPE = "application/vnd.apache.parquet"
ROWS_OF_A_GROUP = 60_000
"""What is held until it is encoded together: readers skip groups, and compression wants length."""


class _Outgoing:
    """A file that is taken away as it is written."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ParquetFile:
    """Encodes an export piece by piece, with ``more`` columns. Times are instants that are shown in the park's zone."""

    def __init__(self, zone: ZoneInfo, more: Sequence[str]) -> None:
        words = pa.dictionary(pa.int32(), pa.string())
        types = {"readings": pa.int64(), "valid": pa.int64(), "sent_unit": words}
        columns = [
            ("station_id", words),
            ("station_name_zh", words),
            ("station_name_en", words),
            ("datastream_id", pa.int32()),
            ("property_id", words),
            ("cadence", words),
            ("unit", words),
            ("time", pa.timestamp("us", tz=zone.key)),
            ("value", pa.float64()),
            ("quality", words),
            ("minimum", pa.float64()),
            ("maximum", pa.float64()),
        ]
        columns += [(name, types.get(name, pa.float64())) for name in more]
        self._more = more
        self._schema = pa.schema(columns)
        self._outgoing = _Outgoing()
        self._writer = pq.ParquetWriter(self._outgoing, self._schema, compression="zstd")
        self._held: list[pa.RecordBatch] = []
        self._rows = 0

    def begin(self) -> bytes:
        """The mark that every such file begins with."""
        return self._outgoing.take()

    def encode(self, datastream: Datastream, entries: Sequence[Entry]) -> bytes:
        """The groups that are whole by now; empty while they are not."""
        self._held.append(self._batch(datastream, entries))
        self._rows += len(entries)
        if self._rows >= ROWS_OF_A_GROUP:
            self._write()
        return self._outgoing.take()

    def end(self) -> bytes:
        """The last group, and where in the file everything is."""
        self._write()
        self._writer.close()
        return self._outgoing.take()

    def _write(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held), row_group_size=2 * ROWS_OF_A_GROUP)
        self._held = []
        self._rows = 0

    def _batch(self, datastream: Datastream, entries: Sequence[Entry]) -> "pa.RecordBatch":
        same = [
            datastream.station_id,
            datastream.station_name.zh,
            datastream.station_name.en,
            datastream.id,
            datastream.property_id,
            datastream.cadence,
            datastream.unit,
        ]
        columns: list[list[object]] = [[one] * len(entries) for one in same]
        names = ["time", "value", "quality", "minimum", "maximum", *self._more]
        columns += [[getattr(entry, name) for entry in entries] for name in names]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)
