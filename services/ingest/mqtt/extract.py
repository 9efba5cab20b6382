"""From an MQTT message to rows, by a template. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jsonpath

from services.ingest.mqtt.templates import Lookup, ReadingTemplate, Template, Text, compile_path, is_path
from shared.quality import Quality
from shared.time import EPOCH

MAX_ROWS = 10_000
_ABSENT = object()
_PLACE = re.compile(r"\{(\w+)\}")
_MICROSECONDS = {"unix_s": 1e6, "unix_ms": 1e3}
Names = Mapping[str, str]
Row = dict[str, Any]


class UnreadableMessage(ValueError):
    """No row can be taken from this message; the text says why."""


class Extractor:
    """A template, ready to be used on messages."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.pattern = template.pattern
        self._records = _Source(template.records)
        self._station = _Source(template.station)
        self._time = None if template.time is None else _Source(template.time)
        self._zone = None if template.timezone is None else ZoneInfo(template.timezone)
        self._readings = [_Reading(reading) for reading in template.readings]

    def rows(self, topic: str, payload: bytes, now: datetime) -> list[Row]:
        """The rows of a message that came at ``now``, as the fields of an ``ObservationRow``; not yet checked.

        Raises UnreadableMessage when the topic is another's or nothing can be found in the message.
        """
        matched = self.pattern.fullmatch(topic)
        if matched is None:
            raise UnreadableMessage("the topic is not the template's")
        try:
            message = json.loads(payload)
            rows: list[Row] = []
            for record in self._records.all(message, message):
                rows += self._rows(message, record, matched.groupdict(), now)
                if len(rows) > MAX_ROWS:
                    raise UnreadableMessage(f"more than {MAX_ROWS} readings; send them in several messages")
        except (RecursionError, jsonpath.JSONPathError) as error:
            raise UnreadableMessage("nested too deep") from error
        except UnreadableMessage:
            raise
        except ValueError as error:
            raise UnreadableMessage(f"no JSON: {str(error)[:100]}") from error
        if not rows:
            raise UnreadableMessage("no reading where the template looks for them")
        return rows

    def _rows(self, message: Any, record: Any, names: Names, now: datetime) -> Iterator[Row]:
        station = self._station.text(message, record, names)
        time = now if self._time is None else self._moment(self._time.one(message, record))
        for reading in self._readings:
            row = reading.row(message, record, names)
            if row is not None:
                yield {"station": station, "time": time, **row}

    def _moment(self, told: Any) -> Any:
        """The time that is told; what cannot be read is given as it is, to be refused with its row."""
        form = self.template.time_format
        try:
            if form in _MICROSECONDS:
                return EPOCH + timedelta(microseconds=round(float(told) * _MICROSECONDS[form]))
            text = str(told)
            moment = datetime.fromisoformat(text) if form == "iso8601" else datetime.strptime(text, form)  # noqa: DTZ007
        except (TypeError, ValueError, OverflowError):
            return None if told is _ABSENT else told
        return moment.replace(tzinfo=self._zone) if moment.tzinfo is None else moment


class _Reading:
    """One reading of a record."""

    def __init__(self, reading: ReadingTemplate) -> None:
        self._value = _Source(reading.value)
        self._property = _Source(reading.property)
        self._cadence = _Source(reading.cadence)
        self._unit = None if reading.unit is None else _Source(reading.unit)
        self._quality = None if reading.quality is None else _Source(reading.quality)

    def row(self, message: Any, record: Any, names: Names) -> Row | None:
        value = self._value.one(message, record)
        if value is _ABSENT:
            return None
        row = {
            "property": self._property.text(message, record, names),
            "value": value,
            "cadence": self._cadence.text(message, record, names),
        }
        if self._unit is not None:
            row["unit"] = self._unit.text(message, record, names)
        if self._quality is not None and self._quality.told(message, record):
            row["quality"] = _quality(self._quality.text(message, record, names))
        return row


class _Source:
    """Where a part of a reading comes from: a path, or a text with levels of the topic in it."""

    def __init__(self, text: Text) -> None:
        self._lookup = text if isinstance(text, Lookup) else None
        self._said = text.source if isinstance(text, Lookup) else text
        self._of_record = self._said.startswith("@")
        self._path = compile_path(self._said) if is_path(self._said) else None

    def all(self, message: Any, record: Any) -> list[Any]:
        """Everything that the path finds."""
        assert self._path is not None
        within = record if self._of_record else message
        # The library takes a text as JSON still to be read.
        return self._path.findall(within) if isinstance(within, (dict, list)) else [within] * (len(self._said) == 1)

    def one(self, message: Any, record: Any) -> Any:
        """The first thing that the path finds, or ``_ABSENT``."""
        found = self.all(message, record)
        return found[0] if found else _ABSENT

    def told(self, message: Any, record: Any) -> bool:
        """Whether the message says anything of it."""
        return self._path is None or bool(self.all(message, record))

    def text(self, message: Any, record: Any, names: Names) -> str | None:
        """The text, translated where a table says so; None where there is none."""
        if self._path is None:
            text: str | None = _PLACE.sub(lambda place: names[place[1]], self._said)
        else:
            found = self.one(message, record)
            text = None if found is None or isinstance(found, (dict, list)) or found is _ABSENT else _plain(found)
        if self._lookup is None:
            return text
        return self._lookup.map.get(text or "", self._lookup.otherwise)


def _quality(flag: str | None) -> Quality:
    """The flag; one that is not known is a fault, as with HJ 212. No flag at all is a normal value."""
    try:
        return Quality((flag or "").upper())
    except ValueError:
        return Quality.FAULT


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
