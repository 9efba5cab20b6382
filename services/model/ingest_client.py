"""What the model asks of ingest, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from services.model.runs.weather import MeasuredWeather
from shared.time import iso

# A datastream that fell silent says nothing about what time it is.
_LIVE = timedelta(minutes=15)

# What ingest takes in one question.
_STREAMS_A_REQUEST = 200
_POINTS_A_REQUEST = 50_000

# The spread of a handful of directions is no measurement of turbulence.
_LEAST_WIND_SAMPLES = 10


class IngestUnavailable(Exception):
    """Ingest does not answer; the run is tried again later."""


class NoMeteorology(LookupError):
    """Ingest has no weather around the moment that was asked for."""


@dataclass(frozen=True, slots=True)
class GasStation:
    """A datastream of one gas and where it measures; limits in its unit."""

    datastream_id: int
    station_id: str
    longitude: float
    latitude: float
    unit: str
    range_upper: float | None
    detection_limit: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one datastream in order of time."""

    datastream_id: int
    time: list[datetime]
    value: list[float | None]
    quality: list[str]


class IngestClient:
    """Questions to ingest. Every method raises `IngestUnavailable` when it does not answer or answers 5xx."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def weather(self, park_id: str, at: datetime, window_s: float = 600.0) -> MeasuredWeather:
        """Return the park's weather in the window before `at`; raises `NoMeteorology` when there is none."""
        answer = await self._get(f"/parks/{park_id}/meteorology", {"at": iso(at), "window_s": window_s}, allowed=(404,))
        if answer.status_code == 404:
            raise NoMeteorology(f"no meteorology in the {window_s:.0f} s before {iso(at)}")
        body = answer.json()
        if body.get("wind_speed_m_s") is None or body.get("wind_from_deg") is None:
            raise NoMeteorology(f"no wind in the {window_s:.0f} s before {iso(at)}")
        return MeasuredWeather(
            at=datetime.fromisoformat(body["at"]),
            age_s=float(body.get("age_s") or 0.0),
            wind_speed_m_s=float(body["wind_speed_m_s"]),
            wind_from_deg=float(body["wind_from_deg"]),
            sigma_theta_deg=body.get("sigma_theta_deg") if body.get("samples", 0) >= _LEAST_WIND_SAMPLES else None,
            temperature_c=body.get("temperature_c"),
            pressure_kpa=body.get("pressure_kpa"),
        )

    async def gas_stations(self, park_id: str, property_id: str) -> list[GasStation]:
        """Return the realtime datastreams of a property in a park."""
        return [
            GasStation(
                datastream_id=row["id"],
                station_id=row["station_id"],
                longitude=row["longitude"],
                latitude=row["latitude"],
                unit=row["unit"],
                range_upper=row.get("range_upper"),
                detection_limit=row.get("detection_limit"),
            )
            async for row in self._rows("/datastreams", {"park_id": park_id})
            if row["property_id"] == property_id and row["cadence"] == "realtime"
        ]

    async def latest_time(self, park_id: str) -> datetime | None:
        """Return the park's own now: the middle of the latest times of its live realtime datastreams.

        The middle and not the newest, since one device with a clock that leads must not move everyone's now.
        """
        answer = await self._get(f"/parks/{park_id}/latest", {"cadence": "realtime"}, allowed=(404,))
        if answer.status_code == 404:
            return None
        times = sorted(datetime.fromisoformat(row["time"]) for row in _items(answer))
        live = [time for time in times if times[-1] - time <= _LIVE]
        return live[len(live) // 2] if live else None

    async def readings(
        self, park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime
    ) -> list[Series]:
        """Return the raw readings of datastreams between two times, both included, in order of time."""
        found = {number: Series(number, [], [], []) for number in datastream_ids}
        for first in range(0, len(datastream_ids), _STREAMS_A_REQUEST):
            parameters: dict[str, Any] = {
                "datastream_id": list(datastream_ids[first : first + _STREAMS_A_REQUEST]),
                "start": iso(start),
                # Ingest's end is exclusive; its times are whole microseconds.
                "end": iso(end + timedelta(microseconds=1)),
                "resolution": "raw",
                "limit": _POINTS_A_REQUEST,
            }
            async for row in self._rows(f"/parks/{park_id}/observations", parameters):
                series = found[row["datastream_id"]]
                series.time.extend(datetime.fromisoformat(text) for text in row["time"])
                series.value.extend(row["value"])
                series.quality.extend(row["quality"])
        return list(found.values())

    async def _rows(self, path: str, parameters: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The items of all pages."""
        cursor: str | None = None
        while True:
            answer = await self._get(path, parameters | ({"cursor": cursor} if cursor else {}))
            for row in _items(answer):
                yield row
            cursor = answer.json().get("next")
            if cursor is None:
                return

    async def _get(self, path: str, parameters: dict[str, Any], allowed: tuple[int, ...] = ()) -> httpx.Response:
        try:
            answer = await self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise IngestUnavailable(f"ingest does not answer: {type(error).__name__}") from error
        if answer.status_code in allowed:
            return answer
        if answer.status_code >= 400:
            raise IngestUnavailable(f"ingest answered {answer.status_code} to {path}")
        return answer


def _items(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json()
    items: list[dict[str, Any]] = body["items"] if isinstance(body, dict) else body
    return items
