"""An export as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from services.ingest.exporting.pieces import Datastream, Entry

MEDIA_TYPE = "text/csv; charset=utf-8"
COLUMNS = (
    "station_id",
    "station_name_zh",
    "station_name_en",
    "datastream_id",
    "property_id",
    "cadence",
    "unit",
    "time",
    "value",
    "quality",
    "minimum",
    "maximum",
)
# What spreadsheets take for the beginning of a formula (OWASP, CSV injection), in full width too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_BYTE_ORDER_MARK = "\ufeff"


def harmless(words: str) -> str:
    """Text that no spreadsheet computes."""
    return f"'{words}" if words.lstrip(" ").startswith(_FORMULA) else words


class CsvFile:
    """Encodes an export piece by piece, with ``more`` columns. Times are the park's own, with their offset."""

    def __init__(self, zone: ZoneInfo, more: Sequence[str], *, byte_order_mark: bool) -> None:
        self._zone = zone
        self._more = more
        self._mark = byte_order_mark

    def begin(self) -> bytes:
        """The line with the names of the columns."""
        line = ",".join((*COLUMNS, *self._more)) + "\r\n"
        return ((_BYTE_ORDER_MARK if self._mark else "") + line).encode()

    def encode(self, datastream: Datastream, entries: Sequence[Entry]) -> bytes:
        """The lines of a piece."""
        text = io.StringIO(newline="")
        words = [
            harmless(part)
            for part in (
                datastream.station_id,
                datastream.station_name.zh,
                datastream.station_name.en,
                str(datastream.id),
                datastream.property_id,
                datastream.cadence,
                datastream.unit,
            )
        ]
        writer = csv.writer(text)
        for entry in entries:
            time = entry.time.astimezone(self._zone).isoformat()
            row = [*words, time, entry.value, entry.quality, entry.minimum, entry.maximum]
            writer.writerow([*row, *(getattr(entry, name) for name in self._more)])
        return text.getvalue().encode()

    def end(self) -> bytes:
        """Nothing comes after the last line."""
        return b""
