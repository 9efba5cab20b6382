"""Corrections in the database: the observation takes the new content, the journal keeps both."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.corrections.changes import Change, Content, CorrectionError, Key, changes, keys_of
from services.ingest.schemas import CorrectionRequest, CorrectionResult
from shared.messages import CORRECTIONS_STREAM, ObservationsCorrected
from shared.outbox import enqueue
from shared.problems import NotFound, Unprocessable
from shared.quality import Quality
from shared.time import to_microseconds

MAX_ROWS = 50_000
"""Observations that one call may touch: what it holds in memory and locks."""
_ROWS_A_FACT = 5_000

# Writers only insert; with corrections one after the other, nobody else changes an observation in between.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('fenceline-correction'))")
# TimescaleDB takes compressed rows out to change them, by default up to 100,000 a transaction; the span and MAX_ROWS
# bound them here. Elsewhere the name means nothing and does no harm.
_DECOMPRESS = text("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
_OWNED = text(
    """
    SELECT d.id FROM datastream d JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park AND d.id = ANY(CAST(:ids AS integer[]))
    """
)
_SPAN = text(
    """
    SELECT datastream_id, time, value, quality, minimum, maximum FROM observation
    WHERE datastream_id = :id AND time >= :start AND time < :end LIMIT :limit
    """
)
# Bounds on the table itself keep the search to the chunks that matter.
_BOUNDS = "o.datastream_id = ANY(CAST(:ids AS integer[])) AND o.time BETWEEN :first AND :last"
_KEYS = text(
    f"""
    SELECT o.datastream_id, o.time, o.value, o.quality, o.minimum, o.maximum
    FROM unnest(CAST(:ids AS integer[]), CAST(:times AS timestamptz[])) AS k (datastream_id, time)
    JOIN observation o ON o.datastream_id = k.datastream_id AND o.time = k.time
    WHERE {_BOUNDS}
    """  # noqa: S608  (constants of this file)
)
_JOURNAL = text(
    """
    INSERT INTO correction (park_id, datastream_id, time, before_value, before_quality, before_minimum, before_maximum,
        after_value, after_quality, after_minimum, after_maximum, author, reviewer, reason)
    SELECT :park, c.*, :author, :reviewer, :reason
    FROM unnest(CAST(:ids AS integer[]), CAST(:times AS timestamptz[]),
        CAST(:before_values AS float8[]), CAST(:before_qualities AS text[]), CAST(:before_minima AS float8[]),
        CAST(:before_maxima AS float8[]),
        CAST(:values AS float8[]), CAST(:qualities AS text[]), CAST(:minima AS float8[]), CAST(:maxima AS float8[])) c
    """
)
_UPDATE = text(
    f"""
    UPDATE observation o SET value = c.value, quality = c.quality, minimum = c.minimum, maximum = c.maximum
    FROM unnest(CAST(:ids AS integer[]), CAST(:times AS timestamptz[]), CAST(:values AS float8[]),
        CAST(:qualities AS text[]), CAST(:minima AS float8[]), CAST(:maxima AS float8[]))
        AS c (datastream_id, time, value, quality, minimum, maximum)
    WHERE o.datastream_id = c.datastream_id AND o.time = c.time AND {_BOUNDS}
    """  # noqa: S608  (constants of this file)
)


async def correct(
    connection: AsyncConnection, park_id: str, request: CorrectionRequest, author: str
) -> CorrectionResult:
    """Make a correction in the transaction of ``connection``. Raises NotFound, Unprocessable; then nothing is changed.

    Doing it again changes nothing. The fact of it goes to a stream of its own, so no alarm is raised again.
    """
    await _check_owner(connection, park_id, request)
    await connection.execute(_ONE_AT_A_TIME)
    await connection.execute(_DECOMPRESS)
    try:
        stored = await _stored(connection, request)
        made = changes(stored, request.spans, request.values)
    except CorrectionError as error:
        raise Unprocessable(f"Nothing was corrected: {error}.") from error
    if made:
        await _write(connection, park_id, request, author, made)
    return CorrectionResult(corrected=len(made), unchanged=len(stored) - len(made))


async def _check_owner(connection: AsyncConnection, park_id: str, request: CorrectionRequest) -> None:
    wanted = {entry.datastream_id for entry in request.values} | {entry.datastream_id for entry in request.spans}
    owned = set((await connection.execute(_OWNED, {"park": park_id, "ids": sorted(wanted)})).scalars())
    if missing := sorted(wanted - owned):
        raise NotFound(f"Park '{park_id}' has no datastream {', '.join(map(str, missing[:10]))}.")


async def _stored(connection: AsyncConnection, request: CorrectionRequest) -> dict[Key, Content]:
    found: dict[Key, Content] = {}
    if keys := keys_of(request.values):
        found |= _contents(await connection.execute(_KEYS, _keyed(keys)))
    for span in request.spans:
        parameters = {"id": span.datastream_id, "start": span.start, "end": span.end, "limit": MAX_ROWS + 1}
        found |= _contents(await connection.execute(_SPAN, parameters))
        if len(found) > MAX_ROWS:
            raise CorrectionError(f"it covers more than {MAX_ROWS} observations; make it in parts of shorter spans")
    return found


async def _write(
    connection: AsyncConnection, park_id: str, request: CorrectionRequest, author: str, made: Sequence[Change]
) -> None:
    who = {"author": author, "reviewer": request.reviewer, "reason": request.reason}
    after = _keyed([change.key for change in made]) | {
        "values": [change.after.value for change in made],
        "qualities": [change.after.quality.value for change in made],
        "minima": [change.after.minimum for change in made],
        "maxima": [change.after.maximum for change in made],
    }
    before = {
        "before_values": [change.before.value for change in made],
        "before_qualities": [change.before.quality.value for change in made],
        "before_minima": [change.before.minimum for change in made],
        "before_maxima": [change.before.maximum for change in made],
    }
    await connection.execute(_JOURNAL, after | before | who | {"park": park_id})
    await connection.execute(_UPDATE, after)
    for start in range(0, len(made), _ROWS_A_FACT):
        part = made[start : start + _ROWS_A_FACT]
        fact = ObservationsCorrected(
            park_id=park_id,
            datastream_id=[change.key[0] for change in part],
            time=[to_microseconds(change.key[1]) for change in part],
            value=[change.after.value for change in part],
            quality="".join(change.after.quality.value for change in part),
            **who,
        )
        await enqueue(connection, CORRECTIONS_STREAM, fact)


def _keyed(keys: Sequence[Key]) -> dict[str, Any]:
    times = [time for _, time in keys]
    return {"ids": [number for number, _ in keys], "times": times, "first": min(times), "last": max(times)}


def _contents(rows: Any) -> dict[Key, Content]:
    return {
        (row.datastream_id, row.time): Content(row.value, Quality(row.quality), row.minimum, row.maximum)
        for row in rows
    }
