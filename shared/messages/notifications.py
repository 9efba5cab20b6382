"""Calls of people, and floods of alarms."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from shared.levels import Colour
from shared.messages.base import Message
from shared.time import UtcDatetime


class WaitingAlarm(BaseModel):
    """An alarm that waits for its acknowledgement, `since` so long (wall time)."""

    alarm_id: UUID
    station_id: str
    property_id: str | None
    colour: Colour
    since: UtcDatetime


class RoleCalled(Message):
    """A role is to be called about alarms of one incident. `notification_id` lets a receiver drop repeats.

    `colour` is the highest of the alarms, which stand in the order of their colours; `after_s` is how long the policy
    lets them wait before this step. `flood`: the park has more alarms than its operators can look at.
    """

    version: Literal[1] = 1
    notification_id: UUID
    park_id: str
    incident_id: UUID | None
    role: str
    after_s: float
    colour: Colour
    alarms: list[WaitingAlarm]
    flood: bool
    recorded_at: UtcDatetime


class FloodChanged(Message):
    """A flood of alarms began or ended. `change_id` lets a receiver drop repeats.

    `alarms` counts by colour the alarms that called for attention in the last `window_s` seconds, or, at the end of the
    flood, in all of it and the window before.
    """

    version: Literal[1] = 1
    change_id: UUID
    flood_id: UUID
    park_id: str
    began_at: UtcDatetime
    ended_at: UtcDatetime | None
    operators: int
    window_s: float
    alarms: dict[Colour, int]
    recorded_at: UtcDatetime
