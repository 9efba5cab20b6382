"""Readings of the past, asked of ingest over HTTP page by page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from math import inf
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from services.alerts.conditions import Readings
from services.alerts.engine.readings import Limits, rows_of
from shared.messages import ObservationsStored
from shared.quality import Quality
from shared.time import iso, to_microseconds

PAGE = 20_000
"""Readings in one page."""
_TRIES = 6
_FIRST_WAIT_S = 0.5
_TIMEOUT_S = 10.0
_EVER = Limits(2**61, 2**61)


class HistoryUnavailable(Exception):
    """Ingest refuses the question, or did not answer for about a minute; says why in words."""


class HistoryRefused(HistoryUnavailable):
    """Ingest refuses the question: to ask again is of no use."""


class _Series(BaseModel):
    datastream_id: int = 0
    time: list[datetime]
    value: list[float | None]
    quality: list[str]
    maximum: list[float | None] = []


class _Page(BaseModel):
    items: list[_Series]
    next: str | None = None


async def history(
    ingest: httpx.AsyncClient,
    park_id: str,
    datastream_id: int,
    start: datetime,
    end: datetime,
    resolution: Literal["raw", "minute"] = "raw",
) -> AsyncIterator[tuple[Readings, int]]:
    """The readings (or minute means) of one datastream that an alarm may rest on, in order of time, page by page.

    Each page comes with the number of readings of any quality in it. Raises `HistoryUnavailable`.
    """
    async for series in _pages(ingest, park_id, [datastream_id], start, end, resolution):
        yield await asyncio.to_thread(_proofs, datastream_id, series), len(series.time)


async def hourly_maxima(
    ingest: httpx.AsyncClient, park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime
) -> AsyncIterator[tuple[int, datetime, float]]:
    """The highest reading of each hour of some datastreams, infinity where one lay beyond the range.

    (datastream, beginning of the hour, maximum). Raises `HistoryUnavailable`.
    """
    async for series in _pages(ingest, park_id, datastream_ids, start, end, "hour"):
        for hour, maximum, flag in zip(series.time, series.maximum, series.quality, strict=True):
            if flag == Quality.OVER_RANGE:
                yield series.datastream_id, hour, inf
            elif maximum is not None:
                yield series.datastream_id, hour, maximum


async def _pages(
    ingest: httpx.AsyncClient, park_id: str, ids: Sequence[int], start: datetime, end: datetime, resolution: str
) -> AsyncIterator[_Series]:
    asked: dict[str, Any] = {
        "datastream_id": list(ids),
        "start": iso(start),
        "end": iso(end),
        "resolution": resolution,
        "limit": PAGE,
    }
    cursor: str | None = None
    while True:
        answer = await _answer(ingest, park_id, asked | ({"cursor": cursor} if cursor is not None else {}))
        page = await asyncio.to_thread(_Page.model_validate_json, answer)
        for series in page.items:
            yield series
        cursor = page.next
        if cursor is None:
            return


def _proofs(datastream_id: int, series: _Series) -> Readings:
    """Sorted out as the live evaluation does."""
    rows = zip(series.time, series.value, series.quality, strict=True)
    message = ObservationsStored.of((datastream_id, to_microseconds(at), value, flag) for at, value, flag in rows)
    found = rows_of([message], _EVER, 0)
    return found.readings.take(found.proves)


async def _answer(ingest: httpx.AsyncClient, park_id: str, asked: dict[str, Any]) -> bytes:
    wait_s = _FIRST_WAIT_S
    for attempt in range(1, _TRIES + 1):
        try:
            answer = await ingest.get(f"/parks/{park_id}/observations", params=asked, timeout=_TIMEOUT_S)
        except httpx.HTTPError as error:
            trouble = type(error).__name__
        else:
            if answer.is_success:
                return answer.content
            trouble = f"{answer.status_code} {answer.text[:200]}"
            if answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                raise HistoryRefused(f"ingest does not give these readings: {trouble}")
        if attempt < _TRIES:
            await asyncio.sleep(wait_s)
            wait_s *= 2
    raise HistoryUnavailable(f"ingest did not answer: {trouble}")
