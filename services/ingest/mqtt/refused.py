"""Refused MQTT messages in the database: kept for a while, to be read again once they can be understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

MAX_KEPT = 2000
"""Of one park; what comes above it is refused without being kept, so that nobody fills the table."""
_COLUMNS = "id, received_at, topic, payload, reason, faults"
_NEWEST = 2**63 - 1
_KEEP = text(
    """
    INSERT INTO mqtt_refusal (park_id, received_at, topic, payload, reason, faults)
    SELECT :park, :at, :topic, :payload, :reason, :faults
    WHERE (SELECT count(*) FROM mqtt_refusal WHERE park_id = :park) < :most
    """
)
_LATEST = text(
    f"SELECT {_COLUMNS} FROM mqtt_refusal WHERE park_id = :park AND id < :before ORDER BY id DESC LIMIT :limit"  # noqa: S608
)
_OLDEST = text(
    f"SELECT {_COLUMNS} FROM mqtt_refusal WHERE park_id = :park AND id > :after ORDER BY id LIMIT :limit"  # noqa: S608
)
_FORGET = text("DELETE FROM mqtt_refusal WHERE park_id = :park AND id = :id")
_STILL = text("UPDATE mqtt_refusal SET reason = :reason, faults = :faults WHERE park_id = :park AND id = :id")


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message as it came, and why ``faults`` of its readings were refused, the first of them."""

    id: int
    received_at: datetime
    topic: str
    payload: bytes
    reason: str
    faults: int


async def keep(
    connection: AsyncConnection, park_id: str, at: datetime, topic: str, payload: bytes, reason: str, faults: int
) -> None:
    """Keep a message, where the park has not too many."""
    given = {"park": park_id, "at": at, "topic": topic, "payload": payload, "reason": reason, "faults": faults}
    await connection.execute(_KEEP, given | {"most": MAX_KEPT})


async def latest(connection: AsyncConnection, park_id: str, before: int | None, limit: int) -> Sequence[RefusedMessage]:
    """Messages of a park, the latest first."""
    given = {"park": park_id, "before": _NEWEST if before is None else before, "limit": limit}
    return [RefusedMessage(*row) for row in await connection.execute(_LATEST, given)]


async def oldest(connection: AsyncConnection, park_id: str, after: int, limit: int) -> Sequence[RefusedMessage]:
    """Messages of a park that came after one, the oldest first."""
    given = {"park": park_id, "after": after, "limit": limit}
    return [RefusedMessage(*row) for row in await connection.execute(_OLDEST, given)]


async def forget(connection: AsyncConnection, park_id: str, number: int) -> None:
    """All of a message is stored now."""
    await connection.execute(_FORGET, {"park": park_id, "id": number})


async def still_refused(connection: AsyncConnection, park_id: str, number: int, reason: str, faults: int) -> None:
    """Note why a message cannot be understood yet."""
    await connection.execute(_STILL, {"park": park_id, "id": number, "reason": reason, "faults": faults})
