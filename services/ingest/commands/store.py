"""Commands in the database: the one truth of every replica about what was asked and how far it has come."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.commands.lifecycle import Patience, Progress, State, requested
from services.ingest.commands.requests import REQUEST, CommandRequest
from services.ingest.commands.secrets import SHOW

MAX_OPEN = 50
"""Open commands of one device; more would only wait."""
PAGE = 1000
_COLUMNS = """
    c.id, c.park_id, c.mn, c.qn, c.cn, c.request, c.state, c.due_at, c.expires_at, c.attempts, c.records,
    c.qn_rtn, c.exe_rtn, c.answer, c.detail
"""
_INSERT = text(
    """
    INSERT INTO command (park_id, mn, cn, request, origin, requested_by, requested_at, state, attempts, due_at,
        expires_at, records, answer)
    SELECT :park, :mn, :cn, CAST(:request AS jsonb), :origin, :by, :now, :state, 0, :due, :expires, 0, '{}'
    WHERE (SELECT count(*) FROM command WHERE mn = :mn AND due_at IS NOT NULL) < :most
    RETURNING id
    """
)
# The first command of each device: the one that it has, else the oldest that a person asked, else the oldest.
_FRONTS = text(
    f"""
    SELECT f.*, d.last_seen FROM (
        SELECT DISTINCT ON (c.mn) {_COLUMNS} FROM command c WHERE c.due_at IS NOT NULL AND c.mn > :after
        ORDER BY c.mn, c.state = 'requested', c.origin = 'gap', c.id LIMIT {PAGE}
    ) f LEFT JOIN device_counter d ON d.mn = f.mn ORDER BY f.mn
    """  # noqa: S608  (constants of this file)
)
_BY_ID = text(
    f"SELECT {_COLUMNS} FROM command c WHERE id = ANY(:ids) AND state = 'requested' ORDER BY id FOR UPDATE"  # noqa: S608
)
_BY_QN = text(
    f"""
    SELECT {_COLUMNS} FROM command c
    WHERE (mn, qn) IN (SELECT * FROM unnest(CAST(:mns AS text[]), CAST(:qns AS text[]))) ORDER BY id FOR UPDATE
    """  # noqa: S608
)
_OVERDUE = text(
    f"""
    SELECT {_COLUMNS} FROM command c WHERE due_at <= :now ORDER BY due_at LIMIT {PAGE} FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
_SAVE = text(
    """
    UPDATE command SET qn = :qn, state = :state, due_at = :due_at, attempts = :attempts, records = :records,
        qn_rtn = :qn_rtn, exe_rtn = :exe_rtn, answer = CAST(:answer AS jsonb), detail = :detail,
        sent_at = CASE WHEN :sent THEN :now ELSE sent_at END,
        finished_at = CASE WHEN :open THEN NULL ELSE coalesce(finished_at, :now) END
    WHERE id = :id
    """
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is followed. ``qn`` is None before it has gone out."""

    id: int
    park_id: str
    mn: str
    qn: str | None
    cn: str
    request: CommandRequest
    progress: Progress

    def going(self, progress: Progress, qn: str | None = None) -> "Command":
        """The same, further on."""
        return replace(self, progress=progress, qn=self.qn or qn)


@dataclass(frozen=True, slots=True)
class Front:
    """The command of a device that is next, and when any replica has heard of the device last."""

    command: Command
    last_seen: datetime | None


async def add(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    request: CommandRequest,
    *,
    origin: str,
    by: str,
    now: datetime,
    patience: Patience,
) -> int | None:
    """Store a new command; its id, None where the device has ``MAX_OPEN`` open ones already."""
    progress = requested(now, patience)
    values = {
        "park": park_id,
        "mn": mn,
        "cn": request.cn.value,
        "request": REQUEST.dump_json(request, context=SHOW).decode(),
        "origin": origin,
        "by": by,
        "now": now,
        "state": progress.state.value,
        "due": progress.due_at,
        "expires": progress.expires_at,
        "most": MAX_OPEN,
    }
    found: int | None = (await connection.execute(_INSERT, values)).scalar()
    return found


async def fronts(connection: AsyncConnection, after: str) -> tuple[list[Front], str | None]:
    """A page of the next command of each device, by MN; where the next page begins, None after the last."""
    rows = (await connection.execute(_FRONTS, {"after": after})).all()
    found = [Front(_command(row), row.last_seen) for row in rows]
    return found, rows[-1].mn if len(rows) == PAGE else None


async def take_requested(connection: AsyncConnection, ids: Sequence[int]) -> list[Command]:
    """Those of these that are still to be sent, locked for the transaction."""
    return await _locked(connection, _BY_ID, {"ids": list(ids)})


async def take_by_qn(connection: AsyncConnection, keys: Sequence[tuple[str, str]]) -> list[Command]:
    """The commands with these MN and QN, locked for the transaction."""
    return await _locked(connection, _BY_QN, {"mns": [mn for mn, _ in keys], "qns": [qn for _, qn in keys]})


async def take_overdue(connection: AsyncConnection, now: datetime) -> list[Command]:
    """Commands whose time-out has struck and that no other replica looks after, locked for the transaction."""
    return await _locked(connection, _OVERDUE, {"now": now})


async def save(connection: AsyncConnection, commands: Sequence[Command], now: datetime) -> None:
    """Write how far commands have come."""
    if commands:
        await connection.execute(_SAVE, [_values(command, now) for command in commands])


async def _locked(connection: AsyncConnection, statement: TextClause, values: dict[str, Any]) -> list[Command]:
    return [_command(row) for row in await connection.execute(statement, values)]


def _command(row: Row[Any]) -> Command:
    progress = Progress(
        state=State(row.state),
        due_at=row.due_at,
        expires_at=row.expires_at,
        attempts=row.attempts,
        records=row.records,
        qn_rtn=row.qn_rtn,
        exe_rtn=row.exe_rtn,
        answer=row.answer,
        detail=row.detail,
    )
    request = REQUEST.validate_python(row.request)
    return Command(row.id, row.park_id, row.mn, row.qn, row.cn, request, progress)


def _values(command: Command, now: datetime) -> dict[str, Any]:
    progress = command.progress
    return {
        "id": command.id,
        "qn": command.qn,
        "state": progress.state.value,
        "due_at": progress.due_at,
        "attempts": progress.attempts,
        "records": progress.records,
        "qn_rtn": progress.qn_rtn,
        "exe_rtn": progress.exe_rtn,
        "answer": json.dumps(dict(progress.answer), ensure_ascii=False),
        "detail": progress.detail,
        "sent": progress.state is State.SENT,
        "open": progress.open,
        "now": now,
    }
