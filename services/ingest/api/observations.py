"""Observations to be stored, over HTTP."""

from fastapi import APIRouter, Request

from services.ingest import schemas
from services.ingest.intake.rows import Intake
from services.ingest.metrics import ROWS
from services.ingest.state import Ingest
from services.ingest.writing.batch import STATUSES, Submission
from shared.problems import (
    NotFound,
    TooLarge,
    Unavailable,
    responses,
)
from shared.time import utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
SUBMIT_TIMEOUT_S = 10.0


@router.post("/parks/{park_id}/observations", responses=responses(NotFound, TooLarge, Unavailable))
async def post_observations(
    park_id: str, batch: schemas.ObservationBatch, ingest: Ingest, request: Request
) -> schemas.BatchResult:
    """Store observations. The answer comes after the commit and tells of each row what became of it."""
    snapshot = ingest.registry.snapshot
    if park_id not in snapshot.parks:
        raise NotFound(f"There is no park '{park_id}'.")
    intake = Intake(batch.observations, snapshot, park_id, now=utc_now(), ahead=ingest.clock_ahead)
    submission = Submission(f"http:{actor(request)}", intake.observations, parks=frozenset({park_id}))
    codes = await ingest.writer.submit_or_refuse(submission, SUBMIT_TIMEOUT_S) if intake.observations else ()
    if intake.refused:
        ROWS.labels("refused").inc(intake.refused)
    return intake.result([STATUSES[code] for code in codes])
