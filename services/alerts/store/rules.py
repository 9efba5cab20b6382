"""What the parks' files say about rules."""

import json
from collections.abc import Mapping

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Override
from shared.park_file import Rule

_RULES = TypeAdapter(list[Rule])


async def save_overrides(connection: AsyncConnection, park_id: str, rules: list[Rule], actor: str) -> None:
    """Replace the rules of a park; the same rules again change nothing."""
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


async def load_overrides(connection: AsyncConnection, park_id: str | None = None) -> dict[str, list[Override]]:
    """The overrides by park; of one park or of all."""
    rows = await connection.execute(
        text(
            "SELECT park_id, CAST(rules AS text) FROM rule_override "
            "WHERE CAST(:park_id AS text) IS NULL OR park_id = CAST(:park_id AS text)"
        ),
        {"park_id": park_id},
    )
    return {
        park: [
            Override(rule.property, rule.ring, f"{park}.{rule.station}" if rule.station else None, rule)
            for rule in _RULES.validate_json(rules)
        ]
        for park, rules in rows
    }
