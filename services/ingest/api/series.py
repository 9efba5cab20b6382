"""Questions about observations over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import series
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.park_file import Cadence
from shared.problems import (
    BadRequest,
    NotFound,
    responses,
)
from shared.time import UtcDatetime, utc_now

router = APIRouter(tags=["ingest"])
MAX_POINTS = 50_000


@router.get("/parks/{park_id}/latest", responses=responses(NotFound))
async def latest(park_id: str, ingest: Ingest, cadence: Cadence = "realtime") -> schemas.LatestPage:
    """The latest observation of every datastream of one cadence."""
    async with ingest.engine.connect() as connection:
        await questions.park(connection, park_id)
        return schemas.LatestPage(items=await series.latest(connection, park_id, cadence))


@router.get("/parks/{park_id}/observations", responses=responses(BadRequest, NotFound))
async def observations(
    park_id: str,
    ingest: Ingest,
    datastream_id: Annotated[list[int], Query(min_length=1, max_length=200)],
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    resolution: series.Resolution = "raw",
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS)] = 10_000,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> schemas.SeriesPage:
    """Observations of some datastreams, from `start` on and before `end`."""
    until = end or utc_now()
    since = start or until - series.DEFAULT_SPAN[resolution]
    if since >= until:
        raise BadRequest("`start` has to lie before `end`.")
    async with ingest.engine.connect() as connection:
        return await series.observations(connection, park_id, datastream_id, resolution, since, until, limit, cursor)


@router.get("/parks/{park_id}/meteorology", responses=responses(NotFound))
async def meteorology(
    park_id: str,
    ingest: Ingest,
    at: UtcDatetime | None = None,
    window_s: Annotated[float, Query(gt=0, le=86_400)] = 600.0,
) -> schemas.Meteorology:
    """The weather of a park over a window of time: wind as a vector mean, with its spread."""
    moment: datetime = at or utc_now()
    async with ingest.engine.connect() as connection:
        await questions.park(connection, park_id)
        return await series.meteorology(connection, park_id, moment, timedelta(seconds=window_s))
