"""What the API tells, as far as the client has types for it.

Times have an offset. What a newer Fenceline tells besides is kept (`model_extra`), so an older client goes on working;
for the same reason states, colours and flags are plain strings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Item = TypeVar("Item")


class Told(BaseModel):
    """Base: not to be changed, open to what is new."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Page(Told, Generic[Item]):
    """Some of a list; `next` is the cursor of what follows, None at the end."""

    items: list[Item]
    next: str | int | None = None


class Text(Told):
    """A text in Chinese and English."""

    zh: str
    en: str


class Park(Told):
    """A park; `boundary` is a GeoJSON Polygon (WGS 84)."""

    id: str
    name: Text
    timezone: str
    boundary: dict[str, JsonValue]
    station_count: int


class Location(Told):
    """WGS 84 [degrees]; height above ground [m]."""

    longitude: float
    latitude: float
    height_m: float


class Datastream(Told):
    """One observed property of a station at one cadence; `range_upper` and `detection_limit` in `unit`."""

    id: int
    property_id: str
    property_name: Text
    unit: str
    cadence: str
    range_upper: float | None
    detection_limit: float | None


class Device(Told):
    """What is known of a station's HJ 212 device; the API tells more (`model_extra`)."""

    mn: str
    last_seen: datetime | None
    silent_since: datetime | None


class Station(Told):
    """A station with its datastreams; `code` names it within the park."""

    id: str
    code: str
    name: Text
    ring: str
    enterprise_id: str | None
    location: Location
    device: Device | None
    datastreams: list[Datastream]


class LatestValue(Told):
    """The latest observation of one datastream, in `unit`."""

    datastream_id: int
    station_id: str
    property_id: str
    cadence: str
    time: datetime
    value: float | None
    quality: str
    unit: str


class Series(Told):
    """Observations of one datastream in columns, by time; beyond `raw`, `time` is the start of a period."""

    datastream_id: int
    unit: str
    resolution: str
    time: list[datetime] = []
    value: list[float | None] = []
    quality: list[str] = []
    minimum: list[float | None] = []
    maximum: list[float | None] = []
    count: list[int] | None = None
    valid: list[int] | None = None


class Reading(BaseModel):
    """One reading to send. `station` is the code within the park; `time` must have an offset.

    `unit` is that of the value; None: the datastream's own. `quality` is a flag of HJ 212, `N` is normal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    station: str
    property: str
    time: datetime
    value: float | None = Field(allow_inf_nan=False)
    quality: str = "N"
    unit: str | None = None
    cadence: str = "realtime"


class RowResult(Told):
    """What became of the row with this index: accepted, duplicate, conflicting or refused."""

    index: int
    status: str
    detail: str | None = None


class BatchResult(Told):
    """What became of each row that was sent."""

    accepted: int
    duplicate: int
    conflicting: int
    refused: int
    results: list[RowResult]


class Upload(Told):
    """How far an upload has come; `state` is running, interrupted, failed or done."""

    id: str
    state: str
    detail: str | None
    lines: int
    accepted: int
    duplicate: int
    conflicting: int
    refused: int


class UploadRefusal(Told):
    """A line of an upload that was refused; the header is line 1."""

    line: int
    detail: str


class Change(Told):
    """One observation as it was committed: `stored` new, or `corrected`; the later one counts."""

    change: str
    datastream_id: int
    station_id: str
    property_id: str
    cadence: str
    unit: str
    time: datetime
    value: float | None
    quality: str


class ChangePage(Told):
    """Changes after a cursor. Keep `next` once the items are safe; `more`: ask again at once."""

    items: list[Change]
    next: str
    more: bool


class Alarm(Told):
    """An alarm as it stands. `colour` is blue, yellow, orange or red; `allowed` what can be done to it by hand."""

    id: UUID
    park_id: str
    station_id: str
    station_name: Text
    property_id: str | None
    rule_id: str
    state: str
    active: bool
    colour: str
    peak_colour: str
    value: float | None
    peak_value: float | None
    unit: str | None
    threshold: float | None
    raised_at: datetime
    changed_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    comment: str | None
    returned_at: datetime | None
    closed_at: datetime | None
    assigned_to: str | None
    allowed: list[str]


class JournalEntry(Told):
    """One thing that happened to an alarm."""

    action: str
    state_after: str | None
    colour_after: str
    value: float | None
    event_time: datetime
    recorded_at: datetime
    actor: str | None
    comment: str | None


class AlarmWithJournal(Alarm):
    """An alarm and all that happened to it, in order."""

    journal: list[JournalEntry] = []


class Run(Told):
    """A run of the model; `result` and `error` are as the OpenAPI document describes them. Lists leave `result` out."""

    id: UUID
    park_id: str
    state: str
    trigger: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    chemical: str
    chemical_name: Text | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        return self.state not in ("queued", "running")


class AlarmChanged(Told):
    """One transition of an alarm, as a live event; an event can come twice, with the same `transition_id`."""

    transition_id: UUID
    alarm_id: UUID
    park_id: str
    station_id: str
    property_id: str | None
    transition: str
    state: str
    colour: str
    value: float | None
    unit: str | None
    event_time: datetime
    recorded_at: datetime


class RunChanged(Told):
    """How far a run is, as a live event."""

    run_id: UUID
    park_id: str
    state: str
    chemical: str
    at: datetime
    fraction: float | None = None
    step: str | None = None
