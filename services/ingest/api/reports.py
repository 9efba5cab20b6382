"""Reports over HTTP: as data, and as a page that prints."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.ingest import schemas
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.reports import page
from services.ingest.reports.period import Period
from services.ingest.reports.report import Park, report
from services.ingest.state import Ingest, State
from shared.problems import NotFound, Unavailable, Unprocessable, responses
from shared.time import utc_now

router = APIRouter(tags=["ingest"], responses=responses(NotFound, Unprocessable, Unavailable))
Day = Annotated[date, Query(description="of the park's own zone", examples=["2026-03-01"])]
Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-03"])]
Station = Annotated[str | None, Query(description="default: all")]
_YEARS = range(1990, 2200)


@router.get("/parks/{park_id}/reports/daily")
async def daily_report(park_id: str, ingest: Ingest, day: Day, station_id: Station = None) -> schemas.Report:
    """What a park measured on a day, with the means of its hours."""
    return await _report(ingest, park_id, station_id, day)


@router.get("/parks/{park_id}/reports/monthly")
async def monthly_report(park_id: str, ingest: Ingest, month: Month, station_id: Station = None) -> schemas.Report:
    """What a park measured in a month, with the means of its days."""
    return await _report(ingest, park_id, station_id, month)


@router.get("/parks/{park_id}/reports/daily.html", response_class=HTMLResponse)
async def daily_page(
    park_id: str, ingest: Ingest, day: Day, station_id: Station = None, language: page.Language = "zh"
) -> HTMLResponse:
    """The daily report as a page that prints."""
    return _page(await _report(ingest, park_id, station_id, day), language)


@router.get("/parks/{park_id}/reports/monthly.html", response_class=HTMLResponse)
async def monthly_page(
    park_id: str, ingest: Ingest, month: Month, station_id: Station = None, language: page.Language = "zh"
) -> HTMLResponse:
    """The monthly report as a page that prints."""
    return _page(await _report(ingest, park_id, station_id, month), language)


async def _report(ingest: State, park_id: str, station_id: str | None, of: date | str) -> schemas.Report:
    async with asking(ingest) as connection:
        known = await questions.park(connection, park_id)
        period = _period(of, ZoneInfo(known.timezone))
        park = Park(known.id, known.name, known.timezone)
        return await report(
            connection, park, period, station_id=station_id, now=utc_now(), valid_share=ingest.valid_share
        )


def _period(of: date | str, zone: ZoneInfo) -> Period:
    year = of.year if isinstance(of, date) else int(of[:4])
    if year not in _YEARS:
        raise Unprocessable(f"There are reports of the years {_YEARS.start} to {_YEARS.stop - 1}, not of {year}.")
    return Period.of_day(of, zone) if isinstance(of, date) else Period.of_month(year, int(of[5:]), zone)


def _page(found: schemas.Report, language: page.Language) -> HTMLResponse:
    return HTMLResponse(page.report_html(found, language), headers={"Content-Security-Policy": page.POLICY})
