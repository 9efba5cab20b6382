"""CSV files in parts that one request may hold; a row never spans two."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fenceline_client.commands.refusal import Refusal
from fenceline_client.operations import MAX_ROWS

MAX_PART = 8 * 2**20
"""Characters of one part; a request may have 16 MiB."""
MAX_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """A table of its own, with the header, in UTF-8; `lines` are the rows' line numbers in the file."""

    table: bytes
    lines: list[int]


def parts(path: Path, encoding: str, max_rows: int = MAX_ROWS) -> Iterator[Part]:
    """The file in parts; raises `Refusal` for one that cannot be read or has no row."""
    csv.field_size_limit(MAX_CELL)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            table, lines = _begin(header)
            sent = False
            for row in reader:
                if not row:
                    continue
                csv.writer(table, lineterminator="\n").writerow(row)
                lines.append(reader.line_num)
                if len(lines) == max_rows or table.tell() > MAX_PART:
                    sent = True
                    yield Part(table.getvalue().encode(), lines)
                    table, lines = _begin(header)
            if lines:
                yield Part(table.getvalue().encode(), lines)
            elif not sent:
                raise Refusal(f"{path} has no rows below its header", f"{path} 没有数据行")
    except LookupError as error:
        raise Refusal(f"--encoding: {encoding!r} is not known", "--encoding：未知编码") from error
    except UnicodeError as error:
        raise Refusal(
            f"{path} is not {encoding}: try --encoding gb18030", f"{path} 不是 {encoding} 编码：请试 --encoding gb18030"
        ) from error
    except csv.Error as error:
        raise Refusal(f"{path} is not a CSV table: {error}", f"{path} 不是 CSV 表格") from error
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}", f"无法读取 {path}") from error


def _begin(header: list[str]) -> tuple[io.StringIO, list[int]]:
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerow(header)
    return table, []
