"""Cursors: where a page ended, for a caller to pass back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared import cursors
from shared.time import iso


def encoded(created_at: datetime, run_id: UUID) -> str:
    """The cursor behind an entry."""
    return cursors.write(iso(created_at), run_id)


def decoded(cursor: str) -> tuple[datetime, UUID]:
    """The inverse of `encoded`; raises BadRequest."""
    return cursors.read(cursor, _place)


def _place(parts: list[str]) -> tuple[datetime, UUID]:
    time, run_id = parts
    return datetime.fromisoformat(time), UUID(run_id)
