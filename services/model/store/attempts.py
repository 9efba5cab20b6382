"""Runs as workers see them: taken, reported on, ended, put back. Facts as in `store.runs`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.runs.request import RunInputs
from services.model.runs.result import RunResult, SourceView, Trigger
from services.model.store.runs import computed, tell
from shared.messages import RunState


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this worker now holds; `attempts` counts this attempt too."""

    id: UUID
    park_id: str
    trigger: Trigger
    chemical: str
    inputs: RunInputs
    attempts: int


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker hears when it reports: `give_way` is for a member of an atlas while another run waits."""

    cancel: bool
    give_way: bool


async def claim(
    connection: AsyncConnection, run_id: UUID, worker: str, now: datetime, silent_since: datetime
) -> Claimed | None:
    """Take a run: one that waits, or one whose worker was not seen since `silent_since`. None when it is not free.

    Of runs with the same content one is computed, and the others wait for its result.
    """
    if not await _first_of_its_content(connection, run_id, now):
        return None
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = 'running', worker = :worker, attempts = attempts + 1, seen_at = :now, progress = 0
            WHERE id = :id AND (state = 'queued'
                                OR (state = 'running' AND (seen_at < :silent_since OR worker = :worker)))
            RETURNING id, park_id, trigger, chemical, inputs, attempts
            """
        ),
        {"id": run_id, "worker": worker, "now": now, "silent_since": silent_since},
    )
    row = rows.first()
    if row is None:
        return None
    await tell(connection, run_id, row.park_id, RunState.RUNNING, row.trigger, row.chemical, now)
    inputs = row.inputs if isinstance(row.inputs, dict) else json.loads(row.inputs)
    return Claimed(run_id, row.park_id, row.trigger, row.chemical, RunInputs.model_validate(inputs), row.attempts)


async def report(
    connection: AsyncConnection,
    claimed: Claimed,
    worker: str,
    progress: tuple[float, str],
    now: datetime,
    *,
    aloud: bool,
) -> Orders | None:
    """Store how far a run is, and tell it when `aloud`; None when the run is no longer this worker's."""
    rows = await connection.execute(
        text(
            """
            UPDATE run SET progress = :fraction, step = :step, seen_at = :now
            WHERE id = :id AND worker = :worker AND state = 'running'
            RETURNING cancel_asked, trigger = 'atlas' AND EXISTS (
                SELECT 1 FROM run AS other WHERE other.state = 'queued' AND other.trigger <> 'atlas'
            ) AS give_way
            """
        ),
        {"id": claimed.id, "worker": worker, "fraction": progress[0], "step": progress[1], "now": now},
    )
    row = rows.first()
    if row is None:
        return None
    if aloud:
        state = RunState.RUNNING
        await tell(connection, claimed.id, claimed.park_id, state, claimed.trigger, claimed.chemical, now, progress)
    return Orders(cancel=row.cancel_asked, give_way=row.give_way)


async def succeed(
    connection: AsyncConnection,
    claimed: Claimed,
    worker: str,
    source: SourceView,
    result: RunResult,
    now: datetime,
) -> RunState | None:
    """Store a result, for those that wait for the same too. Returns the state that the run ends in.

    That is cancelled when it was asked for meanwhile; None when the run has passed to another worker. A result that
    may come out better another time is nobody else's.
    """
    if not result.holds_again:
        await connection.execute(text("UPDATE run SET content_key = NULL WHERE id = :id"), {"id": claimed.id})
    ended = await _finish(
        connection, claimed, worker, RunState.SUCCEEDED, now, source.model_dump_json(), result.model_dump_json(), None
    )
    if ended is RunState.SUCCEEDED:
        await _answer_waiting(connection, claimed.id, now)
    return ended


async def fail(
    connection: AsyncConnection, claimed: Claimed, worker: str, error: dict[str, Any], now: datetime
) -> RunState | None:
    """Store why a run failed; returns as `succeed` does."""
    document = json.dumps(error, ensure_ascii=False)
    return await _finish(connection, claimed, worker, RunState.FAILED, now, None, None, document)


async def cancelled(connection: AsyncConnection, claimed: Claimed, worker: str, now: datetime) -> RunState | None:
    """Store that a run was stopped as asked; returns as `succeed` does."""
    return await _finish(connection, claimed, worker, RunState.CANCELLED, now, None, None, None)


async def put_back(connection: AsyncConnection, claimed: Claimed, worker: str, now: datetime) -> None:
    """Have a run wait again, as if it had not been tried."""
    await connection.execute(
        text(
            """
            UPDATE run SET state = 'queued', worker = NULL, attempts = attempts - 1, progress = NULL, seen_at = :now
            WHERE id = :id AND worker = :worker AND state = 'running'
            """
        ),
        {"id": claimed.id, "worker": worker, "now": now},
    )


async def neglected(
    connection: AsyncConnection, now: datetime, waiting_since: datetime, silent_since: datetime, limit: int = 100
) -> list[tuple[UUID, str]]:
    """Put runs back in line that nobody has taken or whose worker went silent; returns their (id, park id).

    Members of an atlas have no entry in the queue: workers find them in the database, so only silence counts.
    """
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = 'queued', worker = NULL, seen_at = :now
            WHERE id IN (
                SELECT id FROM run
                WHERE (state = 'queued' AND seen_at < :waiting_since AND trigger <> 'atlas')
                   OR (state = 'running' AND seen_at < :silent_since)
                ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
            )
            RETURNING id, park_id, trigger
            """
        ),
        {"now": now, "waiting_since": waiting_since, "silent_since": silent_since, "limit": limit},
    )
    return [(row.id, row.park_id) for row in rows if row.trigger != "atlas"]


async def oldest_waiting(connection: AsyncConnection, triggers: Sequence[Trigger]) -> UUID | None:
    """Return the run that waits longest among those of `triggers`."""
    rows = await connection.execute(
        text("SELECT id FROM run WHERE state = 'queued' AND trigger = ANY(:triggers) ORDER BY created_at LIMIT 1"),
        {"triggers": list(triggers)},
    )
    found: UUID | None = rows.scalar()
    return found


async def census(connection: AsyncConnection, now: datetime) -> tuple[dict[str, int], float]:
    """Return how many runs wait and run, and for how long [s] the oldest has waited; atlases are not counted."""
    rows = await connection.execute(
        text(
            """
            SELECT state, count(*) AS runs, coalesce(extract(epoch FROM :now - min(created_at)), 0) AS age
            FROM run WHERE state IN ('queued', 'running') AND trigger <> 'atlas' GROUP BY state
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


async def _first_of_its_content(connection: AsyncConnection, run_id: UUID, now: datetime) -> bool:
    """Whether no other run with the same content is being computed; if one was, take its result."""
    key = await _locked_key(connection, run_id)
    if key is None:
        return True
    found = (await computed(connection, [key])).get(key)
    if found is not None:
        await _answer_waiting(connection, found, now)
        return False
    rows = await connection.execute(
        text("SELECT 1 FROM run WHERE content_key = :key AND state = 'running' AND id <> :id LIMIT 1"),
        {"key": key, "id": run_id},
    )
    return rows.first() is None


async def _locked_key(connection: AsyncConnection, run_id: UUID) -> str | None:
    """The content key of a run, with a lock on it to the end of the transaction: two workers cannot both be first."""
    rows = await connection.execute(text("SELECT content_key FROM run WHERE id = :id"), {"id": run_id})
    key: str | None = rows.scalar()
    if key is not None:
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    return key


async def _answer_waiting(connection: AsyncConnection, computed_id: UUID, now: datetime) -> None:
    """Give the result of a computed run to all that wait with the same content."""
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = 'succeeded', finished_at = :now, seen_at = :now, cached_from = computed.id,
                           source = computed.source
            FROM run AS computed
            WHERE computed.id = :computed AND run.content_key = computed.content_key AND run.state = 'queued'
            RETURNING run.id, run.park_id, run.trigger, run.chemical
            """
        ),
        {"computed": computed_id, "now": now},
    )
    for row in rows.all():
        await tell(connection, row.id, row.park_id, RunState.SUCCEEDED, row.trigger, row.chemical, now)


async def _finish(
    connection: AsyncConnection,
    claimed: Claimed,
    worker: str,
    state: RunState,
    now: datetime,
    source: str | None,
    result: str | None,
    error: str | None,
) -> RunState | None:
    rows = await connection.execute(
        text(
            """
            UPDATE run SET state = CASE WHEN cancel_asked THEN 'cancelled' ELSE :state END,
                           finished_at = :now, seen_at = :now, progress = NULL,
                           source = CASE WHEN cancel_asked THEN NULL ELSE CAST(:source AS jsonb) END,
                           result = CASE WHEN cancel_asked THEN NULL ELSE CAST(:result AS json) END,
                           error = CASE WHEN cancel_asked THEN NULL ELSE CAST(:error AS jsonb) END
            WHERE id = :id AND worker = :worker AND state = 'running'
            RETURNING state
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
    row: Row[Any] | None = rows.first()
    if row is None:
        return None
    ended = RunState(row.state)
    await tell(connection, claimed.id, claimed.park_id, ended, claimed.trigger, claimed.chemical, now)
    return ended
