"""What the commands print: tables for a person, JSON lines for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 160


def plain(text: object) -> str:
    """The text without what could steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in str(text))


def number(value: float | None, unit: str | None = None) -> str:
    """A value with its unit."""
    if value is None:
        return "-"
    return f"{value:g} {unit}" if unit else f"{value:g}"


def local(moment: datetime | None) -> str:
    """A moment in the zone of this machine, with its offset."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S%z")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on standard output."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)).print(shown)


def line(*parts: object) -> None:
    """Print one line at once: somebody may be reading along."""
    print(*(plain(part) for part in parts), flush=True)


def json_lines(documents: Iterable[BaseModel]) -> None:
    """Print each as one line of JSON, as it comes."""
    for one in documents:
        json_line(one.model_dump(mode="json"))


def json_line(document: dict[str, Any]) -> None:
    """Print one line of JSON at once."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
