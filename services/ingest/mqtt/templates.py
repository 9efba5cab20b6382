"""How MQTT messages become readings: which topics are heard, and where each part of a reading stands in their JSON."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

import jsonpath
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.park_file import Code, TimeZone

_PLACE = re.compile(r"\{(\w+)\}")
TIME_FORMATS = ("iso8601", "unix_s", "unix_ms")
ARRIVAL = "arrival"


def is_path(text: str) -> bool:
    """Whether a text of a template is a JSON path: from the message (`$`) or from the record (`@`)."""
    return text.startswith(("$", "@"))


def compile_path(text: str) -> jsonpath.JSONPath | jsonpath.CompoundJSONPath:
    """A JSON path (RFC 9535), `@` standing for the record. Raises ValueError."""
    try:
        return jsonpath.compile("$" + text[1:], strict=True)
    except jsonpath.JSONPathError as error:
        raise ValueError(f"{text} is no JSON path: {str(error).splitlines()[0]}") from error


def _path(text: str) -> str:
    if not is_path(text):
        raise ValueError("a JSON path begins with $ (the message) or @ (the record)")
    compile_path(text)
    return text


def _text(text: str) -> str:
    return _path(text) if is_path(text) else text


JsonPath = Annotated[str, Field(max_length=500), AfterValidator(_path)]
Plain = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_text)]
"""A JSON path, or a text in which `{name}` stands for a level of the topic."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookup(_Entry):
    """A text of the message by another name: ``map`` translates, ``otherwise`` stands for what is not in it."""

    source: Plain = Field(alias="from")
    map: dict[str, str] = Field(max_length=20_000)
    otherwise: str | None = None


Text = Plain | Lookup


class ReadingTemplate(_Entry):
    """One reading of a record. A record without ``value`` has no such reading."""

    value: JsonPath
    property: Text
    unit: Text | None = None
    quality: Text | None = None
    cadence: Text = "realtime"


class Template(_Entry):
    """The messages of one topic filter. ``records`` finds the records in a message (default: it is one itself)."""

    topic: str = Field(min_length=1, max_length=500)
    park: Code
    station: Text
    records: JsonPath = "$"
    time: JsonPath | None = Field(default=None, description="left out: the moment of arrival")
    time_format: str = "iso8601"
    timezone: TimeZone | None = Field(default=None, description="of times without an offset")
    readings: list[ReadingTemplate] = Field(min_length=1, max_length=500)

    @property
    def filter(self) -> str:
        """The topic filter to subscribe to."""
        return _PLACE.sub("+", self.topic)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the topics of the filter; its groups are the named levels."""
        return re.compile("/".join(_level(level) for level in self.topic.split("/")).replace("/(?:.*)", "(?:/.*)?"))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        names = _names_of(self.topic)
        for text in self._texts():
            unknown = set() if is_path(text) else set(_PLACE.findall(text)) - names
            if unknown:
                raise ValueError(f"'{text}' uses {{{min(unknown)}}}, which is no level of the topic")
        if self.time_format not in TIME_FORMATS and "%" not in self.time_format:
            raise ValueError(f"time_format is one of {', '.join(TIME_FORMATS)} or a pattern such as %Y%m%d%H%M%S")
        return self

    def _texts(self) -> Iterator[str]:
        for text in (self.station, *(part for reading in self.readings for part in _parts(reading))):
            if text is not None:
                yield text.source if isinstance(text, Lookup) else text


class Templates(_Entry):
    """The whole file."""

    templates: list[Template] = Field(min_length=1, max_length=1000)


class TemplateError(ValueError):
    """A file of templates that cannot be used; the message says what, where and how to mend it."""


def read_templates(path: Path) -> list[Template]:
    """Read and check the YAML file at ``path``; raises TemplateError."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Templates.model_validate(content).templates
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()]
        raise TemplateError(f"{path}: " + "; ".join(faults[:5])) from error


def _parts(reading: ReadingTemplate) -> tuple[Text | None, ...]:
    return reading.property, reading.unit, reading.quality, reading.cadence


def _names_of(topic: str) -> set[str]:
    """The named levels of a topic; ValueError where it is no topic filter."""
    names: list[str] = []
    levels = topic.split("/")
    for number, level in enumerate(levels):
        named = _PLACE.fullmatch(level)
        if named:
            names.append(named[1])
        elif level == "#":
            if number != len(levels) - 1:
                raise ValueError(f"topic '{topic}': # can only be the last level")
        elif level != "+" and re.search(r"[+#{}\x00]", level):
            raise ValueError(f"topic '{topic}': a level is a text, +, # or {{name}}, and not a mixture")
    if levels[0] == "$share":
        raise ValueError(f"topic '{topic}': name the group of a shared subscription in FENCELINE_INGEST_MQTT_SHARE")
    if len(set(names)) < len(names):
        raise ValueError(f"topic '{topic}': a name stands for two levels")
    return set(names)


def _level(level: str) -> str:
    named = _PLACE.fullmatch(level)
    if named:
        return f"(?P<{named[1]}>[^/]+)"
    return {"+": "[^/]*", "#": "(?:.*)"}.get(level) or re.escape(level)
