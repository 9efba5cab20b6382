"""The gateway's tables: API keys and the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.auth import KeyRecord, Scope

_COLUMNS = "prefix, name, secret_digest, parks, scopes, created_at, expires_at, revoked_at, last_used_at"
_UPSERT_KEY = text(
    """
    INSERT INTO api_key (prefix, name, secret_digest, parks, scopes, created_at, expires_at)
    VALUES (:prefix, :name, :secret_digest, :parks, :scopes, :created_at, :expires_at)
    ON CONFLICT (prefix) DO UPDATE SET
        name = excluded.name, secret_digest = excluded.secret_digest, parks = excluded.parks,
        scopes = excluded.scopes, expires_at = excluded.expires_at
    WHERE api_key.revoked_at IS NULL
    """
)
_REVOKE = text(
    "UPDATE api_key SET revoked_at = :now WHERE (prefix = :which OR name = :which) AND revoked_at IS NULL"
    " RETURNING prefix"
)
_MARK_USED = text(
    """
    UPDATE api_key SET last_used_at = used.at
    FROM unnest(CAST(:prefixes AS text[]), CAST(:times AS timestamptz[])) AS used (prefix, at)
    WHERE api_key.prefix = used.prefix AND (last_used_at IS NULL OR last_used_at < used.at)
    """
)
_INSERT_AUDIT = text(
    """
    INSERT INTO audit (at, key_prefix, actor, method, path, park_id, status, trace_id)
    VALUES (:at, :key_prefix, :actor, :method, :path, :park_id, :status, :trace_id)
    """
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when, with which outcome."""

    at: datetime
    key_prefix: str
    actor: str
    method: str
    path: str
    park_id: str | None
    status: int
    trace_id: str


class Store:
    """SQL of the gateway. Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def key(self, prefix: str) -> KeyRecord | None:
        """The key with `prefix`, revoked and expired ones too."""
        async with self._engine.connect() as connection:
            found = await connection.execute(
                text(f"SELECT {_COLUMNS} FROM api_key WHERE prefix = :prefix"),  # noqa: S608  a constant
                {"prefix": prefix},
            )
            row = found.mappings().first()
        return _record(row) if row is not None else None

    async def keys(self) -> list[KeyRecord]:
        """Every key, oldest first."""
        async with self._engine.connect() as connection:
            found = await connection.execute(
                text(f"SELECT {_COLUMNS} FROM api_key ORDER BY created_at, prefix")  # noqa: S608  a constant
            )
            return [_record(row) for row in found.mappings()]

    async def put_key(self, record: KeyRecord) -> bool:
        """Write a key, or bring the one of the same prefix up to date; False when that one was revoked."""
        parameters = {
            "prefix": record.prefix,
            "name": record.name,
            "secret_digest": record.secret_digest,
            "parks": sorted(record.parks),
            "scopes": sorted(record.scopes),
            "created_at": record.created_at,
            "expires_at": record.expires_at,
        }
        async with self._engine.begin() as connection:
            done = await connection.execute(_UPSERT_KEY, parameters)
        return done.rowcount == 1

    async def revoke(self, which: str, now: datetime) -> list[str]:
        """Revoke the key with this prefix or name; answers the prefixes that were."""
        async with self._engine.begin() as connection:
            done = await connection.execute(_REVOKE, {"which": which, "now": now})
            return list(done.scalars())

    async def mark_used(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were last used."""
        prefixes = sorted(used)
        async with self._engine.begin() as connection:
            await connection.execute(_MARK_USED, {"prefixes": prefixes, "times": [used[prefix] for prefix in prefixes]})

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit."""
        async with self._engine.begin() as connection:
            await connection.execute(_INSERT_AUDIT, [asdict(entry) for entry in entries])


def _record(row: RowMapping | Mapping[str, Any]) -> KeyRecord:
    return KeyRecord(
        prefix=row["prefix"],
        name=row["name"],
        secret_digest=bytes(row["secret_digest"]),
        parks=frozenset(row["parks"]),
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
