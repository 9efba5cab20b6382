"""Keeps what grouping needs to know of the surroundings: where stations stand, and how the wind is. Asks ingest."""

import asyncio
from collections.abc import Callable

import httpx
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine.registry import Registry
from services.alerts.incidents import Place, Wind
from services.alerts.store import surroundings as store
from shared.telemetry import get_logger
from shared.time import UtcDatetime

log = get_logger(__name__)
_PLACES_S = 5.0
_WIND_S = 120.0
_PAUSE_S = 0.02
"""Between two parks: thousands of them are no burst for ingest."""


class _Weather(BaseModel):
    at: UtcDatetime
    wind_from_deg: float
    wind_vector_speed_m_s: float


class Surroundings:
    """Of the parks that `owns` accepts. Without it incidents are formed all the same: by time, gas and distance."""

    def __init__(
        self, database: AsyncEngine, ingest: httpx.AsyncClient, registry: Registry, *, owns: Callable[[str], bool]
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._registry = registry
        self._owns = owns
        self._placed_as_of: int | None = None

    async def run(self, errors: tuple[type[Exception], ...]) -> None:
        """Keep up until cancelled; through the outages that `errors` names."""
        clock = asyncio.get_running_loop().time
        wind_due = clock()
        while True:
            try:
                await self.keep_places()
                if clock() >= wind_due and self._registry.version:
                    wind_due = clock() + _WIND_S
                    await self.keep_winds()
            except errors as error:
                log.warning("surroundings_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(_PLACES_S if self._placed_as_of is not None else 0.2)

    async def keep_places(self) -> None:
        """Write where stations stand, if the registry has news."""
        version = self._registry.version
        if not version or version == self._placed_as_of:
            return
        places = {
            station_id: Place(datastreams[0].longitude, datastreams[0].latitude)
            for station_id, datastreams in self._registry.stations.items()
        }
        async with self._database.begin() as connection:
            await store.save_places(connection, places)
        self._placed_as_of = version

    async def keep_winds(self) -> None:
        """Ask for the wind of each park; one that cannot tell has none."""
        parks = {datastreams[0].park_id for datastreams in self._registry.stations.values()}
        for park_id in sorted(filter(self._owns, parks)):
            known = await self._ask(park_id)
            if known is not None:
                async with self._database.begin() as connection:
                    wind = Wind(known.wind_from_deg, known.wind_vector_speed_m_s)
                    await store.save_wind(connection, park_id, known.at, wind)
            await asyncio.sleep(_PAUSE_S)

    async def _ask(self, park_id: str) -> _Weather | None:
        answer = await self._ingest.get(f"/parks/{park_id}/meteorology")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        try:
            return _Weather.model_validate_json(answer.raise_for_status().content)
        except ValidationError as error:
            log.warning("weather_not_understood", park_id=park_id, error=str(error)[:200])
            return None
