"""The mapping of a park: for each station its device, and which factor code becomes which datastream. CSV and YAML.

What is written is read back as the same mapping. In CSV a line is a datastream, with its station's device repeated.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Self, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shared.park_file import Code, Datastream, Device, Instruments, no_repeats

MAX_STATIONS = 20_000
MAX_LINES = 200_000
MAX_YAML_BYTES = 4 * 1024 * 1024
MAX_FAULTS = 50
_MAX_YAML_DEPTH = 12
_DEVICE = tuple(Device.model_fields)
_DATASTREAM = tuple(Datastream.model_fields)
COLUMNS = ("station", *_DEVICE, *_DATASTREAM)
_REQUIRED = ("station", "property")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)


class StationMapping(Instruments):
    """One station by its code."""

    station: Code


class ParkMapping(BaseModel):
    """Stations of one park, each with all that it measures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stations: list[StationMapping] = Field(max_length=MAX_STATIONS)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        no_repeats("station", (entry.station for entry in self.stations))
        no_repeats("device MN", (entry.device.mn for entry in self.stations if entry.device))
        return self


class Fault(BaseModel):
    """What is wrong in a mapping, and where."""

    where: str
    what: str


class MappingError(ValueError):
    """A mapping that cannot be used; ``faults`` are at most `MAX_FAULTS`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.where}: {fault.what}" for fault in faults[:3]))
        self.faults = faults[:MAX_FAULTS]


def read_json(body: bytes) -> ParkMapping:
    """A mapping from JSON. Raises MappingError."""
    try:
        return ParkMapping.model_validate_json(body)
    except ValidationError as error:
        raise MappingError(_faults(error)) from error


def read_yaml(body: bytes) -> ParkMapping:
    """A mapping from YAML in UTF-8. Raises MappingError."""
    if len(body) > MAX_YAML_BYTES:
        raise _at("document", f"YAML is read up to {MAX_YAML_BYTES} bytes; send CSV, or the stations in parts")
    try:
        text = body.decode("utf-8-sig")
        _refuse_what_explodes(text)
        content: Any = yaml.load(text, yaml.CSafeLoader)
        return ParkMapping.model_validate(content)
    except ValidationError as error:
        raise MappingError(_faults(error)) from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, MappingError):
            raise
        raise _at("document", f"not YAML in UTF-8: {' '.join(str(error).split())[:300]}") from error


def write_yaml(mapping: ParkMapping) -> str:
    """The inverse of `read_yaml`; what is as by default is left out."""
    stations = [
        {"station": entry.station, **entry.model_dump(mode="json", exclude={"station"}, exclude_defaults=True)}
        for entry in mapping.stations
    ]
    return yaml.dump({"stations": stations}, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)


def write_csv(mapping: ParkMapping) -> Iterator[str]:
    """The inverse of `read_csv`, line by line; begins with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _line(COLUMNS)
    for entry in mapping.stations:
        device = entry.device.model_dump(mode="json") if entry.device else dict.fromkeys(_DEVICE)
        for datastream in entry.datastreams:
            fields = {"station": entry.station, **device, **datastream.model_dump(mode="json")}
            yield _line([_cell(fields[name]) for name in COLUMNS])


def read_csv(body: bytes) -> ParkMapping:
    """A mapping from CSV in UTF-8 with the names of `COLUMNS` in its first line, in any order. Raises MappingError.

    An empty cell stands for the default; columns without a value may be left out.
    """
    try:
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(lines, [])]
        _check_header(header)
        return _from_lines(header, lines)
    except UnicodeDecodeError as error:
        raise _at("document", "not UTF-8; save it as `CSV UTF-8`") from error
    except csv.Error as error:
        raise _at("document", f"not CSV: {error}") from error


def _from_lines(header: list[str], lines: Iterable[list[str]]) -> ParkMapping:
    devices: dict[str, tuple[int, dict[str, Any]]] = {}
    datastreams: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    faults: list[Fault] = []
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if number > MAX_LINES:
            raise _at(f"line {number}", f"more than {MAX_LINES} lines; send the stations in parts")
        if len(cells) != len(header):
            faults.append(Fault(where=f"line {number}", what=f"{len(cells)} cells, the first line has {len(header)}"))
            continue
        fields = {name: value for name, cell in zip(header, cells, strict=True) if (value := _value(name, cell)) != ""}
        station = str(fields.pop("station", ""))
        device = {name: fields.pop(name) for name in _DEVICE if name in fields}
        known = devices.setdefault(station, (number, device))
        if known[1] != device:
            faults.append(Fault(where=f"line {number}", what=f"another device than in line {known[0]} for {station!r}"))
        if _ROUNDED.fullmatch(str(device.get("mn", ""))):
            what = "a spreadsheet has rounded this number; give the column the format `text` and enter the MN again"
            faults.append(Fault(where=f"line {number}, mn", what=what))
        datastreams.setdefault(station, []).append((number, fields))
    if faults:
        raise MappingError(faults)
    return _validated(devices, datastreams)


def _validated(
    devices: Mapping[str, tuple[int, dict[str, Any]]], datastreams: Mapping[str, list[tuple[int, dict[str, Any]]]]
) -> ParkMapping:
    """Station by station, so that a fault is told with its line."""
    faults: list[Fault] = []
    stations: list[StationMapping] = []
    for station, entries in datastreams.items():
        given = {
            "station": station,
            "device": devices[station][1] or None,
            "datastreams": [fields for _, fields in entries],
        }
        try:
            stations.append(StationMapping.model_validate(given))
        except ValidationError as error:
            faults += [_in_line(fault, [number for number, _ in entries]) for fault in error.errors()]
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise MappingError(faults)
    try:
        return ParkMapping(stations=stations)
    except ValidationError as error:
        raise MappingError(_faults(error)) from error


def _in_line(fault: Any, numbers: list[int]) -> Fault:
    match fault["loc"]:
        case ("datastreams", int() as index, *rest):
            where = ", ".join([f"line {numbers[index]}", *map(str, rest)])
        case ("device", *rest):
            where = ", ".join([f"line {numbers[0]}", *map(str, rest)])
        case (*rest,):
            where = ", ".join([f"line {numbers[0]}", *map(str, rest)])
    return Fault(where=where, what=fault["msg"])


def _check_header(header: list[str]) -> None:
    unknown = sorted(set(header) - set(COLUMNS))
    if unknown:
        raise _at("line 1", f"unknown columns {', '.join(unknown)[:200]}; possible are {', '.join(COLUMNS)}")
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise _at("line 1", f"the columns {', '.join(missing)} are missing; the first line has to name the columns")
    if len(set(header)) != len(header):
        raise _at("line 1", "a column is named twice")


def _line(cells: Iterable[str]) -> str:
    target = io.StringIO()
    csv.writer(target).writerow(cells)
    return target.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    # An apostrophe keeps a spreadsheet from taking text for a formula; one that is meant is doubled.
    return "'" + value if value.startswith((*_FORMULA, "'")) else value


def _value(name: str, cell: str) -> object:
    text = cell if name == "password" else cell.strip()
    text = text.removeprefix("'")
    if text == "" or name == "station":
        return text
    is_list, takes_text = _kind(name)
    if is_list:
        return text.split()
    if takes_text:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


@cache
def _kind(name: str) -> tuple[bool, bool]:
    """Whether a field is a list, and whether it takes text: `0123` is a password, but no temperature."""
    annotation: Any = (Device.model_fields.get(name) or Datastream.model_fields[name]).annotation
    if get_origin(annotation) is list:
        return True, False
    schema = json.dumps(TypeAdapter(annotation).json_schema())
    return False, '"string"' in schema


def _refuse_what_explodes(text: str) -> None:
    """References grow a short text without bound, and depth ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        where = f"line {event.start_mark.line + 1}" if event.start_mark else "document"
        if isinstance(event, yaml.AliasEvent):
            raise _at(where, "references (*name) are not taken; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_YAML_DEPTH:
            raise _at(where, "nested deeper than any mapping is")


def _faults(error: ValidationError) -> list[Fault]:
    return [
        Fault(where="/".join(map(str, fault["loc"])) or "document", what=fault["msg"])
        for fault in error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
    ]


def _at(where: str, what: str) -> MappingError:
    return MappingError([Fault(where=where, what=what)])
