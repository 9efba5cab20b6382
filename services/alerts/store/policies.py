"""The parks' policies: what differs from the defaults, with who said so and why."""

import json
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.notifications import Policy
from services.alerts.store import waiting
from shared.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy as it is kept; `version` 0 is the default, that nobody has changed."""

    policy: Policy
    version: int = 0
    updated_by: str | None = None
    reason: str | None = None
    updated_at: datetime | None = None


async def of_park(connection: AsyncConnection, park_id: str) -> Policy:
    """The policy in force."""
    return (await kept(connection, park_id)).policy


async def kept(connection: AsyncConnection, park_id: str) -> KeptPolicy:
    """The policy with who changed it last, and why."""
    rows = await connection.execute(
        text(
            "SELECT version, CAST(document AS text) AS document, updated_by, reason, updated_at "
            "FROM park_policy WHERE park_id = :park_id"
        ),
        {"park_id": park_id},
    )
    row = rows.first()
    return _kept(row) if row is not None else KeptPolicy(Policy())


async def save(
    connection: AsyncConnection, park_id: str, policy: Policy, actor: str, reason: str, now: datetime
) -> KeptPolicy:
    """Replace the policy of a park; only what was said is kept, so that defaults stay defaults.

    It counts for the alarms that wait already, too.
    """
    await waiting.look_at_park(connection, park_id, now)
    rows = await connection.execute(
        text(
            """
            INSERT INTO park_policy (park_id, version, document, updated_by, reason, updated_at)
            VALUES (:park_id, 1, CAST(:document AS jsonb), :actor, :reason, :now)
            ON CONFLICT (park_id) DO UPDATE SET version = park_policy.version + 1, document = excluded.document,
                updated_by = excluded.updated_by, reason = excluded.reason, updated_at = excluded.updated_at
            RETURNING version, CAST(document AS text) AS document, updated_by, reason, updated_at
            """
        ),
        {
            "park_id": park_id,
            "document": json.dumps(policy.model_dump(mode="json", exclude_unset=True)),
            "actor": actor,
            "reason": reason,
            "now": now,
        },
    )
    return _kept(rows.one())


def read(document: str) -> Policy:
    """As it was said; the default where it cannot be read, such as that of a newer version: no alarm waits for that."""
    try:
        return Policy.model_validate_json(document)
    except ValidationError:
        log.exception("policy_unreadable")
        return Policy()


def _kept(row: Row[tuple[int, str, str, str, datetime]]) -> KeptPolicy:
    return KeptPolicy(read(row.document), row.version, row.updated_by, row.reason, row.updated_at)
