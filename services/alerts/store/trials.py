"""Trials of draft rules: asked for over HTTP, run by whichever replica takes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.rules import Origin, Override
from shared.park_file import AcrossRule, RuleNumbers

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
MOST_WAITING = 5
"""In one park, not ended."""
KEPT = 50
"""Of one park, that have ended: the latest."""
MOST_ATTEMPTS = 3
_COLUMNS = (
    "id, park_id, name, property_id, ring, station_id, datastream_id, CAST(numbers AS text) AS said, start_at, end_at, "
    "created_by, created_at, state, attempts, started_at, ended_at, progress, readings, problem, "
    "CAST(across AS text) AS across_said"
)
_INSERT = text(
    """
    INSERT INTO trial (id, park_id, name, property_id, ring, station_id, datastream_id, numbers, start_at, end_at,
        created_by, created_at, across, state)
    VALUES (:id, :park_id, :name, :property_id, :ring, :station_id, :datastream_id, CAST(:numbers AS jsonb), :start_at,
        :end_at, :created_by, :created_at, CAST(:across AS jsonb), 'queued')
    """
)
_FORGET = text(
    """
    DELETE FROM trial WHERE id IN (
        SELECT id FROM trial WHERE park_id = :park_id AND ended_at IS NOT NULL
        ORDER BY created_at DESC, id DESC OFFSET :kept
    )
    """
)
_CLAIM = text(
    f"""
    UPDATE trial SET state = 'running', attempts = attempts + 1, started_at = :now, beat_at = :now, progress = 0,
        readings = 0
    WHERE id = (
        SELECT id FROM trial WHERE state = 'queued' OR (state = 'running' AND beat_at < :silent_since)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING {_COLUMNS}, NULL AS outcome
    """  # noqa: S608  (names of this file)
)


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A trial as it stands. `result` is what `end` was given; not read for lists.

    `across` is the draft where it is a rule across stations; `draft` then says of it what both kinds have.
    """

    id: UUID
    park_id: str
    draft: Override
    start: datetime
    end: datetime
    created_by: str
    created_at: datetime
    state: State
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    progress: float
    readings: int
    problem: str | None
    result: Mapping[str, Any] | None
    across: AcrossRule | None = None


async def add(connection: AsyncConnection, trial: StoredTrial) -> bool:
    """Queue a trial; False where as many of the park wait as may. Forgets the park's oldest that have ended."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('trial:' || :park_id, 0))"), {"park_id": trial.park_id}
    )
    waiting = await connection.execute(
        text("SELECT count(*) FROM trial WHERE park_id = :park_id AND state IN ('queued', 'running')"),
        {"park_id": trial.park_id},
    )
    if waiting.scalar_one() >= MOST_WAITING:
        return False
    await connection.execute(_FORGET, {"park_id": trial.park_id, "kept": KEPT})
    draft = trial.draft
    await connection.execute(
        _INSERT,
        {
            "id": trial.id,
            "park_id": trial.park_id,
            "name": draft.name,
            "property_id": draft.property_id,
            "ring": draft.ring,
            "station_id": draft.station_id,
            "datastream_id": draft.datastream_id,
            "numbers": draft.rule.model_dump_json(exclude_none=True),
            "start_at": trial.start,
            "end_at": trial.end,
            "created_by": trial.created_by,
            "created_at": trial.created_at,
            "across": trial.across.model_dump_json(exclude_none=True) if trial.across is not None else None,
        },
    )
    return True


async def one(connection: AsyncConnection, park_id: str, trial_id: UUID) -> StoredTrial | None:
    """A trial with its result."""
    rows = await connection.execute(
        text(
            f"SELECT {_COLUMNS}, CAST(result AS text) AS outcome FROM trial "  # noqa: S608
            "WHERE id = :id AND park_id = :park_id"
        ),
        {"id": trial_id, "park_id": park_id},
    )
    row = rows.one_or_none()
    return _trial(row) if row is not None else None


async def of_park(connection: AsyncConnection, park_id: str) -> list[StoredTrial]:
    """All that are kept of a park, without results, the latest first."""
    rows = await connection.execute(
        text(
            f"SELECT {_COLUMNS}, NULL AS outcome FROM trial WHERE park_id = :park_id "  # noqa: S608
            "ORDER BY created_at DESC, id DESC LIMIT :limit"
        ),
        {"park_id": park_id, "limit": KEPT + MOST_WAITING},
    )
    return [_trial(row) for row in rows]


async def claim(connection: AsyncConnection, now: datetime, silence: timedelta) -> StoredTrial | None:
    """Take the trial that has waited longest, or one whose runner fell silent; None where there is none."""
    rows = await connection.execute(_CLAIM, {"now": now, "silent_since": now - silence})
    row = rows.one_or_none()
    return _trial(row) if row is not None else None


async def beat(connection: AsyncConnection, trial: StoredTrial, now: datetime, progress: float, readings: int) -> bool:
    """Tell how far it is; False where it is no longer ours to run: it was cancelled, or taken over."""
    rows = await connection.execute(
        text(
            "UPDATE trial SET beat_at = :now, progress = :progress, readings = :readings "
            "WHERE id = :id AND state = 'running' AND attempts = :attempts RETURNING id"
        ),
        {"id": trial.id, "attempts": trial.attempts, "now": now, "progress": progress, "readings": readings},
    )
    return rows.one_or_none() is not None


async def end(connection: AsyncConnection, trial: StoredTrial, now: datetime, outcome: Mapping[str, Any] | str) -> None:
    """It succeeded with a result, or failed with a reason; nothing where it is no longer ours."""
    failed = isinstance(outcome, str)
    await connection.execute(
        text(
            "UPDATE trial SET state = :state, ended_at = :now, problem = :problem, result = CAST(:result AS jsonb), "
            "progress = CASE WHEN :failed THEN progress ELSE 1 END "
            "WHERE id = :id AND state = 'running' AND attempts = :attempts"
        ),
        {
            "id": trial.id,
            "attempts": trial.attempts,
            "now": now,
            "failed": failed,
            "state": "failed" if failed else "succeeded",
            "problem": outcome if failed else None,
            "result": None if failed else json.dumps(outcome),
        },
    )


async def cancel(connection: AsyncConnection, park_id: str, trial_id: UUID, now: datetime) -> bool:
    """Cancel a trial that has not ended; whether there was one."""
    rows = await connection.execute(
        text(
            "UPDATE trial SET state = 'cancelled', ended_at = :now "
            "WHERE id = :id AND park_id = :park_id AND state IN ('queued', 'running') RETURNING id"
        ),
        {"id": trial_id, "park_id": park_id, "now": now},
    )
    return rows.one_or_none() is not None


def _trial(row: Row[Any]) -> StoredTrial:
    draft = Override(
        row.property_id,
        row.ring,
        row.station_id,
        RuleNumbers.model_validate_json(row.said),
        row.datastream_id,
        Origin("draft"),
        row.name,
    )
    return StoredTrial(
        id=row.id,
        park_id=row.park_id,
        draft=draft,
        start=row.start_at,
        end=row.end_at,
        created_by=row.created_by,
        created_at=row.created_at,
        state=row.state,
        attempts=row.attempts,
        started_at=row.started_at,
        ended_at=row.ended_at,
        progress=row.progress,
        readings=row.readings,
        problem=row.problem,
        result=json.loads(row.outcome) if row.outcome is not None else None,
        across=AcrossRule.model_validate_json(row.across_said) if row.across_said is not None else None,
    )
