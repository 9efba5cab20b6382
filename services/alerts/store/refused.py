"""Facts that were set aside because they could not be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TOLD = "stream, position, reason, refused_at, octet_length(payload) AS payload_bytes, replayed_at, replayed_by"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends."""

    refused_at: datetime
    stream: str
    position: int


async def page(
    connection: AsyncConnection, *, waiting: bool, limit: int, after: Place | None
) -> list[Mapping[str, Any]]:
    """The facts that were set aside, the first first; of `waiting` only those that were not replayed."""
    rows = await connection.execute(
        text(
            f"SELECT {_TOLD} FROM refused_fact WHERE (NOT :waiting OR replayed_at IS NULL) "  # noqa: S608
            "AND (CAST(:stream AS text) IS NULL OR (refused_at, stream, position) > "
            "(CAST(:refused_at AS timestamptz), CAST(:stream AS text), CAST(:position AS bigint))) "
            "ORDER BY refused_at, stream, position LIMIT :limit"
        ),
        {
            "waiting": waiting,
            "limit": limit,
            "refused_at": after.refused_at if after is not None else None,
            "stream": after.stream if after is not None else None,
            "position": after.position if after is not None else None,
        },
    )
    return [dict(row) for row in rows.mappings()]


async def one(connection: AsyncConnection, stream: str, position: int, most_bytes: int) -> Mapping[str, Any] | None:
    """One of them, with the first `most_bytes` of its payload."""
    rows = await connection.execute(
        text(
            f"SELECT {_TOLD}, substring(payload FOR CAST(:most AS integer)) AS payload FROM refused_fact "  # noqa: S608
            "WHERE stream = :stream AND position = :position"
        ),
        {"stream": stream, "position": position, "most": most_bytes},
    )
    row = rows.mappings().first()
    return dict(row) if row is not None else None


async def mark_replayed(connection: AsyncConnection, stream: str, position: int, actor: str) -> datetime | None:
    """Say that one is replayed, by whom; when that was said. None where it was replayed already, or is not there.

    The row stays locked until the end of the transaction.
    """
    rows = await connection.execute(
        text(
            "UPDATE refused_fact SET replayed_at = now(), replayed_by = :actor "
            "WHERE stream = :stream AND position = :position AND replayed_at IS NULL RETURNING replayed_at"
        ),
        {"stream": stream, "position": position, "actor": actor},
    )
    found: datetime | None = rows.scalar()
    return found
