"""Tells what a batch has stored: one fact a shard, in the transaction of the batch."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import psycopg

from services.ingest.writing.batch import ACCEPTED, Batch, StatusCodes
from services.ingest.writing.columns import Columns
from shared import outbox
from shared.messages import ObservationsStored
from shared.streams import observation_stream
from shared.time import to_microseconds

Connection = psycopg.AsyncConnection[Any]
_INSERT = "INSERT INTO outbox (stream, payload, traceparent, parks) VALUES (%s, %s, %s, %s)"


async def announce(connection: Connection, batch: Batch, codes: StatusCodes, received_at: int) -> None:
    """Write the facts; ``received_at`` in microseconds since 1970 UTC."""
    parks = batch.parks_by_shard()
    facts = [
        (*outbox.row(observation_stream(shard), _fact(part, received_at)), sorted(parks[shard]))
        for shard, part in _by_shard(batch.columns, codes)
    ]
    if facts:
        await connection.cursor().executemany(_INSERT, facts)


def renewed(payload: bytes, now: datetime) -> bytes:
    """A fact of readings as it is announced again: received now, so that what is old by now raises no alarm.

    Raises ValueError where it is not one.
    """
    message = ObservationsStored.decode(payload)
    return message.model_copy(update={"received_at": to_microseconds(now)}).encode()


def _by_shard(columns: Columns, codes: StatusCodes) -> Iterator[tuple[int, Columns]]:
    """The observations that are new, shard by shard in rising order, each in the order in which they came."""
    new = np.flatnonzero(codes == ACCEPTED)
    order = new[np.argsort(columns.shard[new], kind="stable")]
    shards, starts = np.unique(columns.shard[order], return_index=True)
    for shard, positions in zip(shards.tolist(), np.split(order, starts[1:]), strict=False):
        yield shard, columns.take(positions)


def _fact(part: Columns, received_at: int) -> ObservationsStored:
    return ObservationsStored(
        datastream_id=part.datastream_id.astype("<i4").tobytes(),
        time=part.time.astype("<i8").tobytes(),
        value=part.value.astype("<f8").tobytes(),
        quality=part.quality.tobytes().decode("ascii"),
        received_at=received_at,
    )
