"""Runs as callers see them. Every change of state writes its `RunChanged` fact in the same transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.chemicals import UnknownChemical, chemical
from services.model.runs.request import RunInputs
from services.model.runs.result import CachedFrom, ProgressView, Run, RunResult, SourceView, Trigger
from shared import outbox
from shared.messages import RunChanged, RunState
from shared.time import iso

STREAM = "runs"
LISTED: tuple[Trigger, ...] = ("manual", "alarm")
_VIEW = """
    run.id, run.park_id, run.state, run.trigger, run.requested_by, run.created_at, run.finished_at, run.chemical,
    run.source, run.inputs, run.error, run.progress, run.step, run.cached_from, run.repeats
"""
_RELEASE_START = re.compile(r'("release_start":\s*)"[^"]*"')


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be stored; `content_key` is None for one whose inputs are not known before it begins."""

    id: UUID
    park_id: str
    trigger: Trigger
    requested_by: str
    inputs: RunInputs
    content_key: str | None = None
    cached_from: UUID | None = None
    repeats: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A run without its result, and the result as JSON: large, and mostly handed on as it is."""

    run: Run
    result: str | None

    def json(self) -> bytes:
        """The whole run as JSON."""
        head = self.run.model_dump_json(exclude={"result"})
        return f'{head[:-1]},"result":{self.result or "null"}}}'.encode()

    def parsed(self) -> RunResult | None:
        """The result, read."""
        return None if self.result is None else RunResult.model_validate_json(self.result)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs a list shows; None: all. Members of an atlas are shown only when `triggers` names them."""

    states: Sequence[RunState] | None = None
    triggers: Sequence[Trigger] = LISTED
    chemical: str | None = None
    risk_source_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def insert(connection: AsyncConnection, new: NewRun, now: datetime) -> None:
    """Store a run with its fact: queued, or at once succeeded when `cached_from` names a computed one."""
    await insert_all(connection, [new], now)
    if new.trigger != "atlas":
        state = RunState.SUCCEEDED if new.cached_from else RunState.QUEUED
        await tell(connection, new.id, new.park_id, state, new.trigger, new.inputs.request.chemical, now)


async def insert_all(connection: AsyncConnection, new: Sequence[NewRun], now: datetime) -> None:
    """Store runs without facts: members of an atlas, of which nobody is told one by one."""
    await connection.execute(
        text(
            """
            INSERT INTO run (id, park_id, state, trigger, requested_by, chemical, inputs, created_at, seen_at,
                             content_key, cached_from, repeats, finished_at, source)
            VALUES (:id, :park_id, :state, :trigger, :requested_by, :chemical, CAST(:inputs AS jsonb), :now, :now,
                    :content_key, CAST(:cached_from AS uuid), :repeats, :finished_at,
                    (SELECT source FROM run WHERE id = CAST(:cached_from AS uuid)))
            """
        ),
        [
            {
                "id": run.id,
                "park_id": run.park_id,
                "state": (RunState.SUCCEEDED if run.cached_from else RunState.QUEUED).value,
                "trigger": run.trigger,
                "requested_by": run.requested_by,
                "chemical": run.inputs.request.chemical,
                "inputs": run.inputs.model_dump_json(),
                "now": now,
                "content_key": run.content_key,
                "cached_from": run.cached_from,
                "repeats": run.repeats,
                "finished_at": now if run.cached_from else None,
            }
            for run in new
        ],
    )


async def computed(connection: AsyncConnection, content_keys: Sequence[str]) -> dict[str, UUID]:
    """Return the computed runs of these content keys, by key."""
    rows = await connection.execute(
        text(
            """
            SELECT content_key, id FROM run
            WHERE content_key = ANY(:keys) AND state = 'succeeded' AND cached_from IS NULL
            """
        ),
        {"keys": list(content_keys)},
    )
    return {row.content_key: row.id for row in rows}


async def get(connection: AsyncConnection, park_id: str, run_id: UUID) -> Stored | None:
    """Return one run of a park with its result, or None."""
    rows = await connection.execute(
        text(
            f"""
            SELECT {_VIEW}, CAST(coalesce(run.result, computed.result) AS text) AS result,
                   computed.finished_at AS computed_at
            FROM run LEFT JOIN run AS computed ON computed.id = run.cached_from
            WHERE run.id = :id AND run.park_id = :park_id
            """  # noqa: S608  the columns are constants
        ),
        {"id": run_id, "park_id": park_id},
    )
    row = rows.mappings().first()
    if row is None:
        return None
    run = _run(dict(row))
    result: str | None = row["result"]
    if result is not None and run.cached is not None and run.inputs.request.at is None:
        result = _begun_at(result, run.created_at)
    return Stored(run, result)


async def state_of(connection: AsyncConnection, run_id: UUID) -> RunState | None:
    """Return where a run stands; None when there is no such run."""
    rows = await connection.execute(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
    state = rows.scalar()
    return None if state is None else RunState(state)


async def page(
    connection: AsyncConnection, park_id: str, limit: int, before: tuple[datetime, UUID] | None, filters: Filters
) -> list[Run]:
    """Return a park's runs, newest first, without their results; `before` is where the last page ended."""
    rows = await connection.execute(
        text(
            f"""
            SELECT {_VIEW}, computed.finished_at AS computed_at
            FROM run LEFT JOIN run AS computed ON computed.id = run.cached_from
            WHERE run.park_id = :park_id AND run.trigger = ANY(:triggers)
              AND (CAST(:states AS text[]) IS NULL OR run.state = ANY(:states))
              AND (CAST(:chemical AS text) IS NULL OR run.chemical = :chemical)
              AND (CAST(:risk_source_id AS text) IS NULL OR run.source ->> 'risk_source_id' = :risk_source_id)
              AND (CAST(:since AS timestamptz) IS NULL OR run.created_at >= :since)
              AND (CAST(:until AS timestamptz) IS NULL OR run.created_at < :until)
              AND (CAST(:created_at AS timestamptz) IS NULL
                   OR (run.created_at, run.id) < (CAST(:created_at AS timestamptz), CAST(:id AS uuid)))
            ORDER BY run.created_at DESC, run.id DESC LIMIT :limit
            """  # noqa: S608  the columns are constants
        ),
        {
            "park_id": park_id,
            "limit": limit,
            "triggers": list(filters.triggers),
            "states": None if filters.states is None else [state.value for state in filters.states],
            "chemical": filters.chemical,
            "risk_source_id": filters.risk_source_id,
            "since": filters.since,
            "until": filters.until,
            "created_at": before[0] if before else None,
            "id": before[1] if before else None,
        },
    )
    return [_run(dict(row)) for row in rows.mappings()]


async def cancel(connection: AsyncConnection, park_id: str, run_id: UUID, now: datetime) -> bool:
    """Cancel a waiting run, or ask the worker of a running one to stop; False when the run has ended."""
    rows = await connection.execute(
        text(
            """
            UPDATE run SET cancel_asked = true,
                           finished_at = CASE WHEN state = 'queued' THEN CAST(:now AS timestamptz) END,
                           state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
            WHERE id = :id AND park_id = :park_id AND state IN ('queued', 'running')
            RETURNING state, trigger, chemical
            """
        ),
        {"id": run_id, "park_id": park_id, "now": now},
    )
    row = rows.first()
    if row is not None and row.state == RunState.CANCELLED:
        await tell(connection, run_id, park_id, RunState.CANCELLED, row.trigger, row.chemical, now)
    return row is not None


async def tell(
    connection: AsyncConnection,
    run_id: UUID,
    park_id: str,
    state: RunState,
    trigger: Trigger,
    cas: str,
    now: datetime,
    progress: tuple[float, str] | None = None,
) -> None:
    """Write the fact of a run's change; none for a member of an atlas."""
    if trigger == "atlas":
        return
    fraction, step = progress or (None, None)
    message = RunChanged(
        run_id=run_id,
        park_id=park_id,
        state=state,
        trigger=trigger,
        chemical=cas,
        at=now,
        fraction=fraction,
        step=step,
    )
    await outbox.enqueue(connection, STREAM, message)


def _run(row: dict[str, Any]) -> Run:
    try:
        name = chemical(row["chemical"]).name
    except UnknownChemical:
        name = None
    under_way = row["state"] == RunState.RUNNING and row["progress"] is not None
    cached = None
    if row["cached_from"] is not None and row["computed_at"] is not None:
        cached = CachedFrom(run_id=row["cached_from"], computed_at=row["computed_at"])
    return Run(
        **{key: row[key] for key in ("id", "park_id", "state", "trigger", "requested_by", "created_at")},
        finished_at=row["finished_at"],
        progress=ProgressView(fraction=round(row["progress"], 3), step=row["step"] or "") if under_way else None,
        cached=cached,
        repeats=row["repeats"],
        chemical=row["chemical"],
        chemical_name=name,
        source=None if row["source"] is None else SourceView.model_validate(_json(row["source"])),
        inputs=RunInputs.model_validate(_json(row["inputs"])),
        result=None,
        error=_json(row["error"]),
    )


def _begun_at(result: str, moment: datetime) -> str:
    """The result with its release begun at `moment`: one that is used again for a release of now."""
    return _RELEASE_START.sub(rf'\g<1>"{iso(moment)}"', result, count=1)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
