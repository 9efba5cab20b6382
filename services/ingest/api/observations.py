"""Observations to be stored, over HTTP."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.ingest import schemas
from services.ingest.intake.rows import read_rows
from services.ingest.intake.taken import take
from services.ingest.metrics import ROWS
from services.ingest.state import Ingest
from services.ingest.writing.batch import NO_CODES, Submission
from shared.problems import NotFound, TooLarge, Unavailable, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
SUBMIT_TIMEOUT_S = 10.0
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": schemas.standing_alone(schemas.ObservationBatch)}},
    }
}


@router.post(
    "/parks/{park_id}/observations",
    response_model=schemas.BatchResult,
    responses=responses(NotFound, TooLarge, Unprocessable, Unavailable),
    openapi_extra=_BODY,
)
async def post_observations(park_id: str, ingest: Ingest, request: Request) -> Response:
    """Store observations. The answer comes after the commit and tells of each row what became of it."""
    snapshot = ingest.registry.snapshot
    if park_id not in snapshot.parks:
        raise NotFound(f"There is no park '{park_id}'.")
    rows = read_rows(await request.body())
    taken = take(rows, ingest.addresses.of(snapshot, park_id), ingest.times, utc_now(), ingest.clock_ahead)
    codes = NO_CODES
    if len(taken.columns):
        submission = Submission(f"http:{actor(request)}", columns=taken.columns, parks=frozenset({park_id}))
        codes = await ingest.writer.submit_or_refuse(submission, SUBMIT_TIMEOUT_S)
    if taken.refused:
        ROWS.labels("refused").inc(len(taken.refused))
    return Response(taken.answer(codes), media_type="application/json")
