"""Every call of the API that the client knows, as data: what to ask and what the answer is. No I/O.

`Client` and `AsyncClient` carry them out, so both ask the same in the same way.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

from fenceline_client.models import (
    Alarm,
    AlarmWithJournal,
    BatchResult,
    ChangePage,
    LatestValue,
    Page,
    Park,
    Reading,
    Run,
    Series,
    Station,
    Upload,
    UploadRefusal,
)

API = "/api/v1"
MAX_ROWS = 10_000
"""Rows that one request of readings may have."""
UPLOAD_ANSWER_S = 3600.0
"""An upload is answered once all of it is committed."""

Answer = TypeVar("Answer")
Value = str | int | bool | datetime | None
Params = Mapping[str, Value | Sequence[str] | Sequence[int]]


@dataclass(frozen=True, slots=True)
class Operation(Generic[Answer]):
    """One request, and the type of its answer.

    `repeatable`: carried out twice it does what it does once, so it may be sent again when no answer came.
    """

    method: str
    path: str
    answer: type[Answer]
    params: Params = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path | None = None
    json: Any = None
    answer_s: float | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again without knowing what became of it."""
        return self.method != "POST" or "Idempotency-Key" in self.headers

    def query(self) -> list[tuple[str, str]]:
        """The query as pairs; what is None is left out."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.params.items():
            several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
            pairs += [(name, _written(one)) for one in several if one is not None]
        return pairs

    def after(self, cursor: str | int) -> Operation[Answer]:
        """The same for the page that follows."""
        return replace(self, params={**self.params, "cursor": cursor})


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _with_offset(value).isoformat()
    return str(value)


def _with_offset(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC: give the time a tzinfo")
    return moment


def at(*segments: str | int | UUID) -> str:
    """A path of the API; raises `ValueError` for what cannot stand between two slashes."""
    for segment in map(str, segments):
        if segment in ("", ".", ".."):
            raise ValueError(f"{segment!r} is not an identifier")
    return "/".join([API, *(quote(str(segment), safe=":@") for segment in segments)])


def parks() -> Operation[Page[Park]]:
    """The parks that the key sees."""
    return Operation("GET", at("parks"), Page[Park])


def stations(park_id: str) -> Operation[Page[Station]]:
    """The stations of a park, by id."""
    return Operation("GET", at("parks", park_id, "stations"), Page[Station])


def latest(park_id: str, cadence: str = "realtime") -> Operation[Page[LatestValue]]:
    """The latest observation of each datastream of one cadence."""
    return Operation("GET", at("parks", park_id, "latest"), Page[LatestValue], {"cadence": cadence})


def observations(
    park_id: str, datastream_ids: Sequence[int], start: datetime, end: datetime, resolution: str = "auto"
) -> Operation[Page[Series]]:
    """Observations of up to 200 datastreams, `start` <= time < `end`; raw, minute, hour, day or auto."""
    params: Params = {"datastream_id": list(datastream_ids), "start": start, "end": end, "resolution": resolution}
    return Operation("GET", at("parks", park_id, "observations"), Page[Series], params)


def changes(park_id: str, cursor: str | None = None, since: str = "oldest", limit: int = 1000) -> Operation[ChangePage]:
    """What was stored or corrected after a cursor, in the order of the commits; without one, from `since` on."""
    params: Params = {"cursor": cursor, "since": since, "limit": limit}
    return Operation("GET", at("parks", park_id, "observations", "changes"), ChangePage, params)


def send_readings(park_id: str, readings: Iterable[Reading], key: str | None = None) -> Operation[BatchResult]:
    """Up to `MAX_ROWS` readings to store."""
    rows = []
    for reading in readings:
        _with_offset(reading.time)
        rows.append(reading.model_dump(mode="json", exclude_none=True) | {"value": reading.value})
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"{len(rows)} readings: a request has 1 to {MAX_ROWS}; send them in parts")
    return Operation(
        "POST",
        at("parks", park_id, "observations"),
        BatchResult,
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
        json={"observations": rows},
    )


def send_csv(park_id: str, table: bytes, timezone: str | None = None, key: str | None = None) -> Operation[BatchResult]:
    """A CSV table (UTF-8, at most `MAX_ROWS` rows) to store; `timezone` is that of times without an offset."""
    return Operation(
        "POST",
        at("parks", park_id, "observations"),
        BatchResult,
        {"timezone": timezone},
        {"Content-Type": "text/csv", "Idempotency-Key": key or str(uuid.uuid4())},
        body=table,
    )


def upload(park_id: str, upload_id: str, table: Path, timezone: str | None = None) -> Operation[Upload]:
    """A CSV file of any length to store, plain, `.gz` or `.zst`; sent from the disk as it is."""
    encoding = {".gz": "gzip", ".zst": "zstd"}.get(table.suffix.lower())
    headers = {"Content-Type": "text/csv"} | ({"Content-Encoding": encoding} if encoding else {})
    path = at("parks", park_id, "uploads", upload_id)
    return Operation("PUT", path, Upload, {"timezone": timezone}, headers, table, answer_s=UPLOAD_ANSWER_S)


def upload_progress(park_id: str, upload_id: str) -> Operation[Upload]:
    """How far an upload has come."""
    return Operation("GET", at("parks", park_id, "uploads", upload_id), Upload)


def upload_refusals(park_id: str, upload_id: str) -> Operation[Page[UploadRefusal]]:
    """The first thousand lines of an upload that were refused."""
    return Operation("GET", at("parks", park_id, "uploads", upload_id, "refusals"), Page[UploadRefusal])


def alarms(park_id: str, state: str = "open") -> Operation[Page[Alarm]]:
    """Alarms, the latest first; open, all, shelved, suppressed or out_of_service."""
    return Operation("GET", at("parks", park_id, "alarms"), Page[Alarm], {"state": state})


def alarm(park_id: str, alarm_id: UUID | str) -> Operation[AlarmWithJournal]:
    """One alarm with its journal."""
    return Operation("GET", at("parks", park_id, "alarms", alarm_id), AlarmWithJournal)


def acknowledge(park_id: str, alarm_id: UUID | str, comment: str | None = None) -> Operation[Alarm]:
    """Take note of an alarm."""
    path = at("parks", park_id, "alarms", alarm_id, "acknowledge")
    return Operation("POST", path, Alarm, json={"comment": comment})


def runs(park_id: str, state: Sequence[str] = (), chemical: str | None = None) -> Operation[Page[Run]]:
    """Runs of the model, newest first, without their results; `chemical` is a CAS number."""
    return Operation("GET", at("parks", park_id, "runs"), Page[Run], {"state": list(state), "chemical": chemical})


def run(park_id: str, run_id: UUID | str) -> Operation[Run]:
    """One run with its result, or with how far it is."""
    return Operation("GET", at("parks", park_id, "runs", run_id), Run)


def start_run(park_id: str, request: Mapping[str, Any]) -> Operation[Run]:
    """Ask for a computation; `request` is the body of `POST /parks/{park_id}/runs` (docs/model.md)."""
    return Operation("POST", at("parks", park_id, "runs"), Run, json=dict(request), answer_s=60.0)


def cancel_run(park_id: str, run_id: UUID | str) -> Operation[Run]:
    """Cancel a run that has not ended."""
    return Operation("POST", at("parks", park_id, "runs", run_id, "cancel"), Run)
