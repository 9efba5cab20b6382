"""Statistics of observations over HTTP."""

from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import statistics, wind_rose
from services.ingest.questions.asking import asking
from services.ingest.questions.position import Resolution
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.park_file import Cadence
from shared.problems import BadRequest, NotFound, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime

router = APIRouter(tags=["ingest"])
_MAX_ROSE_DAYS = 366
# FastAPI copies a default.
EDGES = list(wind_rose.SPEED_EDGES_M_S)
PERCENTILES = [50.0, 95.0, 98.0]
NO_THRESHOLDS: list[float] = []
Percent = Annotated[float, Query(ge=0, le=100)]
Threshold = Annotated[float, Query(gt=0, allow_inf_nan=False)]
Speed = Annotated[float, Query(gt=0, le=200)]


@router.get("/parks/{park_id}/wind-rose", responses=responses(BadRequest, NotFound, Unprocessable, Unavailable))
async def get_wind_rose(
    park_id: str,
    ingest: Ingest,
    start: UtcDatetime,
    end: UtcDatetime,
    station_id: str | None = None,
    cadence: Annotated[Cadence | None, Query(description="default: the best one that has readings")] = None,
    sectors: Annotated[int, Query(ge=4, le=36)] = 16,
    speed_edge: Annotated[list[Speed], Query(max_length=12, description="where classes of speed begin [m/s]")] = EDGES,
    calm_m_s: Annotated[float, Query(ge=0, le=5)] = wind_rose.CALM_M_S,
    cursor: Annotated[str, Query(max_length=200, description="`next` of the page before")] = "",
) -> schemas.WindRosePage:
    """How often the wind came from where, and how strong, at each station that measures it."""
    check_span(start, end, _MAX_ROSE_DAYS)
    if any(low >= high for low, high in pairwise(speed_edge)):
        raise Unprocessable("`speed_edge` has to rise from one to the next.")
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return await wind_rose.wind_roses(
            connection,
            park_id,
            station_id,
            start,
            end,
            sectors=sectors,
            edges=speed_edge,
            calm=calm_m_s,
            cadence=cadence,
            after=cursor,
        )


@router.get("/parks/{park_id}/statistics", responses=responses(BadRequest, NotFound, Unprocessable, Unavailable))
async def get_statistics(
    park_id: str,
    ingest: Ingest,
    datastream_id: Annotated[list[int], Query(min_length=1, max_length=100)],
    start: UtcDatetime,
    end: UtcDatetime,
    basis: Annotated[Resolution, Query(description="readings as they are, or means of periods")] = "raw",
    percentile: Annotated[list[Percent], Query(max_length=20)] = PERCENTILES,
    threshold: Annotated[list[Threshold], Query(max_length=5, description="in the datastream's unit")] = NO_THRESHOLDS,
) -> schemas.StatisticsPage:
    """Moments, percentiles and exceedances of some datastreams, of readings or of means that are valid."""
    check_span(start, end, statistics.MAX_SPAN[basis].days)
    async with asking(ingest) as connection:
        items = await statistics.statistics(
            connection,
            park_id,
            datastream_id,
            basis,
            start,
            end,
            percents=percentile,
            thresholds=threshold,
            valid_share=ingest.valid_share,
        )
    return schemas.StatisticsPage(start=start, end=end, basis=basis, items=items)


def check_span(start: UtcDatetime, end: UtcDatetime, days: int) -> None:
    """Raises BadRequest unless ``start`` lies before ``end``, and not by more than so many days."""
    if start >= end:
        raise BadRequest("`start` has to lie before `end`.")
    if (end - start).total_seconds() > days * 86_400:
        raise BadRequest(f"From `start` to `end` may be at most {days} days here; ask for parts.")
