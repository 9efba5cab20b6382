"""Overrides of rules that are set over the API: what is in force, and every version of it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Origin, Override
from services.alerts.store import versions
from shared.park_file import RuleNumbers

MOST = 20_000
"""In one park."""
VERSIONS = versions.Versions("override_version", "numbers", RuleNumbers)
_SELECT = "SELECT *, CAST(numbers AS text) AS said FROM override "


async def lock(connection: AsyncConnection, park_id: str, actor: str) -> None:
    """Begin a change of a park's rules: one at a time, and each makes the evaluation load them again."""
    await connection.execute(
        text(
            """
            INSERT INTO rule_override (park_id, version, rules, updated_by) VALUES (:park_id, 1, '[]', :actor)
            ON CONFLICT (park_id) DO UPDATE SET version = rule_override.version + 1
            """
        ),
        {"park_id": park_id, "actor": actor},
    )


async def all_of(connection: AsyncConnection, park_id: str | None = None) -> Iterable[tuple[str, Override]]:
    """Every override with its park; of one park or of all."""
    rows = await connection.execute(
        text(_SELECT + "WHERE CAST(:park_id AS text) IS NULL OR park_id = CAST(:park_id AS text) ORDER BY id"),
        {"park_id": park_id},
    )
    return [(row.park_id, _override(row)) for row in rows]


async def page(connection: AsyncConnection, park_id: str, limit: int, after: UUID | None) -> list[Override]:
    """Some of a park, by id."""
    rows = await connection.execute(
        text(
            _SELECT + "WHERE park_id = :park_id AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) "
            "ORDER BY id LIMIT :limit"
        ),
        {"park_id": park_id, "after": after, "limit": limit},
    )
    return [_override(row) for row in rows]


async def one(connection: AsyncConnection, park_id: str, override_id: UUID) -> Override | None:
    """The override in force; None where there is none of this id in the park."""
    rows = await connection.execute(
        text(_SELECT + "WHERE park_id = :park_id AND id = :id"), {"park_id": park_id, "id": override_id}
    )
    row = rows.one_or_none()
    return _override(row) if row is not None else None


async def about(connection: AsyncConnection, park_id: str, override: Override) -> Override | None:
    """The override in force about the same as this one."""
    rows = await connection.execute(
        text(
            _SELECT + "WHERE park_id = :park_id AND name = :name AND property_id = :property_id "
            "AND ring IS NOT DISTINCT FROM :ring AND station_id IS NOT DISTINCT FROM :station_id "
            "AND datastream_id IS NOT DISTINCT FROM :datastream_id"
        ),
        {
            "park_id": park_id,
            "name": override.name,
            "property_id": override.property_id,
            "ring": override.ring,
            "station_id": override.station_id,
            "datastream_id": override.datastream_id,
        },
    )
    row = rows.one_or_none()
    return _override(row) if row is not None else None


async def count(connection: AsyncConnection, park_id: str) -> int:
    """How many a park has."""
    found: int = (
        await connection.execute(text("SELECT count(*) FROM override WHERE park_id = :park_id"), {"park_id": park_id})
    ).scalar_one()
    return found


async def save(connection: AsyncConnection, park_id: str, override: Override) -> None:
    """Put a new one, or the next version of one, in force. The park must be locked."""
    parameters = _parameters(park_id, override)
    await connection.execute(
        text(
            """
            INSERT INTO override (id, park_id, version, name, property_id, ring, station_id, datastream_id, numbers,
                reason, updated_by, updated_at)
            VALUES (:id, :park_id, :version, :name, :property_id, :ring, :station_id, :datastream_id,
                CAST(:numbers AS jsonb), :reason, :by, :at)
            ON CONFLICT (id) DO UPDATE SET version = excluded.version, numbers = excluded.numbers,
                reason = excluded.reason, updated_by = excluded.updated_by, updated_at = excluded.updated_at
            """
        ),
        parameters,
    )
    await VERSIONS.add(connection, park_id, override.origin, parameters["numbers"])


async def remove(connection: AsyncConnection, park_id: str, origin: Origin) -> None:
    """Take one out of force; `origin` says which, who and why. The park must be locked."""
    await connection.execute(text("DELETE FROM override WHERE id = :id"), {"id": origin.override_id})
    await VERSIONS.add(connection, park_id, origin, None)


def _parameters(park_id: str, override: Override) -> dict[str, Any]:
    return versions.parameters(park_id, override.origin) | {
        "name": override.name,
        "property_id": override.property_id,
        "ring": override.ring,
        "station_id": override.station_id,
        "datastream_id": override.datastream_id,
        "numbers": override.rule.model_dump_json(exclude_none=True),
    }


def _override(row: Row[Any]) -> Override:
    return Override(
        row.property_id,
        row.ring,
        row.station_id,
        RuleNumbers.model_validate_json(row.said),
        row.datastream_id,
        Origin("api", row.id, row.version, row.updated_by, row.updated_at, row.reason),
        row.name,
    )
