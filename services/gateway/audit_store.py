"""The audit's table: append only, whoever asks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth import Via

_INSERT = text(
    """
    INSERT INTO audit (at, key_prefix, actor, method, path, park_id, status, trace_id, via, organisation_id)
    VALUES (:at, :key_prefix, :actor, :method, :path, :park_id, :status, :trace_id, :via, :organisation_id)
    """
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when, by which way, with which outcome.

    `key_prefix` recognises the credential: the prefix of a key, the member of a token. What the command line does has
    its command as the method, and the status 200.
    """

    at: datetime
    key_prefix: str
    actor: str
    method: str
    path: str
    park_id: str | None
    status: int
    trace_id: str
    via: Via = Via.KEY
    organisation_id: str | None = None


async def append(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Add entries, in the caller's transaction."""
    if entries:
        await connection.execute(_INSERT, [asdict(entry) for entry in entries])
