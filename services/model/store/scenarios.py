"""Scenarios of a park and their atlases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.runs.atlas import Matrix, Wind
from services.model.runs.request import RunRequest
from shared.messages import RunState
from shared.text import BilingualText


@dataclass(frozen=True, slots=True)
class Scenario:
    """What could be released from a risk source."""

    id: str
    park_id: str
    risk_source_id: str
    name: BilingualText
    request: RunRequest
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class Atlas:
    """The newest atlas of a scenario."""

    id: UUID
    matrix: Matrix
    created_at: datetime
    requested_by: str


@dataclass(frozen=True, slots=True)
class Member:
    """One combination of an atlas and where its run stands."""

    run_id: UUID
    wind: Wind
    state: RunState


_COLUMNS = "id, park_id, risk_source_id, name_zh, name_en, request, updated_at, updated_by"


async def put(connection: AsyncConnection, scenario: Scenario) -> bool:
    """Store a scenario; returns whether it is new. A changed one keeps its atlas until the next is asked for."""
    rows = await connection.execute(
        text(
            """
            INSERT INTO scenario (id, park_id, risk_source_id, name_zh, name_en, request, updated_at, updated_by)
            VALUES (:id, :park_id, :risk_source_id, :name_zh, :name_en, CAST(:request AS jsonb), :now, :updated_by)
            ON CONFLICT (park_id, id) DO UPDATE SET
                risk_source_id = excluded.risk_source_id, name_zh = excluded.name_zh, name_en = excluded.name_en,
                request = excluded.request, updated_at = excluded.updated_at, updated_by = excluded.updated_by
            RETURNING xmax = 0 AS is_new
            """
        ),
        {
            "id": scenario.id,
            "park_id": scenario.park_id,
            "risk_source_id": scenario.risk_source_id,
            "name_zh": scenario.name.zh,
            "name_en": scenario.name.en,
            "request": scenario.request.model_dump_json(exclude_unset=True),
            "now": scenario.updated_at,
            "updated_by": scenario.updated_by,
        },
    )
    return bool(rows.scalar_one())


async def get(connection: AsyncConnection, park_id: str, scenario_id: str) -> Scenario | None:
    """Return one scenario of a park, or None."""
    rows = await connection.execute(
        text(f"SELECT {_COLUMNS} FROM scenario WHERE park_id = :park_id AND id = :id"),  # noqa: S608  constants
        {"park_id": park_id, "id": scenario_id},
    )
    row = rows.mappings().first()
    return None if row is None else _scenario(dict(row))


async def page(
    connection: AsyncConnection, park_id: str, limit: int, after: str, risk_source_id: str | None
) -> list[Scenario]:
    """Return a park's scenarios in the order of their ids, from behind `after` on."""
    rows = await connection.execute(
        text(
            f"""
            SELECT {_COLUMNS} FROM scenario
            WHERE park_id = :park_id AND id > :after
              AND (CAST(:risk_source_id AS text) IS NULL OR risk_source_id = :risk_source_id)
            ORDER BY id LIMIT :limit
            """  # noqa: S608  the columns are constants
        ),
        {"park_id": park_id, "after": after, "limit": limit, "risk_source_id": risk_source_id},
    )
    return [_scenario(dict(row)) for row in rows.mappings()]


async def delete(connection: AsyncConnection, park_id: str, scenario_id: str, now: datetime) -> bool:
    """Delete a scenario with its atlas; False when there is none. What its atlas has computed stays as runs."""
    await stop_atlas(connection, park_id, scenario_id, now)
    rows = await connection.execute(
        text("DELETE FROM scenario WHERE park_id = :park_id AND id = :id"), {"park_id": park_id, "id": scenario_id}
    )
    return bool(rows.rowcount)


async def stop_atlas(connection: AsyncConnection, park_id: str, scenario_id: str, now: datetime) -> None:
    """Cancel the members that are not computed yet and forget the atlas."""
    await connection.execute(
        text(
            """
            UPDATE run SET cancel_asked = true,
                           finished_at = CASE WHEN state = 'queued' THEN CAST(:now AS timestamptz) END,
                           state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
            WHERE state IN ('queued', 'running') AND id IN (
                SELECT run_id FROM atlas_member JOIN atlas ON atlas.id = atlas_id
                WHERE park_id = :park_id AND scenario_id = :id
            )
            """
        ),
        {"park_id": park_id, "id": scenario_id, "now": now},
    )
    await connection.execute(
        text("DELETE FROM atlas WHERE park_id = :park_id AND scenario_id = :id"),
        {"park_id": park_id, "id": scenario_id},
    )


async def insert_atlas(
    connection: AsyncConnection, park_id: str, scenario_id: str, atlas: Atlas, members: Sequence[tuple[UUID, Wind]]
) -> None:
    """Store an atlas whose runs are stored."""
    await connection.execute(
        text(
            """
            INSERT INTO atlas (id, park_id, scenario_id, matrix, created_at, requested_by)
            VALUES (:id, :park_id, :scenario_id, CAST(:matrix AS jsonb), :created_at, :requested_by)
            """
        ),
        {
            "id": atlas.id,
            "park_id": park_id,
            "scenario_id": scenario_id,
            "matrix": atlas.matrix.model_dump_json(),
            "created_at": atlas.created_at,
            "requested_by": atlas.requested_by,
        },
    )
    await connection.execute(
        text(
            """
            INSERT INTO atlas_member (atlas_id, run_id, wind_from_deg, wind_speed_m_s, stability)
            VALUES (:atlas_id, :run_id, :wind_from_deg, :wind_speed_m_s, :stability)
            """
        ),
        [
            {
                "atlas_id": atlas.id,
                "run_id": run_id,
                "wind_from_deg": wind.wind_from_deg,
                "wind_speed_m_s": wind.wind_speed_m_s,
                "stability": wind.stability,
            }
            for run_id, wind in members
        ],
    )


async def get_atlas(connection: AsyncConnection, park_id: str, scenario_id: str) -> tuple[Atlas, list[Member]] | None:
    """Return the atlas of a scenario with its members, or None."""
    rows = await connection.execute(
        text(
            """
            SELECT id, matrix, created_at, requested_by FROM atlas
            WHERE park_id = :park_id AND scenario_id = :scenario_id
            """
        ),
        {"park_id": park_id, "scenario_id": scenario_id},
    )
    row = rows.first()
    if row is None:
        return None
    members = await connection.execute(
        text(
            """
            SELECT run_id, wind_from_deg, wind_speed_m_s, stability, state
            FROM atlas_member JOIN run ON run.id = run_id
            WHERE atlas_id = :id ORDER BY wind_speed_m_s, stability, wind_from_deg
            """
        ),
        {"id": row.id},
    )
    atlas = Atlas(row.id, Matrix.model_validate(_json(row.matrix)), row.created_at, row.requested_by)
    return atlas, [
        Member(one.run_id, Wind(one.wind_from_deg, one.wind_speed_m_s, one.stability), RunState(one.state))
        for one in members
    ]


def _scenario(row: dict[str, Any]) -> Scenario:
    name = BilingualText(zh=row.pop("name_zh"), en=row.pop("name_en"))
    request = RunRequest.model_validate(_json(row.pop("request")))
    return Scenario(name=name, request=request, **row)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
