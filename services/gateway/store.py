"""The gateway's API keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.audit_store import AuditEntry, append
from services.gateway.auth import KeyRecord
from services.gateway.identity_store import MEMBER_COLUMNS, MEMBER_TABLES, member_of
from services.gateway.scopes import Scope

MOST_KEYS = 10_000
_SELECT = f"""
    SELECT k.prefix, k.name, k.secret_digest, k.parks, k.scopes, k.created_at, k.expires_at, k.revoked_at,
           k.last_used_at, k.successor, {MEMBER_COLUMNS}
    FROM api_key k LEFT JOIN ({MEMBER_TABLES}) ON m.id = k.member_id
"""  # noqa: S608  constants
_KEY = text(f"{_SELECT} WHERE k.prefix = :prefix")
_KEYS = text(f"{_SELECT} ORDER BY k.created_at, k.prefix LIMIT {MOST_KEYS}")
_CURRENT = text(f"{_SELECT} WHERE (k.prefix = :which OR k.name = :which) AND k.successor IS NULL FOR UPDATE OF k")
_UPSERT_KEY = text(
    """
    INSERT INTO api_key (prefix, name, secret_digest, parks, scopes, created_at, expires_at, member_id)
    VALUES (:prefix, :name, :secret_digest, :parks, :scopes, :created_at, :expires_at, :member_id)
    ON CONFLICT (prefix) DO UPDATE SET
        name = excluded.name, secret_digest = excluded.secret_digest, parks = excluded.parks,
        scopes = excluded.scopes, expires_at = excluded.expires_at, member_id = excluded.member_id
    WHERE api_key.revoked_at IS NULL AND api_key.successor IS NULL
    """
)
_RETIRE = text(
    "UPDATE api_key SET successor = :successor, expires_at = least(expires_at, :until) WHERE prefix = :prefix"
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


@dataclass(frozen=True, slots=True)
class Rotated:
    """A key that was followed by another."""

    old: KeyRecord
    new: KeyRecord


class Store:
    """SQL of the keys. Every method is one transaction; `note` is written to the audit within it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def key(self, prefix: str) -> KeyRecord | None:
        """The key with `prefix`, revoked and expired ones too."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_KEY, {"prefix": prefix})).mappings().first()
        return _record(row) if row is not None else None

    async def keys(self) -> list[KeyRecord]:
        """Every key (at most `MOST_KEYS`), oldest first."""
        async with self._engine.connect() as connection:
            return [_record(row) for row in (await connection.execute(_KEYS)).mappings()]

    async def put_key(self, record: KeyRecord, note: AuditEntry | None = None) -> bool:
        """Write a key, or bring the one of the same prefix up to date; False when that was revoked or rotated."""
        async with self._engine.begin() as connection:
            done = await _put(connection, record)
            if done and note is not None:
                await append(connection, [note])
        return done

    async def rotate(self, which: str, fresh: KeyRecord, until: datetime, note: AuditEntry) -> Rotated | None:
        """Have `fresh` follow the valid key with this prefix or name, with its name and rights; None without one.

        Of `fresh` count the prefix, the digest and the times. The old key is good until `until`, or its own end.
        """
        async with self._engine.begin() as connection:
            row = (await connection.execute(_CURRENT, {"which": which})).mappings().first()
            old = _record(row) if row is not None else None
            if old is None or not old.is_valid(fresh.created_at):
                return None
            new = replace(fresh, name=old.name, parks=old.parks, scopes=old.scopes, member=old.member)
            await connection.execute(_RETIRE, {"prefix": old.prefix, "successor": new.prefix, "until": until})
            await _put(connection, new)
            await append(connection, [replace(note, path=f"/keys/{old.prefix}")])
        return Rotated(old, new)

    async def revoke(self, which: str, now: datetime, note: AuditEntry | None = None) -> list[str]:
        """Revoke the keys with this prefix or name; answers the prefixes that were."""
        async with self._engine.begin() as connection:
            done = list((await connection.execute(_REVOKE, {"which": which, "now": now})).scalars())
            if note is not None:
                await append(connection, [replace(note, path=f"/keys/{prefix}") for prefix in done])
        return done

    async def mark_used(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were last used."""
        prefixes = sorted(used)
        async with self._engine.begin() as connection:
            await connection.execute(_MARK_USED, {"prefixes": prefixes, "times": [used[prefix] for prefix in prefixes]})

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit."""
        async with self._engine.begin() as connection:
            await append(connection, entries)


async def _put(connection: AsyncConnection, record: KeyRecord) -> bool:
    parameters = {
        "prefix": record.prefix,
        "name": record.name,
        "secret_digest": record.secret_digest,
        "parks": sorted(record.parks),
        "scopes": sorted(record.scopes),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "member_id": record.member.id if record.member else None,
    }
    return (await connection.execute(_UPSERT_KEY, parameters)).rowcount == 1


def _record(row: RowMapping) -> KeyRecord:
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
        member=member_of(row) if row["member_id"] is not None else None,
        successor=row["successor"],
    )
