"""Runs. Every change of state writes its `RunChanged` fact in the same transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.chemicals import UnknownChemical, chemical
from services.model.runs.request import RunInputs
from services.model.runs.result import Run, RunResult, SourceView
from shared import outbox
from shared.messages import RunChanged, RunState

STREAM = "runs"
Trigger = Literal["manual", "alarm"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this worker now holds; `attempts` counts this attempt too."""

    id: UUID
    park_id: str
    trigger: Trigger
    chemical: str
    inputs: RunInputs
    attempts: int


async def insert(
    connection: AsyncConnection,
    run_id: UUID,
    park_id: str,
    trigger: Trigger,
    requested_by: str,
    inputs: RunInputs,
    now: datetime,
) -> None:
    """Store a new run, queued, with its fact."""
    await connection.execute(
        text(
            """
            INSERT INTO run (id, park_id, state, trigger, requested_by, chemical, inputs, created_at, seen_at)
            VALUES (:id, :park_id, 'queued', :trigger, :requested_by, :chemical, CAST(:inputs AS jsonb), :now, :now)
            """
        ),
        {
            "id": run_id,
            "park_id": park_id,
            "trigger": trigger,
            "requested_by": requested_by,
            "chemical": inputs.request.chemical,
            "inputs": inputs.model_dump_json(),
            "now": now,
        },
    )
    await _tell(connection, run_id, park_id, RunState.QUEUED, trigger, inputs.request.chemical, now)


async def get(connection: AsyncConnection, park_id: str, run_id: UUID) -> Run | None:
    """Return one run of a park with its result, or None."""
    rows = await connection.execute(
        text(
            """
            SELECT id, park_id, state, trigger, requested_by, created_at, finished_at, chemical, source, inputs, error,
                   result
            FROM run WHERE id = :id AND park_id = :park_id
            """
        ),
        {"id": run_id, "park_id": park_id},
    )
    row = rows.mappings().first()
    return None if row is None else _run(dict(row))


async def finished(connection: AsyncConnection, run_id: UUID) -> bool | None:
    """Return whether a run has ended; None when there is no such run."""
    rows = await connection.execute(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
    state = rows.scalar()
    return None if state is None else state in (RunState.SUCCEEDED, RunState.FAILED)


async def page(
    connection: AsyncConnection, park_id: str, limit: int, before: tuple[datetime, UUID] | None
) -> list[Run]:
    """Return a park's runs, newest first, without their results; `before` is where the last page ended."""
    rows = await connection.execute(
        text(
            """
            SELECT id, park_id, state, trigger, requested_by, created_at, finished_at, chemical, source, inputs, error
            FROM run
            WHERE park_id = :park_id
              AND (CAST(:created_at AS timestamptz) IS NULL
                   OR (created_at, id) < (CAST(:created_at AS timestamptz), CAST(:id AS uuid)))
            ORDER BY created_at DESC, id DESC LIMIT :limit
            """
        ),
        {
            "park_id": park_id,
            "limit": limit,
            "created_at": before[0] if before else None,
            "id": before[1] if before else None,
        },
    )
    return [_run(dict(row)) for row in rows.mappings()]


async def claim(
    connection: AsyncConnection, run_id: UUID, worker: str, now: datetime, silent_since: datetime
) -> Claimed | None:
    """Take a run: one that waits, or one whose worker was not seen since `silent_since`. None when it is not free."""
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = 'running', worker = :worker, attempts = attempts + 1, seen_at = :now
            WHERE id = :id AND (state = 'queued'
                                OR (state = 'running' AND (seen_at < :silent_since OR worker = :worker)))
            RETURNING id, park_id, trigger, chemical, inputs, attempts
            """
        ),
        {"id": run_id, "worker": worker, "now": now, "silent_since": silent_since},
    )
    row = rows.mappings().first()
    if row is None:
        return None
    trigger = cast(Trigger, row["trigger"])
    await _tell(connection, run_id, row["park_id"], RunState.RUNNING, trigger, row["chemical"], now)
    inputs = RunInputs.model_validate(_json(row["inputs"]))
    return Claimed(run_id, row["park_id"], trigger, row["chemical"], inputs, row["attempts"])


async def seen(connection: AsyncConnection, run_id: UUID, worker: str, now: datetime) -> None:
    """Say that a worker still works on a run."""
    await connection.execute(
        text("UPDATE run SET seen_at = :now WHERE id = :id AND worker = :worker AND state = 'running'"),
        {"id": run_id, "worker": worker, "now": now},
    )


async def succeed(
    connection: AsyncConnection,
    claimed: Claimed,
    worker: str,
    source: SourceView,
    result: RunResult,
    now: datetime,
) -> bool:
    """Store a result; False when the run has passed to another worker meanwhile."""
    return await _finish(
        connection, claimed, worker, RunState.SUCCEEDED, now, source.model_dump_json(), result.model_dump_json(), None
    )


async def fail(
    connection: AsyncConnection, claimed: Claimed, worker: str, error: dict[str, Any], now: datetime
) -> bool:
    """Store why a run failed; False when it has passed to another worker meanwhile."""
    return await _finish(
        connection, claimed, worker, RunState.FAILED, now, None, None, json.dumps(error, ensure_ascii=False)
    )


async def neglected(
    connection: AsyncConnection, now: datetime, waiting_since: datetime, silent_since: datetime, limit: int = 100
) -> list[tuple[UUID, str]]:
    """Put runs back in line that nobody has taken or whose worker went silent; returns their (id, park id)."""
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = 'queued', worker = NULL, seen_at = :now
            WHERE id IN (
                SELECT id FROM run
                WHERE (state = 'queued' AND seen_at < :waiting_since)
                   OR (state = 'running' AND seen_at < :silent_since)
                ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
            )
            RETURNING id, park_id
            """
        ),
        {"now": now, "waiting_since": waiting_since, "silent_since": silent_since, "limit": limit},
    )
    return [(row.id, row.park_id) for row in rows]


async def oldest_waiting(connection: AsyncConnection) -> UUID | None:
    """Return the run that waits longest: what a worker takes while Redis is down."""
    rows = await connection.execute(text("SELECT id FROM run WHERE state = 'queued' ORDER BY created_at LIMIT 1"))
    found: UUID | None = rows.scalar()
    return found


async def census(connection: AsyncConnection, now: datetime) -> tuple[dict[str, int], float]:
    """Return how many runs wait and run, and for how long [s] the oldest has waited."""
    rows = await connection.execute(
        text(
            """
            SELECT state, count(*) AS runs, coalesce(extract(epoch FROM :now - min(created_at)), 0) AS age
            FROM run WHERE state IN ('queued', 'running') GROUP BY state
            """
        ),
        {"now": now},
    )
    counts = {"queued": 0, "running": 0}
    age = 0.0
    for row in rows:
        counts[row.state] = row.runs
        if row.state == "queued":
            age = float(row.age)
    return counts, age


async def _finish(
    connection: AsyncConnection,
    claimed: Claimed,
    worker: str,
    state: RunState,
    now: datetime,
    source: str | None,
    result: str | None,
    error: str | None,
) -> bool:
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = :state, finished_at = :now, seen_at = :now, source = CAST(:source AS jsonb),
                           result = CAST(:result AS jsonb), error = CAST(:error AS jsonb)
            WHERE id = :id AND worker = :worker AND state = 'running'
            """
        ),
        {
            "id": claimed.id,
            "worker": worker,
            "state": state.value,
            "now": now,
            "source": source,
            "result": result,
            "error": error,
        },
    )
    if rows.rowcount == 0:
        return False
    await _tell(connection, claimed.id, claimed.park_id, state, claimed.trigger, claimed.chemical, now)
    return True


async def _tell(
    connection: AsyncConnection,
    run_id: UUID,
    park_id: str,
    state: RunState,
    trigger: Trigger,
    cas: str,
    now: datetime,
) -> None:
    message = RunChanged(run_id=run_id, park_id=park_id, state=state, trigger=trigger, chemical=cas, at=now)
    await outbox.enqueue(connection, STREAM, message)


def _run(row: dict[str, Any]) -> Run:
    result = row.get("result")
    try:
        name = chemical(row["chemical"]).name
    except UnknownChemical:
        name = None
    return Run(
        **{key: row[key] for key in ("id", "park_id", "state", "trigger", "requested_by", "created_at")},
        finished_at=row["finished_at"],
        chemical=row["chemical"],
        chemical_name=name,
        source=None if row["source"] is None else SourceView.model_validate(_json(row["source"])),
        inputs=RunInputs.model_validate(_json(row["inputs"])),
        result=None if result is None else RunResult.model_validate(_json(result)),
        error=_json(row["error"]),
    )


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
