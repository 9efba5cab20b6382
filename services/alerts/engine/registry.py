"""What the engine knows of stations and datastreams: a snapshot from ingest, read again when it may have changed."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

import httpx
from pydantic import BaseModel, ConfigDict

from shared.telemetry import get_logger
from shared.text import BilingualText
from shared.vocabulary import observed_properties

log = get_logger(__name__)
_FINEST = ("realtime", "minute")
_FORGET_UNKNOWN_S = 30.0


class Datastream(BaseModel):
    """One datastream as ingest tells it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    park_id: str
    station_id: str
    station_name: BilingualText
    ring: str
    longitude: float
    latitude: float
    property_id: str
    unit: str
    cadence: str


class _Page(BaseModel):
    items: list[Datastream]
    next: str | None = None


class Registry:
    """The snapshot. Alarms rest on some of its datastreams, the feeds: of each gas at a station the finest cadence.

    `version` counts the snapshots.
    """

    def __init__(self, ingest: httpx.AsyncClient) -> None:
        self._ingest = ingest
        self._datastreams: dict[int, Datastream] = {}
        self._feeds: frozenset[int] = frozenset()
        self._unknown: dict[int, float] = {}
        self.stations: dict[str, list[Datastream]] = {}
        self.stale = True
        self.version = 0

    async def refresh(self) -> None:
        """Read everything anew; raises `httpx.HTTPError` and keeps what it has where ingest does not answer."""
        found: list[Datastream] = []
        cursor: str | None = None
        while True:
            answer = await self._ingest.get("/datastreams", params={"cursor": cursor} if cursor else None)
            answer.raise_for_status()
            page = _Page.model_validate_json(answer.content)
            found += page.items
            cursor = page.next
            if cursor is None:
                break
        self._replace(found)

    async def refresh_if_possible(self) -> None:
        """Read everything anew, or go on with what is known while ingest does not answer.

        Raises only when nothing was ever read. Alarms and silence must not wait for the registry's news.
        """
        try:
            await self.refresh()
        except httpx.HTTPError as error:
            self.stale = True
            if not self._datastreams:
                raise
            log.warning("registry_not_refreshed", error=f"{type(error).__name__}: {error}"[:200])

    async def known(self, datastream_ids: Iterable[int]) -> Mapping[int, Datastream]:
        """The snapshot, refreshed first where it lacks one of these ids.

        Ingest registers a datastream before it stores its first reading, so what is unknown after a refresh is gone.
        """
        missing = {i for i in datastream_ids if i not in self._datastreams}
        now = time.monotonic()
        if any(now - self._unknown.get(i, float("-inf")) > _FORGET_UNKNOWN_S for i in missing):
            await self.refresh()
            gone = missing - self._datastreams.keys()
            self._unknown |= dict.fromkeys(gone, now)
            if gone:
                log.warning("unknown_datastreams", datastream_ids=sorted(gone)[:20])
        return self._datastreams

    def datastream(self, datastream_id: int) -> Datastream | None:
        """One datastream of the snapshot."""
        return self._datastreams.get(datastream_id)

    def is_feed(self, datastream_id: int) -> bool:
        """Whether alarms rest on this datastream."""
        return datastream_id in self._feeds

    def _replace(self, found: list[Datastream]) -> None:
        stations: defaultdict[str, list[Datastream]] = defaultdict(list)
        finest: dict[tuple[str, str], Datastream] = {}
        for datastream in found:
            stations[datastream.station_id].append(datastream)
            if datastream.cadence not in _FINEST or not _can_alarm(datastream):
                continue
            key = (datastream.station_id, datastream.property_id)
            best = finest.get(key)
            if best is None or _FINEST.index(datastream.cadence) < _FINEST.index(best.cadence):
                finest[key] = datastream
        self._datastreams = {datastream.id: datastream for datastream in found}
        self._feeds = frozenset(datastream.id for datastream in finest.values())
        self._unknown.clear()
        self.version += 1
        self.stations = dict(stations)
        self.stale = False


def _can_alarm(datastream: Datastream) -> bool:
    """Thresholds are in the vocabulary's unit; a datastream stored in another cannot be compared with them."""
    known = observed_properties().get(datastream.property_id)
    return known is not None and known.is_in_the_air and known.unit == datastream.unit
