"""The log of events that subscriptions are told from: numbered without gaps, in the order in which they are seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.events.event import Event
from services.gateway.subscriptions.rows import READABLE, Onlooker
from shared.levels import Colour

KEEP = timedelta(days=14)
"""How long the log goes back: so far can a subscription be set back, and so long may it be switched off."""
MOST_EVENTS = 2_000_000
KEEP_DEAD = timedelta(days=30)
MOST_DEAD = 10_000
"""Of one subscription."""
_PIECE = 10_000
# Whoever adds to the log holds this row until the commit: a number that is seen has none below it that is not.
_HEAD = text(
    "INSERT INTO subscription_head (id, seq) VALUES (1, 0)"
    " ON CONFLICT (id) DO UPDATE SET seq = subscription_head.seq RETURNING seq"
)
_MOVE_HEAD = text("UPDATE subscription_head SET seq = :seq")
_SOURCES = text("SELECT stream, position FROM subscription_source")
_BEGIN_SOURCE = text(
    "INSERT INTO subscription_source (stream, position) VALUES (:stream, :position) ON CONFLICT DO NOTHING"
)
_MOVE_SOURCE = text("UPDATE subscription_source SET position = :new WHERE stream = :stream AND position = :old")
_ANYBODY = text("SELECT EXISTS (SELECT FROM subscription)")
_ADD = text(
    """
    INSERT INTO subscription_event (seq, stream, position, kind, park_id, level, data, at)
    VALUES (:seq, :stream, :position, :kind, :park_id, :level, :data, :at)
    """
)
_OLD = text(
    """
    DELETE FROM subscription_event WHERE seq IN (
        SELECT seq FROM subscription_event
        WHERE at < :before OR seq <= (SELECT seq FROM subscription_head) - :most ORDER BY seq LIMIT :piece)
    """
)
_OLD_DEAD = text("DELETE FROM subscription_dead WHERE died_at < :before")
_MANY_DEAD = text(
    """
    DELETE FROM subscription_dead d USING subscription s
    WHERE d.subscription_id = s.id AND d.seq <= (
        SELECT seq FROM subscription_dead WHERE subscription_id = s.id ORDER BY seq DESC OFFSET :most LIMIT 1)
    """
)
_REVIVE = text(
    f"""
    WITH chosen AS (
        SELECT seq FROM subscription_dead e
        WHERE subscription_id = :id AND (CAST(:seqs AS bigint[]) IS NULL OR seq = ANY(:seqs)) AND {READABLE}
        ORDER BY seq LIMIT {_PIECE}
    ), revived AS (
        DELETE FROM subscription_dead d USING chosen
        WHERE d.subscription_id = :id AND d.seq = chosen.seq RETURNING d.*
    )
    INSERT INTO subscription_event (seq, stream, position, kind, park_id, level, data, at, only_for)
    SELECT :head + row_number() OVER (ORDER BY seq), stream, position, kind, park_id, level, data,
           CAST(:now AS timestamptz), :id
    FROM revived
    """  # noqa: S608  a constant
)


class Overtaken(Exception):
    """Another replica has read on meanwhile."""


@dataclass(frozen=True, slots=True)
class Levelled:
    """An event and the level that filters look at."""

    event: Event
    level: Colour | None


async def lock_head(connection: AsyncConnection) -> int:
    """The number of the last event; until the end of the transaction nobody adds another."""
    return int((await connection.execute(_HEAD)).scalar_one())


async def source_positions(engine: AsyncEngine) -> dict[str, int]:
    """How far each stream of facts was read into the log."""
    async with engine.connect() as connection:
        return {row.stream: row.position for row in await connection.execute(_SOURCES)}


async def begin_sources(engine: AsyncEngine, positions: Mapping[str, int]) -> None:
    """Read these streams from here on, where they were not read yet."""
    async with engine.begin() as connection:
        for stream in sorted(positions):
            await connection.execute(_BEGIN_SOURCE, {"stream": stream, "position": positions[stream]})


async def add_events(
    engine: AsyncEngine,
    events: Sequence[Levelled],
    before: Mapping[str, int],
    after: Mapping[str, int],
    now: datetime,
) -> None:
    """Add what was read from the positions `before` to `after`; nothing is kept while there is no subscription.

    Raises `Overtaken` where the log stands elsewhere than at `before`.
    """
    async with engine.begin() as connection:
        head = await lock_head(connection)
        for stream in sorted(after):
            if after[stream] != before[stream]:
                moved = {"stream": stream, "old": before[stream], "new": after[stream]}
                if (await connection.execute(_MOVE_SOURCE, moved)).rowcount != 1:
                    raise Overtaken(stream)
        if events and (await connection.execute(_ANYBODY)).scalar_one():
            await connection.execute(_ADD, [_row(head + 1 + n, one, now) for n, one in enumerate(events)])
            await connection.execute(_MOVE_HEAD, {"seq": head + len(events)})


async def revive(engine: AsyncEngine, id_: UUID, onlooker: Onlooker, seqs: Sequence[int] | None, now: datetime) -> int:
    """Put dead letters (None: all, at most 10,000 at once) at the end of the log, for their subscription alone.

    Only those that the onlooker may read: who sends them again can have them sent to themselves.
    """
    async with engine.begin() as connection:
        head = await lock_head(connection)
        values = {"id": id_, "seqs": list(seqs) if seqs is not None else None, "head": head, "now": now}
        count = (await connection.execute(_REVIVE, onlooker.parameters() | values)).rowcount
        await connection.execute(_MOVE_HEAD, {"seq": head + count})
    return count


async def forget_old(engine: AsyncEngine, now: datetime) -> None:
    """Keep the log and the dead letters bounded."""
    async with engine.begin() as connection:
        await connection.execute(_OLD_DEAD, {"before": now - KEEP_DEAD})
        await connection.execute(_MANY_DEAD, {"most": MOST_DEAD})
    while True:
        async with engine.begin() as connection:
            values = {"before": now - KEEP, "most": MOST_EVENTS, "piece": _PIECE}
            if (await connection.execute(_OLD, values)).rowcount < _PIECE:
                return


def _row(seq: int, one: Levelled, now: datetime) -> dict[str, object]:
    return {
        "seq": seq,
        "stream": one.event.stream,
        "position": one.event.position,
        "kind": one.event.kind,
        "park_id": one.event.park_id,
        "level": one.level.rank if one.level else None,
        "data": one.event.data.decode(),
        "at": now,
    }
