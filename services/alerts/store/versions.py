"""Every version of documents that are edited: what each said, who, when and why. They outlive what is in force."""

from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Origin

Said = TypeVar("Said", bound=BaseModel)


class Versions(Generic[Said]):
    """The versions in one table, with what was said in the column `column` as a JSON document of `model`."""

    def __init__(self, table: str, column: str, model: type[Said]) -> None:
        self._model = model
        self._write = text(
            f"INSERT INTO {table} (id, version, park_id, {column}, reason, updated_by, updated_at) "  # noqa: S608
            "VALUES (:id, :version, :park_id, CAST(:document AS jsonb), :reason, :by, :at)"
        )
        self._read = text(
            f"SELECT CAST({column} AS text) AS said, version, updated_by, reason, updated_at FROM {table} "  # noqa: S608
            "WHERE id = :id AND park_id = :park_id AND (CAST(:before AS int) IS NULL OR version < :before) "
            "ORDER BY version DESC LIMIT :limit"
        )

    async def add(self, connection: AsyncConnection, park_id: str, origin: Origin, document: str | None) -> None:
        """Keep one more; without a document it is removed from then on."""
        await connection.execute(self._write, {**parameters(park_id, origin), "document": document})

    async def page(
        self, connection: AsyncConnection, park_id: str, document_id: UUID, limit: int, before: int | None
    ) -> list[tuple[Said | None, Origin]]:
        """What one said (None: it was removed) and who, when and why: the latest version first."""
        rows = await connection.execute(
            self._read, {"id": document_id, "park_id": park_id, "before": before, "limit": limit}
        )
        return [
            (
                self._model.model_validate_json(row.said) if row.said is not None else None,
                Origin("api", document_id, row.version, row.updated_by, row.updated_at, row.reason),
            )
            for row in rows
        ]


def parameters(park_id: str, origin: Origin) -> dict[str, Any]:
    """`id`, `park_id`, `version`, `reason`, `by` and `at` of a statement that writes a document or a version of it."""
    return {
        "id": origin.override_id,
        "park_id": park_id,
        "version": origin.version,
        "reason": origin.reason,
        "by": origin.by,
        "at": origin.at,
    }
