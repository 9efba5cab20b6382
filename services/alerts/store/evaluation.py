"""Where the evaluation stands: positions in the streams of readings and the state of each datastream."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.streams import Fact


class Displaced(Exception):
    """Another process has moved the position: what was evaluated here must be thrown away and read again."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Readings that were not evaluated, by reason."""

    too_late: int = 0
    backfilled: int = 0
    ahead: int = 0


async def positions(connection: AsyncConnection, streams: Sequence[str]) -> dict[str, int]:
    """The position of each stream; a stream never read begins at 0."""
    await connection.execute(
        text(
            "INSERT INTO position (stream, position) SELECT stream, 0 FROM unnest(CAST(:streams AS text[])) AS stream "
            "ORDER BY stream ON CONFLICT DO NOTHING"
        ),
        {"streams": list(streams)},
    )
    rows = await connection.execute(
        text("SELECT stream, position FROM position WHERE stream = ANY(CAST(:streams AS text[]))"),
        {"streams": list(streams)},
    )
    return {row.stream: row.position for row in rows}


async def advance(connection: AsyncConnection, stream: str, before: int, after: int) -> None:
    """Move a position from `before`; raises `Displaced` when it is not there any more.

    The row stays locked until the end of the transaction: of two processes that evaluate the same facts one comes
    through.
    """
    moved = await connection.execute(
        text(
            "UPDATE position SET position = :after, updated_at = now() "
            "WHERE stream = :stream AND position = :before RETURNING stream"
        ),
        {"stream": stream, "before": before, "after": after},
    )
    if moved.first() is None:
        raise Displaced(f"{stream} is not at {before} any more; another process evaluates it")


async def load_states(connection: AsyncConnection, datastream_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The stored documents of these datastreams."""
    rows = await connection.execute(
        text(
            "SELECT datastream_id, CAST(document AS text) AS document FROM evaluation_state "
            "WHERE datastream_id = ANY(CAST(:ids AS bigint[]))"
        ),
        {"ids": list(datastream_ids)},
    )
    return {row.datastream_id: json.loads(row.document) for row in rows}


async def save_states(connection: AsyncConnection, states: Mapping[int, tuple[str, dict[str, Any], Counts]]) -> None:
    """Store (rule id, document, readings passed over) by datastream, in the order of ids: no deadlocks."""
    ids = sorted(states)
    await connection.execute(
        text(
            """
            INSERT INTO evaluation_state (datastream_id, rule_id, document, too_late, backfilled, ahead)
            SELECT id, rule_id, CAST(document AS jsonb), too_late, backfilled, ahead
            FROM unnest(CAST(:ids AS bigint[]), CAST(:rule_ids AS text[]), CAST(:documents AS text[]),
                CAST(:too_late AS bigint[]), CAST(:backfilled AS bigint[]), CAST(:ahead AS bigint[]))
                AS new (id, rule_id, document, too_late, backfilled, ahead)
            ORDER BY id
            ON CONFLICT (datastream_id, rule_id) DO UPDATE SET
                document = excluded.document,
                too_late = evaluation_state.too_late + excluded.too_late,
                backfilled = evaluation_state.backfilled + excluded.backfilled,
                ahead = evaluation_state.ahead + excluded.ahead,
                updated_at = now()
            """
        ),
        {
            "ids": ids,
            "rule_ids": [states[i][0] for i in ids],
            "documents": [json.dumps(states[i][1], separators=(",", ":")) for i in ids],
            "too_late": [states[i][2].too_late for i in ids],
            "backfilled": [states[i][2].backfilled for i in ids],
            "ahead": [states[i][2].ahead for i in ids],
        },
    )


async def refuse(connection: AsyncConnection, fact: Fact, reason: str) -> None:
    """Set a fact aside that cannot be used."""
    await connection.execute(
        text(
            "INSERT INTO refused_fact (stream, position, reason, payload) "
            "VALUES (:stream, :position, :reason, :payload) ON CONFLICT DO NOTHING"
        ),
        {"stream": fact.stream, "position": fact.position, "reason": reason[:2000], "payload": fact.payload},
    )
