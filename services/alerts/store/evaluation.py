"""Where the evaluation stands: how far its effects are written, and its state as of some seconds ago."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.levels import Colour
from shared.streams import Fact


class Displaced(Exception):
    """Another process has moved the position: what was evaluated here must be thrown away and read again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A level alarm that is active: what the evaluation must know of it when it knows nothing else."""

    colour: Colour
    peak: float | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a process takes up. Facts up to `applied` have had their effects, all of them; `state` is as of `position`.

    `refused` are positions after that one which were set aside; `standing` is by datastream and rule.
    """

    applied: int
    position: int
    state: bytes
    refused: frozenset[int]
    standing: dict[tuple[int, str], Standing]


async def take_up(connection: AsyncConnection, stream: str) -> Stored:
    """What is stored of a stream; one never read begins at 0."""
    row = (
        await connection.execute(
            text(
                """
                WITH begun AS (
                    INSERT INTO position (stream, position) VALUES (:stream, 0) ON CONFLICT DO NOTHING
                    RETURNING position
                )
                SELECT coalesce((SELECT position FROM position WHERE stream = :stream), 0) AS applied,
                    coalesce(checkpoint.position, 0) AS position, coalesce(checkpoint.state, '') AS state
                FROM (SELECT 1) AS one LEFT JOIN checkpoint ON checkpoint.stream = :stream
                """
            ),
            {"stream": stream},
        )
    ).one()
    refused = await connection.execute(
        text("SELECT position FROM refused_fact WHERE stream = :stream AND position > :position"),
        {"stream": stream, "position": row.position},
    )
    standing = await connection.execute(
        text("SELECT datastream_id, rule_id, colour, peak_value FROM alarm WHERE active AND datastream_id IS NOT NULL")
    )
    return Stored(
        row.applied,
        row.position,
        bytes(row.state),
        frozenset(refused.scalars()),
        {(found.datastream_id, found.rule_id): Standing(Colour(found.colour), found.peak_value) for found in standing},
    )


async def checkpoints(connection: AsyncConnection, streams: Sequence[str]) -> dict[str, int]:
    """The positions of the checkpoints of these streams; those without one are left out."""
    rows = await connection.execute(
        text("SELECT stream, position FROM checkpoint WHERE stream = ANY(CAST(:streams AS text[]))"),
        {"streams": list(streams)},
    )
    return {row.stream: row.position for row in rows}


async def advance(connection: AsyncConnection, stream: str, before: int, after: int) -> None:
    """Say that all facts up to `after` have had their effects; raises `Displaced` when it is not `before` any more.

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


async def save_checkpoint(connection: AsyncConnection, stream: str, position: int, state: bytes) -> bool:
    """Store the state as of a position; whether it was further than what is stored."""
    written = await connection.execute(
        text(
            "INSERT INTO checkpoint (stream, position, state) VALUES (:stream, :position, :state) "
            "ON CONFLICT (stream) DO UPDATE SET position = excluded.position, state = excluded.state, "
            "written_at = now() WHERE checkpoint.position < excluded.position RETURNING stream"
        ),
        {"stream": stream, "position": position, "state": state},
    )
    return written.first() is not None


@dataclass(slots=True)
class Counts:
    """Readings that were not evaluated, by reason."""

    too_late: int = 0
    backfilled: int = 0
    ahead: int = 0


async def add_passed_over(connection: AsyncConnection, counts: Mapping[int, Counts]) -> None:
    """Add to the counts of these datastreams, in the order of ids: no deadlocks."""
    ids = sorted(counts)
    await connection.execute(
        text(
            """
            INSERT INTO passed_over (datastream_id, too_late, backfilled, ahead)
            SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:too_late AS bigint[]), CAST(:backfilled AS bigint[]),
                CAST(:ahead AS bigint[])) AS new (id, too_late, backfilled, ahead)
            ORDER BY id
            ON CONFLICT (datastream_id) DO UPDATE SET
                too_late = passed_over.too_late + excluded.too_late,
                backfilled = passed_over.backfilled + excluded.backfilled,
                ahead = passed_over.ahead + excluded.ahead
            """
        ),
        {
            "ids": ids,
            "too_late": [counts[i].too_late for i in ids],
            "backfilled": [counts[i].backfilled for i in ids],
            "ahead": [counts[i].ahead for i in ids],
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
