"""Observations as files over HTTP."""

from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.ingest.api.statistics import check_span
from services.ingest.exporting import csv_file
from services.ingest.exporting.pieces import Wanted, datastreams
from services.ingest.exporting.sending import ExportResponse, File
from services.ingest.questions.as_sent import NOT_SENT
from services.ingest.questions.asking import asking
from services.ingest.questions.position import Resolution
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.park_file import Cadence
from shared.problems import BadRequest, NotFound, Unavailable, responses
from shared.time import UtcDatetime

router = APIRouter(tags=["ingest"])
_MAX_DAYS = {"raw": 366, "minute": 366, "hour": 1830, "day": 1830}
Form = Literal["csv", "parquet"]


@router.get(
    "/parks/{park_id}/observations/export",
    response_class=StreamingResponse,
    responses={
        **responses(BadRequest, NotFound, Unavailable),
        200: {
            "description": "The file",
            "content": {"text/csv": {}, "application/vnd.apache.parquet": {}},
        },
    },
)
async def export(
    park_id: str,
    ingest: Ingest,
    start: UtcDatetime,
    end: UtcDatetime,
    datastream_id: Annotated[
        list[int] | None, Query(min_length=1, max_length=200, description="default: all that are in use")
    ] = None,
    cadence: Cadence | None = None,
    resolution: Resolution = "raw",
    form: Annotated[Form, Query(alias="format")] = "csv",
    byte_order_mark: Annotated[bool, Query(description="in CSV, for spreadsheets that take Chinese amiss")] = False,
    as_sent: Annotated[bool, Query(description="of `raw`: value and unit as they were sent too")] = False,
) -> StreamingResponse:
    """Observations as one file, by datastream and time. A file that could not be read to its end breaks off.

    Beyond `raw`, a row is a period with its mean and the numbers of its `readings` and of those that are `valid`. Days
    are the park's own, and whole ones: also the first and the last that the span touches.
    """
    check_span(start, end, _MAX_DAYS[resolution])
    if as_sent and resolution != "raw":
        raise BadRequest(NOT_SENT)
    async with asking(ingest) as connection:
        park = await questions.park(connection, park_id)
        chosen = await datastreams(connection, park_id, datastream_id, cadence)
    wanted = Wanted(chosen, resolution, start, end, ZoneInfo(park.timezone), ingest.valid_share, as_sent)
    name = f"{park_id}-{resolution}-{start.astimezone(wanted.zone):%Y%m%d}.{form}"
    ingest.exports.enter()
    try:
        file, media_type = _file(form, wanted, byte_order_mark=byte_order_mark)
        return ExportResponse(ingest.exports, partial(asking, ingest), wanted, file, media_type, name)
    except BaseException:
        ingest.exports.leave()
        raise


def _file(form: Form, wanted: Wanted, *, byte_order_mark: bool) -> tuple[File, str]:
    if form == "csv":
        file = csv_file.CsvFile(wanted.zone, wanted.columns, byte_order_mark=byte_order_mark)
        return file, csv_file.MEDIA_TYPE
    from services.ingest.exporting import parquet_file

    return parquet_file.ParquetFile(wanted.zone, wanted.columns), parquet_file.MEDIA_TYPE
