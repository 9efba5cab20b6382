"""The park file: one YAML document that describes a park. The simulator and real parks use the same format.

Each service takes the whole document (`PUT /parks/{park_id}/registry`) and keeps the part that it owns.
"""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from shared.across import AcrossCondition, SumOfRatios
from shared.levels import Colour
from shared.measures import Measure
from shared.text import STORABLE, BilingualText
from shared.vocabulary import observed_properties

MAX_PROPERTIES_BYTES = 8192
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""A short name within a park; the id that the API shows is `{park_id}.{code}`."""
Cas = Annotated[str, Field(pattern=r"^\d{2,7}-\d{2}-\d$")]
Position = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
"""WGS 84 longitude, latitude."""
Ring = Annotated[list[Position], Field(min_length=4, max_length=2000)]
"""The outline of an area; the last position repeats the first."""
StationRing = Literal["source", "boundary", "receptor", "meteorology"]
Cadence = Literal["realtime", "minute", "hour", "day"]
Unit = Literal["mg/m3", "ug/m3", "ng/m3", "ppm", "ppb", "%", "degC", "kPa", "hPa", "m/s", "deg", "dB"]


def _known_property(property_id: str) -> str:
    if property_id not in observed_properties():
        raise ValueError(f"unknown observed property; known are {', '.join(sorted(observed_properties()))}")
    return property_id


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""Text in one line."""
PropertyId = Annotated[str, AfterValidator(_known_property)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("not a time zone of the IANA database, such as Asia/Shanghai") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Location(_Entry):
    """A point; height above ground in metres."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    height_m: float = Field(default=1.5, ge=0, le=500)


class Park(_Entry):
    """The park itself."""

    id: Code
    name: BilingualText
    fictitious: bool = False
    timezone: TimeZone = "Asia/Shanghai"
    boundary: Ring


class Enterprise(_Entry):
    """A company in the park; `area` is the outline of its plot."""

    id: Code
    name: BilingualText
    area: Ring | None = None


class Device(_Entry):
    """The HJ 212 device of a station. `password: null` accepts any (some field devices change theirs).

    `sm4_key` is given where the device encrypts what it sends (HJ 212-2025).
    """

    mn: str = Field(min_length=1, max_length=64, pattern=r"^[^;=&#\s\x00]+$")
    password: str | None = Field(default=None, max_length=64, pattern=STORABLE)
    crc_mode: Literal["hj212", "modbus", "modbus_swapped", "arc", "off"] = "hj212"
    acknowledge: Literal["standard", "always", "never"] = "standard"
    silent_after_s: float | None = Field(default=None, ge=30, le=604_800, description="seconds")
    sm4_key: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{16}$", description="16 ASCII characters")


class Datastream(_Entry):
    """One observed property at the station.

    `factor` is the code that the device sends (default: the property's own in HJ 212-2017), `unit` the unit that it
    sends it in, `standard_state_c` the temperature (0, 20 or 25 degC at 101.325 kPa) at which ppm become mg/m3. With
    `at_measured_state` they do so at the temperature and pressure of the same message, where it has both.
    """

    property: PropertyId
    factor: str | None = Field(default=None, max_length=16, pattern=STORABLE)
    unit: Unit | None = None
    standard_state_c: Literal[0, 20, 25] = 25
    at_measured_state: bool = False
    cadences: list[Cadence] = Field(default=["realtime", "minute"], min_length=1)
    range_upper: float | None = Field(default=None, gt=0, description="end of the range, in the stored unit")
    detection_limit: float | None = Field(default=None, ge=0, description="in the stored unit")
    sensor: Line | None = Field(default=None, description="maker and model")
    sensor_metadata: Line | None = Field(default=None, description="address of its papers")

    def factor_code(self) -> str | None:
        """The HJ 212 factor that the device sends, None where it has none (HTTP only)."""
        return self.factor or observed_properties()[self.property].factor_2017


class Instruments(_Entry):
    """What measures at a station, and what its device sends: the mapping of factor codes to datastreams."""

    device: Device | None = None
    datastreams: list[Datastream] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_datastream_a_property(self) -> Self:
        no_repeats("property", (entry.property for entry in self.datastreams))
        no_repeats("factor", (code for entry in self.datastreams if (code := entry.factor_code())))
        return self


def _storable(properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    text = json.dumps(properties, allow_nan=False)
    if len(text) > MAX_PROPERTIES_BYTES:
        raise ValueError(f"more than {MAX_PROPERTIES_BYTES} bytes as JSON")
    if "\\u0000" in text:
        raise ValueError("holds a character of code 0, which no database stores")
    return properties


class Station(Instruments):
    """A place with instruments. `properties` are the park's own, and handed on as they are."""

    id: Code
    name: BilingualText
    description: BilingualText | None = None
    properties: Annotated[dict[str, JsonValue], AfterValidator(_storable)] = {}
    ring: StationRing
    enterprise: Code | None = None
    location: Location


class RiskSource(_Entry):
    """A vessel, pipe or area that can release."""

    id: Code
    name: BilingualText
    enterprise: Code | None = None
    chemical: Cas
    location: Location
    inventory_kg: float | None = Field(default=None, gt=0)


class Receptor(_Entry):
    """A sensitive target."""

    id: Code
    name: BilingualText
    kind: Literal["school", "village", "hospital", "residential", "office", "water", "other"]
    population: int = Field(ge=0)
    location: Location


class RuleLevel(_Entry):
    """One level of a rule: above `threshold` the alarm has this colour."""

    colour: Colour
    threshold: float = Field(gt=0, description="in the stored unit, or what the rule's measure makes of it")
    source: str = Field(min_length=1, max_length=500, pattern=STORABLE, description="where the number comes from")
    deadband: float | None = Field(
        default=None, ge=0, description="how far below the threshold it is left, in its unit; none: deadband_fraction"
    )

    @model_validator(mode="after")
    def _can_be_left(self) -> Self:
        if self.deadband is not None and self.deadband >= self.threshold:
            raise ValueError(f"deadband: {self.deadband:g} must be below the threshold, {self.threshold:g}")
        return self


class RuleNumbers(_Entry):
    """What can be said of a rule; what is None is left to the next wider override, and last to the default."""

    levels: list[RuleLevel] | None = Field(default=None, min_length=1, max_length=4)
    on_delay_s: float | None = Field(default=None, ge=0, le=3600)
    off_delay_s: float | None = Field(default=None, ge=0, le=86400)
    deadband_fraction: float | None = Field(default=None, ge=0, lt=1)
    max_gap_s: float | None = Field(default=None, gt=0, le=86400, description="a wider gap breaks the evidence")
    latching: bool | None = Field(default=None, description="the alarm has to be reset by hand once it is over")
    measure: Measure | None = Field(default=None, description="what is compared with the levels; none: the raw value")

    @model_validator(mode="after")
    def _levels_climb(self) -> Self:
        _must_climb(self.levels or [])
        return self


class Rule(RuleNumbers):
    """An override of a rule for one property, in one ring or (with `station`) at one station.

    `name` tells the rules of a property apart. `level` is the one that has defaults; any other has the levels that it
    is given.
    """

    name: Code = "level"
    property: PropertyId
    ring: StationRing | None = None
    station: Code | None = None


class AcrossRule(_Entry):
    """A rule of the park about several of its stations. What is None is Fenceline's default.

    The levels are in the stored unit of the property, or plain numbers for a sum of ratios.
    """

    name: Code
    condition: AcrossCondition
    levels: list[RuleLevel] = Field(min_length=1, max_length=4)
    on_delay_s: float | None = Field(default=None, ge=0, le=3600)
    off_delay_s: float | None = Field(default=None, ge=0, le=86400)
    deadband_fraction: float | None = Field(default=None, ge=0, lt=1)
    max_gap_s: float | None = Field(default=None, gt=0, le=3600, description="an older reading is no evidence")
    latching: bool | None = Field(default=None, description="the alarm has to be reset by hand once it is over")

    @model_validator(mode="after")
    def _levels_climb(self) -> Self:
        _must_climb(self.levels)
        return self


class ParkFile(_Entry):
    """The whole document."""

    fenceline: Literal[1] = Field(description="version of the format")
    park: Park
    enterprises: list[Enterprise] = Field(default=[], max_length=5000)
    stations: list[Station] = Field(default=[], max_length=20000)
    risk_sources: list[RiskSource] = Field(default=[], max_length=20000)
    receptors: list[Receptor] = Field(default=[], max_length=20000)
    rules: list[Rule] = Field(default=[], max_length=20000)
    rules_across: list[AcrossRule] = Field(default=[], max_length=100, description="rules about several stations")

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        no_repeats("enterprise id", (entry.id for entry in self.enterprises))
        no_repeats("station id", (entry.id for entry in self.stations))
        no_repeats("risk source id", (entry.id for entry in self.risk_sources))
        no_repeats("receptor id", (entry.id for entry in self.receptors))
        no_repeats("device MN", (entry.device.mn for entry in self.stations if entry.device))
        enterprises = {entry.id for entry in self.enterprises}
        owned: list[Station | RiskSource] = [*self.stations, *self.risk_sources]
        for entry in owned:
            if entry.enterprise is not None and entry.enterprise not in enterprises:
                raise ValueError(f"{entry.id} names the enterprise {entry.enterprise!r}, which is not in the file")
        stations = {entry.id for entry in self.stations}
        for rule in self.rules:
            if rule.station is not None and rule.station not in stations:
                raise ValueError(f"a rule names the station {rule.station!r}, which is not in the file")
        no_repeats("name of a rule across stations", (rule.name for rule in self.rules_across))
        for across in self.rules_across:
            about = across.condition
            if isinstance(about, SumOfRatios) and about.station is not None and about.station not in stations:
                raise ValueError(
                    f"the rule {across.name} names the station {about.station!r}, which is not in the file"
                )
        return self

    def id_of(self, code: str) -> str:
        """The id, unique among all parks, of the station, enterprise, risk source or receptor `code`."""
        return f"{self.park.id}.{code}"


class ParkFileError(ValueError):
    """A park file that cannot be used; the message says what, where and how to mend it."""


def read_park_file(path: Path) -> ParkFile:
    """Read and check the YAML document at `path`; raises `ParkFileError`."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParkFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParkFileError(f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}") from error
    try:
        return ParkFile.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'document'}: {fault['msg']}" for fault in error.errors()]
        more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
        raise ParkFileError(f"{path}: " + "; ".join(faults[:5]) + more) from error


def _must_climb(levels: Iterable[RuleLevel]) -> None:
    ordered = sorted(levels, key=lambda level: level.colour.rank)
    no_repeats("colour", (level.colour for level in ordered))
    if any(low.threshold >= high.threshold for low, high in pairwise(ordered)):
        raise ValueError("the thresholds must rise from blue over yellow and orange to red")


def no_repeats(what: str, values: Iterable[str]) -> None:
    """Raises ValueError naming the values that are given more than once."""
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise ValueError(f"{what} given twice: {', '.join(repeated[:5])}")
