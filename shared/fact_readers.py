"""How far those who read a service's facts have come, so that no fact is forgotten that one of them has not read.

A reader says from time to time from where it would read on (`PUT /facts/readers/{reader}`). The retention of the outbox
then waits for the slowest, so an outage of a reader may last longer than it. One that is not heard of for `GIVEN_UP` is
no longer waited for: the outbox stays bounded.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

GIVEN_UP = timedelta(days=30)

# Executed by a migration of each service that waits for its readers, in the service's own schema.
CREATE_READERS = """
    CREATE TABLE outbox_reader (
        reader text NOT NULL,
        stream text NOT NULL,
        position bigint NOT NULL,
        heard_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (reader, stream)
    )
"""
UNREAD = (
    "EXISTS (SELECT FROM outbox_reader AS reader WHERE reader.stream = outbox.stream "
    "AND reader.position < outbox.position AND reader.heard_at > now() - CAST(:given_up AS interval))"
)
"""SQL: a reader that is waited for has not read this row of the outbox."""
_SAVE = text(
    """
    INSERT INTO outbox_reader (reader, stream, position)
    SELECT :reader, * FROM unnest(CAST(:streams AS text[]), CAST(:positions AS bigint[])) AS new (stream, position)
    ORDER BY stream
    ON CONFLICT (reader, stream) DO UPDATE SET position = excluded.position, heard_at = now()
    """
)

_Stream = Annotated[str, Field(min_length=1, max_length=100)]
_Position = Annotated[int, Field(ge=0, lt=2**63)]


class ReadUpTo(BaseModel):
    """The last position of each stream that its reader will not ask for again; 0: it has read nothing."""

    positions: dict[_Stream, _Position] = Field(max_length=1024)


async def save_positions(connection: AsyncConnection, reader: str, positions: dict[str, int]) -> None:
    """Take what a reader says of itself, in the order of streams: no deadlocks."""
    streams = sorted(positions)
    await connection.execute(
        _SAVE, {"reader": reader, "streams": streams, "positions": [positions[stream] for stream in streams]}
    )


def readers_router(engine: Callable[[], AsyncEngine]) -> APIRouter:
    """`PUT /facts/readers/{reader}`, for the other services."""
    router = APIRouter(tags=["internal"])

    @router.put("/facts/readers/{reader}", status_code=204)
    async def read_up_to(reader: Annotated[str, Path(min_length=1, max_length=100)], body: ReadUpTo) -> None:
        """Say how far a reader has come."""
        async with engine().begin() as connection:
            await save_positions(connection, reader, body.positions)

    return router
