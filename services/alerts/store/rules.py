"""What the parks say about rules: in their park files, and over the API (`store.overrides`)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Origin, Override, Overrides
from services.alerts.store import overrides as edited
from shared.park_file import Rule

_RULES = TypeAdapter(list[Rule])


async def save_overrides(connection: AsyncConnection, park_id: str, rules: list[Rule], actor: str) -> None:
    """Replace the rules of a park's file; the same rules again change nothing."""
    await connection.execute(
        text(
            """
            INSERT INTO rule_override (park_id, version, rules, updated_by)
            VALUES (:park_id, 1, CAST(:rules AS jsonb), :actor)
            ON CONFLICT (park_id) DO UPDATE SET version = rule_override.version + 1, rules = excluded.rules,
                updated_by = excluded.updated_by, updated_at = now()
            WHERE rule_override.rules <> excluded.rules
            """
        ),
        {
            "park_id": park_id,
            "rules": json.dumps([rule.model_dump(mode="json") for rule in rules]),
            "actor": actor,
        },
    )


async def versions(connection: AsyncConnection) -> Mapping[str, int]:
    """The version of every park's rules: cheap to ask, tells whether to load them again."""
    rows = await connection.execute(text("SELECT park_id, version FROM rule_override"))
    return {row.park_id: row.version for row in rows}


async def standing_under(connection: AsyncConnection, park_id: str, rule_id: str) -> dict[int, UUID]:
    """The active alarms of a rule in a park, by datastream; at most a thousand of them."""
    rows = await connection.execute(
        text(
            "SELECT datastream_id, id FROM alarm WHERE park_id = :park_id AND rule_id = :rule_id AND active "
            "AND closed_at IS NULL AND datastream_id IS NOT NULL ORDER BY datastream_id LIMIT 1000"
        ),
        {"park_id": park_id, "rule_id": rule_id},
    )
    return {row.datastream_id: row.id for row in rows}


async def load_overrides(connection: AsyncConnection, park_id: str | None = None) -> dict[str, Overrides]:
    """The overrides by park; of one park or of all."""
    found: defaultdict[str, list[Override]] = defaultdict(list)
    rows = await connection.execute(
        text(
            "SELECT park_id, CAST(rules AS text) AS rules, updated_by, updated_at FROM rule_override "
            "WHERE CAST(:park_id AS text) IS NULL OR park_id = CAST(:park_id AS text)"
        ),
        {"park_id": park_id},
    )
    for row in rows:
        origin = Origin(by=row.updated_by, at=row.updated_at)
        found[row.park_id] += (
            Override(
                rule.property,
                rule.ring,
                f"{row.park_id}.{rule.station}" if rule.station else None,
                rule,
                origin=origin,
                name=rule.name,
            )
            for rule in _RULES.validate_json(row.rules)
        )
    for park, override in await edited.all_of(connection, park_id):
        found[park].append(override)
    return {park: Overrides(own) for park, own in found.items()}


async def overrides_of(connection: AsyncConnection, park_id: str) -> Overrides:
    """Those of one park."""
    return (await load_overrides(connection, park_id)).get(park_id, Overrides())
