"""The registry in memory: read as a whole, and again whenever a park file was taken over anywhere."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.meaning.sent import unit_code
from services.ingest.meaning.units import depends_on_state, scale
from services.ingest.registry.snapshot import Device, Snapshot, Stream
from services.ingest.registry.store import REGISTRY_STREAM, read_rows
from shared.hj212.crc import CrcMode
from shared.hj212.encryption import Sm4
from shared.outages import DATABASE_OUTAGES
from shared.outbox import read_after
from shared.problems import Unavailable
from shared.streams import Fact, FactReader, shard_of
from shared.telemetry import get_logger
from shared.vocabulary import observed_properties

log = get_logger(__name__)


class Registry:
    """Holds the latest snapshot; ``run`` keeps it fresh through every outage."""

    def __init__(self, engine: AsyncEngine, redis: Redis, shards: int) -> None:
        self._engine = engine
        self._shards = shards
        self._snapshot: Snapshot | None = None
        self._reader = FactReader(redis, self._catch_up)
        self.loaded = asyncio.Event()

    @property
    def snapshot(self) -> Snapshot:
        """The registry as last read. Raises Unavailable before it was read for the first time."""
        if self._snapshot is None:
            raise Unavailable("The registry of stations has not been read yet: the database is down.")
        return self._snapshot

    def device(self, mn: str) -> Device | None:
        """The device with this MN; None where no park has it."""
        return self.snapshot.devices.get(mn)

    async def check(self) -> None:
        """For the readiness path."""
        _ = self.snapshot

    async def load(self) -> None:
        """Read the registry now."""
        async with self._engine.connect() as connection:
            rows = await read_rows(connection)
        self._snapshot = build_snapshot(*rows, shards=self._shards)
        self.loaded.set()
        metrics.DEVICES.set(len(self._snapshot.devices))
        log.info("registry_read", devices=len(self._snapshot.devices), datastreams=len(self._snapshot.streams))

    async def run(self) -> None:
        """Read the registry, then again after every change that is announced; until cancelled."""
        position = 0
        while True:
            try:
                if not self.loaded.is_set():
                    position = await self._last_position()
                    await self.load()
                facts = await self._reader.read({REGISTRY_STREAM: position})
                if facts:
                    await self.load()
                    position = facts[-1].position
            except DATABASE_OUTAGES as error:
                log.warning("registry_unreadable", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(1.0)

    async def _last_position(self) -> int:
        """Where the stream stands: changes up to here are in what is read next."""
        position = 0
        while facts := await self._catch_up(REGISTRY_STREAM, position, 1000):
            position = facts[-1].position
        return position

    async def _catch_up(self, stream: str, after: int, limit: int) -> list[Fact]:
        async with self._engine.connect() as connection:
            return await read_after(connection, stream, after, limit)


def build_snapshot(
    devices: list[Any], streams: list[Any], stations: list[tuple[str, str]], parks: list[str], *, shards: int
) -> Snapshot:
    """A snapshot from the rows of ``registry_store.read_rows``."""
    by_key: dict[tuple[str, str, str], Stream] = {}
    by_station: dict[str, dict[tuple[str, str], Stream]] = defaultdict(dict)
    for row in streams:
        stored = observed_properties()[row.property_id]
        stream = Stream(
            id=row.id,
            station_id=row.station_id,
            property_id=row.property_id,
            cadence=row.cadence,
            scale=scale(row.device_unit, stored.unit, stored.molar_mass_g_mol, row.standard_state_c),
            standard_state_c=row.standard_state_c,
            shard=shard_of(row.station_id, shards),
            at_measured_state=row.at_measured_state and depends_on_state(row.device_unit, stored.unit),
            unit=unit_code(row.device_unit, stored.unit),
        )
        by_key[row.station_id, row.property_id, row.cadence] = stream
        if row.factor is not None:
            by_station[row.station_id][row.factor, row.cadence] = stream
    return Snapshot(
        devices={
            row.mn: Device(
                mn=row.mn,
                park_id=row.park_id,
                station_id=row.station_id,
                zone=ZoneInfo(row.timezone),
                password=row.password,
                crc_mode=CrcMode(row.crc_mode),
                acknowledge=row.acknowledge,
                streams=by_station[row.station_id],
                cipher=None if row.sm4_key is None else Sm4(row.sm4_key),
                by_id=_by_id_where_measured(by_station[row.station_id].values()),
                password_set=row.password_set,
            )
            for row in devices
        },
        streams=by_key,
        stations=dict(stations),
        parks=frozenset(parks),
    )


def _by_id_where_measured(streams: Collection[Stream]) -> dict[int, Stream]:
    return {stream.id: stream for stream in streams} if any(stream.at_measured_state for stream in streams) else {}
