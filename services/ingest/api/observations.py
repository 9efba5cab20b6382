"""Observations to be stored, over HTTP."""

import hashlib
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Request, Response

from services.ingest import schemas
from services.ingest.intake.bodies import CSV, JSON, LINES, read_body
from services.ingest.intake.taken import Rows
from services.ingest.metrics import ROWS
from services.ingest.state import Ingest, State
from services.ingest.writing.batch import NO_CODES, KeyedAnswer, StatusCodes, Submission
from shared.park_file import TimeZone
from shared.problems import (
    BadRequest,
    Conflict,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unprocessable,
    UnsupportedMediaType,
    responses,
)
from shared.time import utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
SUBMIT_TIMEOUT_S = 10.0
Body = Callable[[StatusCodes], bytes]
CSV_EXAMPLE = "station,property,time,value,quality,unit\ns01,chlorine,2026-03-01T08:00:00+08:00,0.12,N,mg/m3\n"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "oneOf": [
                        schemas.standing_alone(schemas.ObservationBatch),
                        schemas.standing_alone(schemas.ObservationColumns),
                    ]
                }
            },
            LINES: {"schema": schemas.standing_alone(schemas.ObservationRow)},
            CSV: {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
        },
    }
}
NOT_TAKEN = responses(
    BadRequest, Conflict, NotFound, TooLarge, UnsupportedMediaType, Unprocessable, TooManyRequests, Unavailable
)
"""Why a body of readings may not be taken in."""
Zone = Annotated[TimeZone | None, Query(description="IANA zone of CSV times that have no offset")]
Key = Annotated[
    str | None,
    Header(min_length=1, max_length=255, description="the same key again gets the answer of the first request"),
]


@router.post(
    "/parks/{park_id}/observations",
    response_model=schemas.BatchResult,
    responses=NOT_TAKEN,
    openapi_extra=_BODY,
)
async def post_observations(
    park_id: str, ingest: Ingest, request: Request, timezone: Zone = None, idempotency_key: Key = None
) -> Response:
    """Store observations. The answer comes after the commit and tells of each row what became of it.

    The body is JSON (rows or columns), JSON lines or CSV, as Content-Type says, compressed with gzip or zstd or not.
    """
    if park_id not in ingest.registry.snapshot.parks:
        raise NotFound(f"There is no park '{park_id}'.")
    rows = await read_body(request, None if timezone is None else ZoneInfo(timezone))
    caller = actor(request)
    if caller != "internal":
        _limit(ingest, caller, len(rows))
    if idempotency_key is None:
        return Response(await _store(ingest, park_id, rows, caller), media_type=JSON)
    fingerprint = await _fingerprint(request)
    keyed = partial(KeyedAnswer, park_id, caller, idempotency_key, fingerprint)
    work = partial(_store, ingest, park_id, rows, caller, keyed)
    return await ingest.idempotency.once(park_id, caller, idempotency_key, fingerprint, work)


async def _store(
    ingest: State, park_id: str, rows: Rows, caller: str, keyed: Callable[[Body], KeyedAnswer] | None = None
) -> bytes:
    """The body of the answer, once everything is committed; with ``keyed``, the answer too."""
    taken = ingest.judge.take(park_id, rows, utc_now())
    codes = NO_CODES
    if len(taken.columns) or keyed is not None:
        parks = frozenset({park_id})
        kept = None if keyed is None else keyed(taken.answer)
        submission = Submission(f"http:{caller}", columns=taken.columns, parks=parks, ordered=False, answer=kept)
        codes = await ingest.writer.submit_or_refuse(submission, SUBMIT_TIMEOUT_S)
    if taken.refused:
        ROWS.labels("refused").inc(len(taken.refused))
    return taken.answer(codes)


def _limit(ingest: State, caller: str, rows: int) -> None:
    wait_s = ingest.callers.wait_s(caller, rows, time.monotonic())
    if wait_s:
        detail = "More rows than a caller may send; nothing of this request was stored. Send it again later."
        raise TooManyRequests(detail, headers={"Retry-After": str(math.ceil(wait_s))})


async def _fingerprint(request: Request) -> bytes:
    """Tells one request from another."""
    named = [request.url.query, *(request.headers.get(name, "") for name in ("content-type", "content-encoding"))]
    return hashlib.sha256("\n".join(named).encode() + b"\n" + await request.body()).digest()
