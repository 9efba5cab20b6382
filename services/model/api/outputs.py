"""`/parks/{park_id}/runs/{run_id}/...`: the result of a run in other forms, and beside another run."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.model.api.asking import existing
from services.model.api.dependencies import State, Uses
from services.model.report import map_png, report_html
from services.model.runs.comparison import Comparison, compare
from services.model.runs.request import RunInputs
from services.model.runs.result import Run, RunResult
from shared.problems import Conflict, NotFound, responses

router = APIRouter(prefix="/parks/{park_id}/runs/{run_id}", tags=["runs"])

# One picture at a time: drawing is work for a processor, and the service has other callers to answer.
_DRAWING = threading.Lock()


@router.get("/compare", responses=responses(NotFound, Conflict))
async def compare_runs(
    park_id: str, run_id: UUID, other: Annotated[UUID, Query(alias="with", description="the second run")], uses: Uses
) -> Comparison:
    """Two runs side by side: zones, receptors and the inputs that differ. Ratios are the second's over the first's."""
    return compare(await _inputs_and_result(uses, park_id, run_id), await _inputs_and_result(uses, park_id, other))


@router.get(
    "/zones.geojson",
    response_class=Response,
    responses={200: {"content": {"application/geo+json": {}}}, **responses(NotFound, Conflict)},
)
async def zones_as_geojson(park_id: str, run_id: UUID, uses: Uses) -> Response:
    """The zones as a GeoJSON FeatureCollection (RFC 7946), for other programs."""
    _, result = await _finished(uses, park_id, run_id)
    return _file(json.dumps(result.zones, ensure_ascii=False), "application/geo+json", f"zones-{run_id}.geojson")


@router.get(
    "/map.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **responses(NotFound, Conflict)},
)
async def map_as_png(park_id: str, run_id: UUID, uses: Uses) -> Response:
    """The map of the run as a picture."""
    _, result = await _finished(uses, park_id, run_id)
    return _file(await _drawn(map_png, result), "image/png", f"map-{run_id}.png")


@router.get(
    "/report.html",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}, **responses(NotFound, Conflict)},
)
async def report_as_html(park_id: str, run_id: UUID, uses: Uses) -> Response:
    """The run on one page, to be printed; it needs no other file."""
    _, result = await _finished(uses, park_id, run_id)
    return _file(await _drawn(report_html, result), "text/html; charset=utf-8", f"report-{run_id}.html")


async def _drawn(draw: Callable[[RunResult], str | bytes], result: RunResult) -> str | bytes:
    def one_at_a_time() -> str | bytes:
        with _DRAWING:
            return draw(result)

    try:
        return await asyncio.to_thread(one_at_a_time)
    except ValueError as error:
        raise Conflict(f"This result cannot be drawn: {error}. Repeat the run.") from error


async def _inputs_and_result(uses: State, park_id: str, run_id: UUID) -> tuple[RunInputs, RunResult]:
    run, result = await _finished(uses, park_id, run_id)
    return run.inputs, result


async def _finished(uses: State, park_id: str, run_id: UUID) -> tuple[Run, RunResult]:
    stored = await existing(uses, park_id, run_id)
    result = stored.parsed()
    if result is None:
        state = stored.run.state.value
        raise Conflict(f"The run {run_id} has no result: it is {state}.", state=state)
    return stored.run, result


def _file(content: str | bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'inline; filename="{name}"'})
