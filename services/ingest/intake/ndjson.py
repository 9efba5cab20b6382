"""Readings as JSON lines: one row a line."""

from services.ingest.intake.rows import UNREADABLE, as_columns, checked_count, decode_lines, one_by_one
from services.ingest.intake.taken import Rows


def read_lines(body: bytes) -> Rows:
    """The rows of a body of lines, blank ones left out. Raises Unprocessable where there are none, or too many."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    checked_count(len(lines))
    refused: dict[int, str] = {}
    try:
        rows = decode_lines(b"\n".join(lines))
    except UNREADABLE:
        rows = one_by_one(lines, refused)
    return as_columns(rows, refused)
