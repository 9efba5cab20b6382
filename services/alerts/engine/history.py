"""Readings of the past, asked of ingest over HTTP page by page."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import httpx
from pydantic import BaseModel

from services.alerts.conditions import Readings
from services.alerts.engine.readings import Limits, rows_of
from shared.messages import ObservationsStored
from shared.time import iso, to_microseconds

PAGE = 20_000
"""Readings in one page."""
_TRIES = 6
_FIRST_WAIT_S = 0.5
_TIMEOUT_S = 10.0
_EVER = Limits(2**61, 2**61)


class HistoryUnavailable(Exception):
    """Ingest refuses the question, or did not answer for about a minute; says why in words."""


class _Series(BaseModel):
    time: list[datetime]
    value: list[float | None]
    quality: list[str]


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
    asked: dict[str, str | int] = {
        "datastream_id": datastream_id,
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
            yield await asyncio.to_thread(_proofs, datastream_id, series), len(series.time)
        cursor = page.next
        if cursor is None:
            return


def _proofs(datastream_id: int, series: _Series) -> Readings:
    """Sorted out as the live evaluation does."""
    rows = zip(series.time, series.value, series.quality, strict=True)
    message = ObservationsStored.of((datastream_id, to_microseconds(at), value, flag) for at, value, flag in rows)
    found = rows_of([message], _EVER, 0)
    return found.readings.take(found.proves)


async def _answer(ingest: httpx.AsyncClient, park_id: str, asked: dict[str, str | int]) -> bytes:
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
                raise HistoryUnavailable(f"ingest does not give these readings: {trouble}")
        if attempt < _TRIES:
            await asyncio.sleep(wait_s)
            wait_s *= 2
    raise HistoryUnavailable(f"ingest did not answer: {trouble}")
