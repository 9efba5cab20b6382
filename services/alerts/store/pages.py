"""Pages of lists that have the latest first, by a moment and an id."""

from datetime import datetime
from typing import Any
from uuid import UUID

Place = tuple[datetime, UUID]
"""Moment and id of the item behind which a page begins."""


def parameters(limit: int, after: Place | None) -> dict[str, Any]:
    """`limit`, `after_time` and `after_id` of a statement; the latter two are null for the first page."""
    after_time, after_id = after if after is not None else (None, None)
    return {"limit": limit, "after_time": after_time, "after_id": after_id}
