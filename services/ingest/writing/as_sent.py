"""What was sent in another unit than it is stored in, beside the observations of a batch."""

from typing import Any

import numpy as np
import psycopg

from services.ingest.meaning.sent import AS_STORED
from services.ingest.meaning.units import UNITS
from services.ingest.writing.batch import ACCEPTED, Batch, StatusCodes
from services.ingest.writing.binary_copy import encode_array

Connection = psycopg.AsyncConnection[Any]

# Not by COPY: this goes to the server together with all that follows the observations. Whoever stores an observation
# says what was sent for it, also where an older row was left behind by one that is gone.
_INSERT = """
    INSERT INTO observation_as_sent (datastream_id, time, unit, value, minimum, maximum)
    SELECT id, timestamptz 'epoch' + at * interval '1 microsecond', (%b::text[])[unit + 1], value, minimum, maximum
    FROM unnest(%b::int4[], %b::int8[], %b::int4[], %b::float8[], %b::float8[], %b::float8[])
        AS sent (id, at, unit, value, minimum, maximum)
    ON CONFLICT (datastream_id, time) DO UPDATE
        SET unit = excluded.unit, value = excluded.value, minimum = excluded.minimum, maximum = excluded.maximum
"""


async def store_as_sent(connection: Connection, batch: Batch, codes: StatusCodes) -> None:
    """Store it for the observations that are new; of the others the first stays."""
    sent = batch.columns.sent
    if sent is None:
        return
    new = np.flatnonzero((codes == ACCEPTED) & (sent.unit != AS_STORED))
    if not len(new):
        return
    ids, times = batch.columns.datastream_id[new], batch.columns.time[new]
    chosen = sent.take(new)
    await connection.execute(
        _INSERT,
        [
            list(UNITS),
            encode_array(">i4", ids),
            encode_array(">i8", times),
            encode_array(">i4", chosen.unit),
            encode_array(">f8", chosen.value),
            encode_array(">f8", chosen.minimum),
            encode_array(">f8", chosen.maximum),
        ],
    )
