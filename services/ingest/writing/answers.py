"""The answers of requests with an `Idempotency-Key`, kept in the transaction of their readings."""

import zlib
from typing import Any

import psycopg

from services.ingest.writing.batch import Batch, StatusCodes

Connection = psycopg.AsyncConnection[Any]

# The first answer stays: a batch whose commit was not heard of is written again, and finds duplicates then. The request
# may have been given up and its key forgotten; its readings are stored now all the same.
_KEEP = """
    INSERT INTO idempotency (park_id, caller, key, fingerprint, answer) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (park_id, caller, key) DO UPDATE SET answer = excluded.answer
        WHERE idempotency.answer IS NULL AND idempotency.fingerprint = excluded.fingerprint
"""


async def store_answers(connection: Connection, batch: Batch, codes: StatusCodes) -> None:
    """Keep what its senders are told, in the order of keys, so that no two writers wait for each other in a circle."""
    if not any(submission.answer for submission in batch.submissions):
        return
    kept = [
        (answer.park_id, answer.caller, answer.key, answer.fingerprint, zlib.compress(answer.body(own), 1))
        for submission, own in zip(batch.submissions, batch.split(codes), strict=True)
        if (answer := submission.answer) is not None
    ]
    await connection.cursor().executemany(_KEEP, sorted(kept))
