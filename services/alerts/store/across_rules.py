"""Rules across stations: what is in force, and every version of it. Changes are made under the park's lock
(`overrides.lock`), which makes the evaluation load them again."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Origin
from services.alerts.rules.across import ParkRule
from services.alerts.store import overrides, versions
from shared.park_file import AcrossRule

MOST = 100
"""In one park."""
VERSIONS = versions.Versions("across_rule_version", "document", AcrossRule)
_SELECT = "SELECT *, CAST(document AS text) AS said FROM across_rule "
_WRITE = text(
    """
    INSERT INTO across_rule (id, park_id, name, origin, version, document, reason, updated_by, updated_at)
    VALUES (:id, :park_id, :name, :origin, :version, CAST(:document AS jsonb), :reason, :by, :at)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document, reason = excluded.reason,
        updated_by = excluded.updated_by, updated_at = excluded.updated_at
    """
)


async def in_force(connection: AsyncConnection, park_id: str | None = None) -> dict[str, list[ParkRule]]:
    """The rules by park, by name; of one park or of all. What was set over the API counts before the park file."""
    rows = await connection.execute(
        text(
            _SELECT + "WHERE CAST(:park_id AS text) IS NULL OR park_id = CAST(:park_id AS text) "
            "ORDER BY park_id, name, origin DESC"
        ),
        {"park_id": park_id},
    )
    found: defaultdict[str, dict[str, ParkRule]] = defaultdict(dict)
    for row in rows:
        found[row.park_id][row.name] = _rule(row)
    return {park: list(rules.values()) for park, rules in found.items()}


async def one(connection: AsyncConnection, park_id: str, rule_id: UUID) -> ParkRule | None:
    """One of a park by its id."""
    rows = await connection.execute(
        text(_SELECT + "WHERE park_id = :park_id AND id = :id"), {"park_id": park_id, "id": rule_id}
    )
    row = rows.one_or_none()
    return _rule(row) if row is not None else None


async def save(connection: AsyncConnection, rule: ParkRule) -> None:
    """Put a new one, or the next version of one, in force."""
    parameters = _parameters(rule)
    await connection.execute(_WRITE, parameters)
    await VERSIONS.add(connection, rule.park_id, rule.origin, parameters["document"])


async def remove(connection: AsyncConnection, park_id: str, origin: Origin) -> None:
    """Take one out of force; `origin` says which, who and why."""
    await connection.execute(text("DELETE FROM across_rule WHERE id = :id"), {"id": origin.override_id})
    await VERSIONS.add(connection, park_id, origin, None)


async def take_file(
    connection: AsyncConnection, park_id: str, rules: Sequence[AcrossRule], actor: str, now: datetime
) -> bool:
    """Replace what a park's file said before; whether anything changed. The same rules again change nothing.

    Where something changes the park is locked, so that the evaluation loads its rules again.
    """
    known = await _of_file(connection, park_id)
    if {name: rule.rule for name, rule in known.items()} == {rule.name: rule for rule in rules}:
        return False
    await overrides.lock(connection, park_id, actor)
    known = await _of_file(connection, park_id)
    for rule in sorted(rules, key=lambda rule: rule.name):
        before = known.pop(rule.name, None)
        if before is not None and before.rule == rule:
            continue
        rule_id, version = (before.origin.override_id, before.origin.version or 0) if before else (uuid4(), 0)
        origin = Origin("park_file", rule_id, version + 1, actor, now, "park file")
        await save(connection, ParkRule(park_id, rule, origin))
    for gone in known.values():
        after = (gone.origin.version or 0) + 1
        await remove(connection, park_id, Origin("park_file", gone.origin.override_id, after, actor, now, "park file"))
    return True


async def standing(connection: AsyncConnection, park_id: str, alarm_rule_id: str) -> UUID | None:
    """The active alarm of a rule across stations."""
    rows = await connection.execute(
        text(
            "SELECT id FROM alarm WHERE park_id = :park_id AND subject_key = :park_id AND rule_id = :rule_id "
            "AND active AND closed_at IS NULL"
        ),
        {"park_id": park_id, "rule_id": alarm_rule_id},
    )
    found: UUID | None = rows.scalar()
    return found


async def suspended(connection: AsyncConnection, park_ids: Iterable[str]) -> frozenset[tuple[str, int | None]]:
    """Stations (and datastreams of them) of these parks that are under maintenance or out of service."""
    rows = await connection.execute(
        text(
            "SELECT DISTINCT station_id, datastream_id FROM suppression "
            "WHERE ended_at IS NULL AND park_id = ANY(CAST(:parks AS text[])) LIMIT 20000"
        ),
        {"parks": sorted(park_ids)},
    )
    return frozenset((row.station_id, row.datastream_id) for row in rows)


async def _of_file(connection: AsyncConnection, park_id: str) -> dict[str, ParkRule]:
    rows = await connection.execute(
        text(_SELECT + "WHERE park_id = :park_id AND origin = 'park_file'"), {"park_id": park_id}
    )
    return {row.name: _rule(row) for row in rows}


def _parameters(rule: ParkRule) -> dict[str, Any]:
    return versions.parameters(rule.park_id, rule.origin) | {
        "name": rule.rule.name,
        "origin": rule.origin.source,
        "document": json.dumps(rule.rule.model_dump(mode="json", exclude_none=True)),
    }


def _rule(row: Row[Any]) -> ParkRule:
    origin = Origin(row.origin, row.id, row.version, row.updated_by, row.updated_at, row.reason)
    return ParkRule(row.park_id, AcrossRule.model_validate_json(row.said), origin)
