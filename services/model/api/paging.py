"""Cursors: where a page ended, for a caller to pass back."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from shared.problems import BadRequest
from shared.time import iso


def encoded(created_at: datetime, run_id: UUID) -> str:
    """The cursor behind an entry."""
    return base64.urlsafe_b64encode(f"{iso(created_at)} {run_id}".encode()).decode()


def decoded(cursor: str) -> tuple[datetime, UUID]:
    """The inverse of `encoded`; raises BadRequest."""
    try:
        time, run_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(time), UUID(run_id)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("cursor: pass back what `next` gave, unchanged.") from error
