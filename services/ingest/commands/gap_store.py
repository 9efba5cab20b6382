"""Gaps in the database: what was looked through, what is missing, what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.commands.filled import Outcome
from services.ingest.commands.gaps import ALLOWED, Span
from services.ingest.commands.lifecycle import Progress, State

MAX_TIMES = 50_000
RECENT = 60
"""Records from which the interval of a device is told."""

_ENABLED = text("SELECT enabled FROM gap_filling WHERE mn = :mn")
_ENABLE = text(
    "INSERT INTO gap_filling (mn, enabled) VALUES (:mn, :enabled) ON CONFLICT (mn) DO UPDATE SET enabled = :enabled"
)
_DISABLED = text("SELECT mn FROM gap_filling WHERE NOT enabled AND mn = ANY(:mns)")
_LOOKED = {
    cadence: text(f"SELECT {cadence}_until FROM gap_filling WHERE mn = :mn")  # noqa: S608  (names of ours)
    for cadence in ALLOWED
}
_LOOK = {
    cadence: text(
        f"""
        INSERT INTO gap_filling (mn, {cadence}_until) VALUES (:mn, :until)
        ON CONFLICT (mn) DO UPDATE SET {cadence}_until = :until
        """  # noqa: S608  (names of ours)
    )
    for cadence in ALLOWED
}
# Each datastream by its key, so that a long table is never scanned.
_RECENT = text(
    """
    SELECT DISTINCT o.time FROM unnest(CAST(:ids AS integer[])) AS d(id)
    CROSS JOIN LATERAL (
        SELECT time FROM observation WHERE datastream_id = d.id AND time < :until ORDER BY time DESC LIMIT :limit
    ) o ORDER BY o.time
    """
)
_TIMES = text(
    """
    SELECT DISTINCT time FROM observation
    WHERE datastream_id = ANY(:ids) AND time >= :begin AND time < :end ORDER BY time LIMIT :limit
    """
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('gaps-' || :mn))")
_KNOWN = text("SELECT begins, ends FROM gap WHERE mn = :mn AND cadence = :cadence AND ends > :begin")
_ADD = text(
    """
    INSERT INTO gap (park_id, mn, cadence, begins, ends, interval_s, found_at, state, try_at)
    VALUES (:park, :mn, :cadence, :begins, :ends, :interval, :now, 'missing', :now)
    ON CONFLICT (mn, cadence, begins) DO NOTHING
    """
)
_COLUMNS = "g.id, g.park_id, g.mn, g.cadence, g.begins, g.ends, g.interval_s, g.tries, g.command_id"
# One at a time of each device, the latest gap first: recent readings matter most.
_DUE = text(
    f"""
    SELECT DISTINCT ON (g.mn) {_COLUMNS} FROM gap g
    WHERE g.state = 'missing' AND g.try_at <= :now AND g.mn = ANY(:mns)
      AND NOT EXISTS (SELECT FROM command c WHERE c.mn = g.mn AND c.due_at IS NOT NULL)
      AND NOT EXISTS (SELECT FROM gap_filling f WHERE f.mn = g.mn AND NOT f.enabled)
    ORDER BY g.mn, g.begins DESC LIMIT :limit
    """  # noqa: S608
)
_TAKE = text("SELECT id FROM gap WHERE id = :id AND state = 'missing' FOR UPDATE SKIP LOCKED")
_ASK = text("UPDATE gap SET state = 'asked', command_id = :command WHERE id = :id")
_ASKED = text("SELECT count(*) FROM command WHERE origin = 'gap' AND due_at IS NOT NULL")
_ANSWERED = text(
    f"""
    SELECT {_COLUMNS}, c.state, c.attempts, c.qn_rtn, c.expires_at FROM gap g JOIN command c ON c.id = g.command_id
    WHERE g.state = 'asked' AND c.due_at IS NULL ORDER BY g.id LIMIT :limit FOR UPDATE OF g SKIP LOCKED
    """  # noqa: S608
)
_SETTLE = text("UPDATE gap SET state = :state, tries = :tries, try_at = :try_at WHERE id = :id")


@dataclass(frozen=True, slots=True)
class StoredGap:
    """A gap with its id. ``command_id`` is the latest command that asked for it."""

    id: int
    park_id: str
    mn: str
    cadence: str
    span: Span
    interval: timedelta
    tries: int
    command_id: int | None


async def enabled(connection: AsyncConnection, mn: str) -> bool:
    """Whether gaps of a device are filled; they are unless it was switched off."""
    found = (await connection.execute(_ENABLED, {"mn": mn})).scalar()
    return True if found is None else bool(found)


async def enable(connection: AsyncConnection, mn: str, *, enabled: bool) -> None:
    """Switch it on or off."""
    await connection.execute(_ENABLE, {"mn": mn, "enabled": enabled})


async def disabled(connection: AsyncConnection, mns: Sequence[str]) -> set[str]:
    """Those of these devices for which it is switched off."""
    return set((await connection.execute(_DISABLED, {"mns": list(mns)})).scalars())


async def take_turn(connection: AsyncConnection, mn: str) -> None:
    """Two that look through one device take turns, for the rest of the transaction."""
    await connection.execute(_LOCK, {"mn": mn})


async def looked_until(connection: AsyncConnection, mn: str, cadence: str) -> datetime | None:
    """The record up to which a device was looked through; None before the first time."""
    found: datetime | None = (await connection.execute(_LOOKED[cadence], {"mn": mn})).scalar()
    return found


async def recent_times(connection: AsyncConnection, ids: Sequence[int], until: datetime) -> list[datetime]:
    """The times of the latest records before ``until`` of these datastreams, in order."""
    values = {"ids": list(ids), "until": until, "limit": RECENT}
    return list((await connection.execute(_RECENT, values)).scalars())


async def times(connection: AsyncConnection, ids: Sequence[int], span: Span) -> list[datetime]:
    """The times at which there is a record in any of these datastreams, in order; at most ``MAX_TIMES``."""
    values = {"ids": list(ids), "begin": span.begin, "end": span.end, "limit": MAX_TIMES}
    return list((await connection.execute(_TIMES, values)).scalars())


async def known(connection: AsyncConnection, mn: str, cadence: str, begin: datetime) -> list[Span]:
    """The gaps of a device that are on record and end after ``begin``."""
    rows = await connection.execute(_KNOWN, {"mn": mn, "cadence": cadence, "begin": begin})
    return [Span(row.begins, row.ends) for row in rows]


async def add(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    cadence: str,
    spans: Sequence[Span],
    interval: timedelta,
    until: datetime,
    now: datetime,
) -> None:
    """Record gaps, and that the device was looked through up to ``until``."""
    same = {"park": park_id, "mn": mn, "cadence": cadence, "interval": round(interval.total_seconds()), "now": now}
    if spans:
        await connection.execute(_ADD, [{**same, "begins": span.begin, "ends": span.end} for span in spans])
    await connection.execute(_LOOK[cadence], {"mn": mn, "until": until})


async def asked_now(connection: AsyncConnection) -> int:
    """How many requests for gaps are on the way, of all replicas."""
    return int((await connection.execute(_ASKED)).scalar_one())


async def due(connection: AsyncConnection, mns: Sequence[str], limit: int, now: datetime) -> list[StoredGap]:
    """The next gap to ask for of each of these devices that has nothing else to do."""
    return [_gap(row) for row in await connection.execute(_DUE, {"mns": list(mns), "limit": limit, "now": now})]


async def take(connection: AsyncConnection, gap: StoredGap) -> bool:
    """Lock a gap that is still missing; False where another replica was faster."""
    return (await connection.execute(_TAKE, {"id": gap.id})).first() is not None


async def ask(connection: AsyncConnection, gap: StoredGap, command_id: int) -> None:
    """It is asked for by this command."""
    await connection.execute(_ASK, {"id": gap.id, "command": command_id})


async def answered(connection: AsyncConnection, limit: int) -> list[tuple[StoredGap, Progress]]:
    """Gaps whose command has ended, with how; locked for the transaction."""
    rows = await connection.execute(_ANSWERED, {"limit": limit})
    return [
        (
            _gap(row),
            Progress(State(row.state), None, row.expires_at, attempts=row.attempts, qn_rtn=row.qn_rtn),
        )
        for row in rows
    ]


async def settle(connection: AsyncConnection, gap: StoredGap, outcome: Outcome) -> None:
    """Write what became of a gap."""
    values = {"id": gap.id, "state": outcome.state.value, "tries": outcome.tries, "try_at": outcome.try_at}
    await connection.execute(_SETTLE, values)


def _gap(row: Row[Any]) -> StoredGap:
    return StoredGap(
        id=row.id,
        park_id=row.park_id,
        mn=row.mn,
        cadence=row.cadence,
        span=Span(row.begins, row.ends),
        interval=timedelta(seconds=row.interval_s),
        tries=row.tries,
        command_id=row.command_id,
    )
