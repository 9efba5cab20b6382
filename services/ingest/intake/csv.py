"""Readings as CSV: a header that names the columns, then one row a line."""

import csv
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from zoneinfo import ZoneInfo

from services.ingest.intake.rows import checked_count
from services.ingest.intake.taken import Rows
from shared.problems import Unprocessable
from shared.quality import Quality

FIELDS = ("station_id", "station", "property", "time", "value", "quality", "unit", "cadence")
_NEEDED = ("property", "time", "value")
_ADDRESS = {"station_id": None, "station": None, "property": "", "cadence": "realtime", "unit": None}
"""Where a row belongs, and what an empty cell means."""
_FLAGS = frozenset(flag.value for flag in Quality)


class CsvTable:
    """Lines of one table, read by its header. ``zone`` is that of times without an offset; None refuses them."""

    def __init__(self, header: str, zone: ZoneInfo | None = None) -> None:
        """Raises Unprocessable where the header does not name what is needed."""
        names = _names(header)
        wrong = [name for name in names if name not in FIELDS]
        lacking = [name for name in _NEEDED if name not in names]
        if wrong or lacking or len(set(names)) < len(names) or not {"station", "station_id"} & set(names):
            raise Unprocessable(
                f"The first line has to name the columns: station (or station_id), property, time, value, and if you "
                f"like quality, unit, cadence; each once, separated by commas. It is '{header.strip()[:200]}'."
            )
        self._width = len(names)
        self._places = {name: names.index(name) for name in FIELDS if name in names}
        self._in_utc = None if zone is None else _with_offset_of(zone)

    def rows(self, lines: Sequence[str]) -> Rows:
        """The rows of these lines; one that cannot be read is refused by itself."""
        refused: dict[int, str] = {}
        cells = self._all_cells(lines, refused)
        columns = list(zip(*cells, strict=True)) if cells else [()] * self._width

        def column(name: str) -> Sequence[str] | None:
            place = self._places.get(name)
            return None if place is None else columns[place]

        addresses = _addresses(column, len(cells))
        times = list(map(str.strip, column("time") or ()))
        if self._in_utc is not None:
            times = list(map(self._in_utc, times))
        flags = column("quality")
        return Rows(
            addresses,
            times,
            _values(column("value") or (), refused),
            [Quality.NORMAL.value] * len(cells) if flags is None else _flags(flags, refused),
            refused,
        )

    def _all_cells(self, lines: Sequence[str], refused: dict[int, str]) -> list[list[str]]:
        """The cells of each line, at once where nothing is quoted and nothing amiss."""
        if not any('"' in line for line in lines):
            cells = [line.split(",") for line in lines]
            if set(map(len, cells)) == {self._width}:
                return cells
        return [self._cells(line, index, refused) for index, line in enumerate(lines)]

    def _cells(self, line: str, index: int, refused: dict[int, str]) -> list[str]:
        try:
            cells = next(csv.reader([line], strict=True), []) if '"' in line else line.split(",")
        except csv.Error as error:
            refused[index] = f"not CSV: {error}"
            return [""] * self._width
        if len(cells) != self._width:
            refused[index] = f"{len(cells)} cells, and the header has {self._width}"
            return [""] * self._width
        return cells


def read_csv(body: bytes, charset: str, zone: ZoneInfo | None) -> Rows:
    """The rows of a whole table. Raises Unprocessable where it has no header, no rows or too many."""
    try:
        text = body.decode(charset)
    except UnicodeDecodeError as error:
        raise Unprocessable(f"The table is not {charset}: {error.reason} at byte {error.start}.") from error
    header, *lines = text.removeprefix("\ufeff").replace("\r", "\n").split("\n")
    table = CsvTable(header, zone)
    lines = [line for line in lines if line.strip()]
    checked_count(len(lines))
    return table.rows(lines)


def _names(header: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([header]), [])]
    except csv.Error:
        return []


def _addresses(column: Callable[[str], Sequence[str] | None], count: int) -> list[tuple[str | None, ...]]:
    """The fields of ``Address`` of each row. A table has few different ones: each is tidied up once."""
    named = [column(name) for name in _ADDRESS]
    told = list(zip(*(repeat("", count) if texts is None else texts for texts in named), strict=True))
    tidy = {
        texts: tuple(text.strip() or otherwise for text, otherwise in zip(texts, _ADDRESS.values(), strict=True))
        for texts in set(told)
    }
    return [tidy[texts] for texts in told]


def _values(texts: Sequence[str], refused: dict[int, str]) -> list[float | None]:
    try:
        values = list(map(float, texts))
        # Python reads numbers with "_", which nobody means.
        if all(map(math.isfinite, values)) and "_" not in "".join(texts):
            return [*values]
    except ValueError:
        pass
    return [_value(text, index, refused) for index, text in enumerate(texts)]


def _value(text: str, index: int, refused: dict[int, str]) -> float | None:
    if not text.strip():
        return None
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        refused.setdefault(index, f"value: '{text[:40]}' is no number; leave it empty where there is none")
        return None
    return value


def _flags(texts: Sequence[str], refused: dict[int, str]) -> list[str]:
    flags = [text.strip().upper() or Quality.NORMAL.value for text in texts]
    if not _FLAGS.issuperset(flags):
        for index, flag in enumerate(flags):
            if flag not in _FLAGS:
                refused.setdefault(index, f"quality: no flag '{flag[:10]}'")
                flags[index] = Quality.NORMAL.value
    return flags


def _with_offset_of(zone: ZoneInfo) -> Callable[[str], str]:
    @lru_cache(maxsize=10_000)  # a table has many rows of one time
    def with_offset(text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
            return text if moment.tzinfo is not None else moment.replace(tzinfo=zone).isoformat()
        except (ValueError, OverflowError):
            return text

    return with_offset
