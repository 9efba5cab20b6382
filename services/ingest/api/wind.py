"""The wind over HTTP."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import wind
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.problems import BadRequest, NotFound, Unavailable, responses
from shared.time import UtcDatetime

router = APIRouter(tags=["ingest"])


@router.get("/parks/{park_id}/wind", responses=responses(BadRequest, NotFound, Unavailable))
async def get_wind(
    park_id: str,
    ingest: Ingest,
    start: UtcDatetime,
    end: UtcDatetime,
    resolution: schemas.WindResolution = "hour",
    station_id: str | None = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> schemas.WindPage:
    """The wind by the minute, hour or day of the park, as a vector mean, in every period that the span touches."""
    if start >= end:
        raise BadRequest("`start` has to lie before `end`.")
    widest = wind.WIDEST[resolution]
    if end - start > widest:
        raise BadRequest(f"By the {resolution}, `start` and `end` may lie {widest.days} days apart; ask for parts.")
    async with asking(ingest) as connection:
        park = await questions.park(connection, park_id)
        limits = wind.periods(resolution, ZoneInfo(park.timezone), start, end)
        return await wind.winds(connection, park_id, station_id, limits, resolution, ingest.valid_share, cursor)
