"""The newest observation of every datastream in memory: a map or a wall display asks for a whole park every second.

Loaded from the database once, then followed: what this process commits is noted at once, what other replicas commit
and what reviewers correct comes with the facts. Positions are taken with the load, so nothing lies between; while the
facts cannot be followed, whoever asks is answered from the database (`latest`).
"""

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.questions.latest import page_of
from services.ingest.registry.snapshot import Snapshot, Stream
from services.ingest.writing.batch import ACCEPTED, StatusCodes
from services.ingest.writing.columns import Columns
from shared.messages import CORRECTIONS_STREAM, ObservationsCorrected, ObservationsStored
from shared.outages import DATABASE_OUTAGES
from shared.outbox import read_after
from shared.streams import Fact, FactReader
from shared.telemetry import get_logger
from shared.time import from_microseconds, to_microseconds

log = get_logger(__name__)
_NEVER = np.iinfo(np.int64).min
_CURRENT_S = 3.0
_POSITIONS = text(
    "SELECT stream, last_position FROM outbox_stream WHERE stream LIKE 'observations.%' OR stream = :corrections"
)
_NEWEST = text(
    """
    SELECT d.id, o.time, o.value, o.quality FROM datastream d
    CROSS JOIN LATERAL (
        SELECT time, value, quality FROM observation WHERE datastream_id = d.id ORDER BY time DESC LIMIT 1
    ) o
    """
)


class Newest:
    """Position i of each column belongs to the datastream with the id i."""

    def __init__(self, engine: AsyncEngine, redis: Redis, streams: list[str]) -> None:
        self._engine = engine
        self._reader = FactReader(redis, self._catch_up)
        self._positions = dict.fromkeys([*streams, CORRECTIONS_STREAM], 0)
        self._time: NDArray[np.int64] = np.empty(0, np.int64)
        self._value: NDArray[np.float64] = np.empty(0)
        self._quality: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._followed_at: float | None = None
        self._listed: tuple[Snapshot, dict[tuple[str, str], list[Stream]]] = (Snapshot(), {})

    @property
    def is_current(self) -> bool:
        """Whether all that is committed is known here, but for some milliseconds."""
        return self._followed_at is not None and asyncio.get_running_loop().time() - self._followed_at < _CURRENT_S

    async def run(self) -> None:
        """Load, then follow, through every outage; until cancelled."""
        while True:
            try:
                if self._followed_at is None:
                    await self.load()
                for fact in await self._reader.read(self._positions):
                    self._take(fact)
                    self._positions[fact.stream] = fact.position
                self._followed_at = asyncio.get_running_loop().time()
            except DATABASE_OUTAGES as error:
                log.warning("newest_not_followed", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(1.0)

    async def load(self) -> None:
        """Read positions and values of one state of the database."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            positions = (await connection.execute(_POSITIONS, {"corrections": CORRECTIONS_STREAM})).all()
            rows = (await connection.execute(_NEWEST)).all()
        self._positions |= {stream: position for stream, position in positions if stream in self._positions}
        for number, time, value, quality in rows:
            self._correct(number, to_microseconds(time), value, quality)
        self._followed_at = asyncio.get_running_loop().time()

    def note(self, columns: Columns, codes: StatusCodes) -> None:
        """This process has committed these observations."""
        new = columns if not codes.any() else columns.take(codes == ACCEPTED)
        self._note(new.datastream_id, new.time, new.value, new.quality)

    def page(self, snapshot: Snapshot, park_id: str, cadence: str, limit: int, after: int) -> dict[str, Any]:
        """The fields of a ``schemas.LatestPage``: datastreams with an id above ``after``, at most ``limit``."""
        streams = self._streams(snapshot, park_id, cadence)
        ids = np.array([stream.id for stream in streams], np.int64)
        self._reach(int(ids.max(initial=0)))
        chosen = np.flatnonzero((ids > after) & (self._time[ids] != _NEVER))[: limit + 1]
        ids = ids[chosen]
        columns = zip(
            chosen.tolist(),
            self._time[ids].tolist(),
            self._value[ids].tolist(),
            self._quality[ids].tolist(),
            strict=True,
        )
        rows = [
            (stream.id, stream.station_id, stream.property_id, from_microseconds(time), value, chr(quality))
            for index, time, value, quality in columns
            for stream in (streams[index],)
        ]
        return page_of(rows, cadence, limit)

    def _streams(self, snapshot: Snapshot, park_id: str, cadence: str) -> list[Stream]:
        if self._listed[0] is not snapshot:
            self._listed = (snapshot, {})
        listed = self._listed[1]
        key = (park_id, cadence)
        if key not in listed:
            own = (
                stream
                for stream in snapshot.streams.values()
                if stream.cadence == cadence and snapshot.stations.get(stream.station_id) == park_id
            )
            listed[key] = sorted(own, key=lambda stream: stream.id)
        return listed[key]

    def _take(self, fact: Fact) -> None:
        if fact.stream != CORRECTIONS_STREAM:
            told = ObservationsStored.decode(fact.payload)
            self._note(
                np.frombuffer(told.datastream_id, "<i4"),
                np.frombuffer(told.time, "<i8"),
                np.frombuffer(told.value, "<f8"),
                np.frombuffer(told.quality.encode("ascii"), np.uint8),
            )
            return
        corrected = ObservationsCorrected.decode(fact.payload)
        columns = (corrected.datastream_id, corrected.time, corrected.value, corrected.quality)
        for number, time, value, quality in zip(*columns, strict=True):
            self._correct(number, time, value, quality)

    def _note(
        self,
        ids: NDArray[np.int32],
        times: NDArray[np.int64],
        values: NDArray[np.float64],
        qualities: NDArray[np.uint8],
    ) -> None:
        """Take what is newer than what is known. The same time again is the same observation, corrected or not."""
        if not len(ids):
            return
        self._reach(int(ids.max()))
        order = np.lexsort((times, ids))
        last = order[np.append(np.diff(ids[order]) != 0, True)]
        last = last[times[last] > self._time[ids[last]]]
        self._time[ids[last]] = times[last]
        self._value[ids[last]] = values[last]
        self._quality[ids[last]] = qualities[last]

    def _correct(self, number: int, time: int, value: float | None, quality: str) -> None:
        self._reach(number)
        if time >= self._time[number]:
            self._time[number] = time
            self._value[number] = np.nan if value is None else value
            self._quality[number] = ord(quality)

    def _reach(self, number: int) -> None:
        """Make room for datastreams up to this id."""
        more = number + 1 - len(self._time)
        if more > 0:
            more += len(self._time) // 2
            self._time = np.append(self._time, np.full(more, _NEVER))
            self._value = np.append(self._value, np.full(more, np.nan))
            self._quality = np.append(self._quality, np.zeros(more, np.uint8))

    async def _catch_up(self, stream: str, after: int, limit: int) -> list[Fact]:
        async with self._engine.connect() as connection:
            return await read_after(connection, stream, after, limit)
