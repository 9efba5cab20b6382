"""The audit's table: append only, whoever asks."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.auth import Via
from shared.time import from_microseconds, to_microseconds

_INSERT = text(
    """
    INSERT INTO audit (at, key_prefix, actor, method, path, park_id, status, trace_id, via, organisation_id)
    VALUES (:at, :key_prefix, :actor, :method, :path, :park_id, :status, :trace_id, :via, :organisation_id)
    """
)
_COLUMNS = "id, at, key_prefix, actor, method, path, park_id, status, trace_id, via, organisation_id"
_PIECE = 1000


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the table, under its number."""

    id: int
    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Which entries are asked for; None asks for all. `end` is not part of the span, `path` is how it begins."""

    park_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    actor: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """How far the entries were read: up to the one of this moment and number."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{to_microseconds(self.at)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "AuditPlace":
        """The place written as `text`; raises `ValueError` for what is none."""
        microseconds, _, number = text.partition("-")
        if not (text.isascii() and microseconds.isdigit() and number.isdigit()) or int(number) >= 2**63:
            raise ValueError("not a cursor that this list gave")
        try:
            return cls(from_microseconds(int(microseconds)), int(number))
        except OverflowError as error:
            raise ValueError("not a cursor that this list gave") from error


async def page(
    engine: AsyncEngine, question: AuditQuestion, after: AuditPlace | None, limit: int, *, newest_first: bool
) -> list[Recorded]:
    """At most `limit` entries beyond `after`."""
    conditions, parameters = _conditions(question)
    if after is not None:
        conditions.append(f"(at, id) {'<' if newest_first else '>'} (:after_at, :after_id)")
        parameters |= {"after_at": after.at, "after_id": after.id}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "DESC" if newest_first else "ASC"
    statement = f"SELECT {_COLUMNS} FROM audit {where} ORDER BY at {order}, id {order} LIMIT :limit"  # noqa: S608
    async with engine.connect() as connection:
        rows = (await connection.execute(text(statement), parameters | {"limit": limit})).mappings()
        return [_recorded(dict(row)) for row in rows]


async def whole(engine: AsyncEngine, question: AuditQuestion) -> AsyncIterator[list[Recorded]]:
    """All entries asked for, oldest first, in pieces; no connection is held between two of them."""
    after: AuditPlace | None = None
    while piece := await page(engine, question, after, _PIECE, newest_first=False):
        yield piece
        after = AuditPlace(piece[-1].entry.at, piece[-1].id)


def _conditions(question: AuditQuestion) -> tuple[list[str], dict[str, Any]]:
    asked = {
        "park_id": ("park_id = :park_id", question.park_id),
        "start": ("at >= :start", question.start),
        "end": ("at < :end", question.end),
        "actor": ("actor = :actor", question.actor),
        "path": ("starts_with(path, :path)", question.path),
    }
    given = {name: pair for name, pair in asked.items() if pair[1] is not None}
    return [condition for condition, _ in given.values()], {name: value for name, (_, value) in given.items()}


def _recorded(row: dict[str, Any]) -> Recorded:
    number = row.pop("id")
    return Recorded(number, AuditEntry(**row | {"via": Via(row["via"])}))
