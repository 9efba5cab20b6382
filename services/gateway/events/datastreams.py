"""Which park a datastream belongs to, learnt from ingest and learnt again when the registry changes."""

import asyncio
from collections.abc import Iterable

import httpx
from pydantic import BaseModel, ValidationError

from shared.telemetry import get_logger

log = get_logger(__name__)
RETRY_S = 2.0


class _Datastream(BaseModel):
    id: int
    park_id: str


class _Page(BaseModel):
    items: list[_Datastream]
    next: str | None = None


class DatastreamParks:
    """The park of each datastream."""

    def __init__(self, ingest: httpx.AsyncClient) -> None:
        self._ingest = ingest
        self._parks: dict[int, str] = {}
        self._wanted: set[int] = set()
        self._outdated = asyncio.Event()
        self._outdated.set()
        self.unknown: frozenset[int] = frozenset()
        """Asked for, and not known to ingest either."""

    def park_of(self, datastream: int) -> str | None:
        """The park, None where it is not known (yet)."""
        return self._parks.get(datastream)

    def registry_changed(self) -> None:
        """Ask ingest again."""
        self.unknown = frozenset()
        self._outdated.set()

    def want(self, datastreams: Iterable[int]) -> None:
        """Ask ingest again if one of these is new."""
        new = {datastream for datastream in datastreams if datastream not in self._parks} - self.unknown
        if new - self._wanted:
            self._wanted |= new
            self._outdated.set()

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            await self._outdated.wait()
            self._outdated.clear()
            wanted = frozenset(self._wanted)
            try:
                self._parks = await self._load()
            except (httpx.HTTPError, ValidationError) as error:
                log.warning("datastreams_unknown", error=f"{type(error).__name__}: {error}"[:200])
                self._outdated.set()
                await asyncio.sleep(RETRY_S)
                continue
            self.unknown = (self.unknown | wanted) - self._parks.keys()
            self._wanted -= wanted

    async def _load(self) -> dict[int, str]:
        parks: dict[int, str] = {}
        cursor: str | None = None
        while True:
            answer = await self._ingest.get("/datastreams", params={"cursor": cursor} if cursor else None)
            page = _Page.model_validate_json(answer.raise_for_status().content)
            parks |= {datastream.id: datastream.park_id for datastream in page.items}
            if not page.next or page.next == cursor:
                return parks
            cursor = page.next
