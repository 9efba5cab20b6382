"""What the alerts service tells of floods and calls over HTTP."""

from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.api.incident_schemas import IncidentOut
from shared.levels import Colour
from shared.time import UtcDatetime


class FloodStatus(BaseModel):
    """How many alarms call for attention now, and what of: the open incidents, the highest colour first."""

    in_flood: bool
    began_at: UtcDatetime | None
    at: UtcDatetime
    window_s: float
    operators: int
    begins_above: int = Field(description="alarms in the window for all operators together")
    ends_below: int
    alarms: dict[Colour, int] = Field(description="that called for attention in the window, by colour")
    incidents: list[IncidentOut] = Field(description="at most as many as asked for")
    more_incidents: int


class FloodOut(BaseModel):
    """A flood; `alarms` are those from the window before its beginning up to its end or now."""

    id: UUID
    began_at: UtcDatetime
    ended_at: UtcDatetime | None
    alarms: dict[Colour, int]


class FloodPage(BaseModel):
    """The latest floods, the latest first."""

    items: list[FloodOut]
    next: str | None = None


class NotificationOut(BaseModel):
    """A call: a role was to be told of these alarms of one incident."""

    id: UUID
    incident_id: UUID | None
    role: str
    after_s: float = Field(description="how long the policy lets alarms wait before this step")
    colour: Colour
    alarm_ids: list[UUID]
    flood: bool
    recorded_at: UtcDatetime


class NotificationPage(BaseModel):
    """Calls, the latest first; `next` is the cursor of the next page."""

    items: list[NotificationOut]
    next: str | None
