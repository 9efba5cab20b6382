"""What ingest knows of stations, devices and datastreams, in memory and immutable: replaced as a whole on a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from services.ingest.meaning.sent import AS_STORED, unit_code
from services.ingest.meaning.units import scale
from shared.hj212.crc import CrcMode
from shared.hj212.frame import BodyCipher
from shared.vocabulary import ObservedProperty, observed_properties


@dataclass(frozen=True, slots=True)
class Stream:
    """A datastream as writing needs it. ``scale`` takes a value of the device to the stored unit; ``unit`` is the
    device's, a position in `UNITS` or ``AS_STORED``.

    With ``at_measured_state`` it does so for the standard state alone, and each message tells the rest of the way.
    """

    id: int
    station_id: str
    property_id: str
    cadence: str
    scale: float
    standard_state_c: float
    shard: int
    at_measured_state: bool = False
    unit: int = AS_STORED

    @property
    def property(self) -> ObservedProperty:
        """The observed property."""
        return observed_properties()[self.property_id]

    def scale_of(self, unit: str) -> float:
        """The same as ``scale`` for a value in ``unit``; raises UnitError."""
        stored = self.property
        return scale(unit, stored.unit, stored.molar_mass_g_mol, self.standard_state_c)

    def code_of(self, unit: str) -> int:
        """A unit that ``scale_of`` takes, as ``unit`` tells that of the device."""
        return unit_code(unit, self.property.unit)


@dataclass(frozen=True, slots=True)
class Device:
    """An HJ 212 device. ``streams`` is keyed by factor code and cadence; a ``password`` of None accepts any.

    ``password_set`` is one that a command has set: it is taken too, as nobody knows when the device changes to it.

    ``cipher`` stands where its bodies are encrypted (edition of 2025). ``by_id`` has the same streams by their ids
    where one of them is ``at_measured_state``, and else nothing.
    """

    mn: str
    park_id: str
    station_id: str
    zone: ZoneInfo
    password: str | None
    crc_mode: CrcMode
    acknowledge: str
    streams: Mapping[tuple[str, str], Stream] = field(default_factory=dict)
    cipher: BodyCipher | None = None
    by_id: Mapping[int, Stream] = field(default_factory=dict)
    password_set: str | None = None

    def takes(self, password: str | None) -> bool:
        """Whether a frame with this password is the device's."""
        if self.password is None or password == self.password:
            return True
        return self.password_set is not None and password == self.password_set


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The registry at one moment: ``streams`` by station, property and cadence; ``stations`` tells the park of each."""

    devices: Mapping[str, Device] = field(default_factory=dict)
    streams: Mapping[tuple[str, str, str], Stream] = field(default_factory=dict)
    stations: Mapping[str, str] = field(default_factory=dict)
    parks: frozenset[str] = frozenset()
