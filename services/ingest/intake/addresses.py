"""Where rows belong: from the names that a sender uses to datastreams, looked up once for each name."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.ingest.meaning.sent import AS_STORED
from services.ingest.meaning.units import UnitError
from services.ingest.registry.snapshot import Snapshot, Stream


class Address(NamedTuple):
    """What a row says of its datastream and of the unit of its value; the station by either of two names."""

    station_id: str | None
    station: str | None
    property: str
    cadence: str
    unit: str | None


class AddressError(ValueError):
    """Why an address leads nowhere; the message is for the sender."""


REFUSED = -1


class AddressColumns(NamedTuple):
    """Datastreams and conversions by slot. ``units`` has positions in `UNITS` or ``AS_STORED``; None: only that."""

    ids: NDArray[np.int32]
    shards: NDArray[np.int16]
    factors: NDArray[np.float64]
    units: NDArray[np.int8] | None


class Addresses:
    """The addresses of one park under one snapshot of the registry.

    Position i of its columns belongs to slot i; a factor takes a value as sent to the stored unit. Only addresses that
    lead somewhere are kept, so what senders make up cannot fill the memory.
    """

    def __init__(self, snapshot: Snapshot, park_id: str) -> None:
        self.snapshot = snapshot
        self._park_id = park_id
        self._slots: dict[tuple[str | None, ...], int] = {}
        self._found: list[tuple[int, int, float, int]] = []
        self._columns: AddressColumns | None = None

    def slots(self, addresses: Sequence[tuple[str | None, ...]]) -> tuple[NDArray[np.intp], dict[int, str]]:
        """The slot of each address (the fields of ``Address``), ``REFUSED`` with the reason by its position."""
        known = list(map(self._slots.get, addresses))
        reasons: dict[int, str] = {}
        if None in known:
            for index, slot in enumerate(known):
                if slot is None:
                    try:
                        known[index] = self._slot(Address(*addresses[index]))  # type: ignore[arg-type]
                    except AddressError as error:
                        known[index] = REFUSED
                        reasons[index] = str(error)
        return np.array(known, np.intp), reasons

    def columns(self) -> AddressColumns:
        """What is known of the addresses, by slot."""
        if self._columns is None:
            ids, shards, factors, codes = zip(*self._found, strict=True) if self._found else ((), (), (), ())
            units = np.array(codes, np.int8)
            converts = bool((units != AS_STORED).any())
            self._columns = AddressColumns(
                np.array(ids, np.int32),
                np.array(shards, np.int16),
                np.array(factors, np.float64),
                units if converts else None,
            )
        return self._columns

    def _slot(self, address: Address) -> int:
        stream = self._stream(address)
        try:
            factor = 1.0 if address.unit is None else stream.scale_of(address.unit)
            unit = AS_STORED if address.unit is None else stream.code_of(address.unit)
        except UnitError as error:
            raise AddressError(str(error)) from error
        self._found.append((stream.id, stream.shard, factor, unit))
        self._columns = None
        return self._slots.setdefault(tuple(address), len(self._found) - 1)

    def _stream(self, address: Address) -> Stream:
        if (address.station_id is None) == (address.station is None):
            raise AddressError("name the station by either station_id or station")
        station_id = address.station_id or f"{self._park_id}.{address.station}"
        if self.snapshot.stations.get(station_id) != self._park_id:
            raise AddressError(f"park '{self._park_id}' has no station '{station_id}'")
        stream = self.snapshot.streams.get((station_id, address.property, address.cadence))
        if stream is None:
            raise AddressError(
                f"station '{station_id}' has no datastream of '{address.property}' at cadence '{address.cadence}'"
            )
        return stream


class AddressBook:
    """The addresses of every park, kept for as long as the registry stays as it is."""

    def __init__(self) -> None:
        self._parks: dict[str, Addresses] = {}

    def of(self, snapshot: Snapshot, park_id: str) -> Addresses:
        """The addresses of a park under this snapshot."""
        addresses = self._parks.get(park_id)
        if addresses is None or addresses.snapshot is not snapshot:
            addresses = self._parks[park_id] = Addresses(snapshot, park_id)
        return addresses
