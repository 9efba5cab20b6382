"""What is edited over HTTP in versions: how it is asked for, and told."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

from services.alerts.rules import Origin
from shared.park_file import Line
from shared.problems import Conflict

Limit = Annotated[int, Query(ge=1, le=1000)]
Reason = Annotated[Line, Query(description="why; it is kept")]
Version = Annotated[int, Query(ge=1, description="the version that was read: 409 where somebody else changed it since")]
Before = Annotated[int | None, Query(ge=1, lt=2**31)]
"""The cursor of a list of versions."""


def check_version(what: str, origin: Origin, version: int) -> None:
    """Raises Conflict where `version` is not the one in force."""
    if origin.version != version:
        raise Conflict(
            f"The {what} is at version {origin.version}, changed by {origin.by}; read it again.",
            version=origin.version,
        )


def page_of(found: Sequence[tuple[object, Origin]], limit: int, name: str) -> dict[str, Any]:
    """A page of versions, each with what was said under `name`; `found` has one more where there are more."""
    shown = [
        {
            "version": origin.version,
            name: said,
            "reason": origin.reason,
            "updated_by": origin.by,
            "updated_at": origin.at,
        }
        for said, origin in found[:limit]
    ]
    return {"items": shown, "next": str(shown[-1]["version"]) if len(found) > limit else None}
