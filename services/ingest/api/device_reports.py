"""What devices report of themselves, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import device_reports as question
from services.ingest.questions.asking import asking
from services.ingest.state import Ingest
from shared.hj212.reports import Kind
from shared.problems import BadRequest, NotFound, Unavailable, responses
from shared.time import UtcDatetime

router = APIRouter(tags=["ingest"])
DEVICE = "/parks/{park_id}/devices/{mn}"
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
Subject = Annotated[str | None, Query(max_length=64, description="a factor or a plant")]


@router.get(DEVICE + "/reports", responses=responses(BadRequest, NotFound, Unavailable))
async def device_reports(
    park_id: str,
    mn: str,
    ingest: Ingest,
    kind: Annotated[list[Kind] | None, Query(max_length=len(Kind))] = None,
    subject: Subject = None,
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.DeviceReportPage:
    """What an HJ 212 device has told of itself (states, logs, serial numbers, samples), the latest first."""
    async with asking(ingest) as connection:
        return await question.reports(
            connection, park_id, mn, kinds=kind, subject=subject, start=start, end=end, limit=limit, cursor=cursor
        )


@router.get(DEVICE + "/standard-checks", responses=responses(BadRequest, NotFound, Unavailable))
async def standard_checks(
    park_id: str,
    mn: str,
    ingest: Ingest,
    factor: Subject = None,
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.StandardCheckPage:
    """The checks of a device's analysers with standard samples (HJ 212-2025), the latest first."""
    async with asking(ingest) as connection:
        return await question.standard_checks(
            connection, park_id, mn, factor=factor, start=start, end=end, limit=limit, cursor=cursor
        )
