"""Bodies of commands to devices, and of the records of devices that are missing."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.ingest.commands.filled import GapState
from services.ingest.commands.lifecycle import State
from services.ingest.commands.requests import CommandRequest
from shared.time import UtcDatetime


class Command(BaseModel):
    """A command to a device and how far it has come."""

    id: int
    mn: str
    cn: Annotated[str, Field(description="the command of HJ 212", examples=["1012"])]
    request: CommandRequest
    origin: Annotated[Literal["user", "gap"], Field(description="asked by somebody, or by the filling of gaps")]
    requested_by: str
    requested_at: UtcDatetime
    state: State
    attempts: Annotated[int, Field(description="how often it was sent")]
    qn: Annotated[str | None, Field(description="its request number once it was sent")]
    sent_at: UtcDatetime | None
    expires_at: Annotated[UtcDatetime, Field(description="until when it waits for the device to be connected")]
    finished_at: UtcDatetime | None
    qn_rtn: Annotated[int | None, Field(description="the device's answer to the request (9011)")]
    exe_rtn: Annotated[int | None, Field(description="the device's result (9012); 100 is no data")]
    records: Annotated[int, Field(description="records of the history that came")]
    answer: Annotated[dict[str, str], Field(description="the setting that was read, as the device sent it")]
    detail: str | None


class CommandPage(BaseModel):
    """Commands, latest first; ``next`` is the cursor of the page after this one."""

    items: list[Command]
    next: str | None = None


class Gap(BaseModel):
    """A span in which records of a device are missing: they begin from ``begin`` on and before ``end``."""

    id: int
    mn: str
    cadence: Literal["minute", "hour", "day"]
    begin: UtcDatetime
    end: UtcDatetime
    interval_s: Annotated[int, Field(description="from one record to the next, as the device makes them")]
    found_at: UtcDatetime
    state: GapState
    tries: int
    try_at: Annotated[UtcDatetime | None, Field(description="before this the device is not asked again")]
    command_id: Annotated[int | None, Field(description="the latest command that asked for it")]


class GapPage(BaseModel):
    """Gaps, latest found first; ``next`` is the cursor of the page after this one."""

    items: list[Gap]
    next: str | None = None


class GapFilling(BaseModel):
    """Whether a device is asked for records that are missing."""

    enabled: bool
