"""Bodies of what devices report of themselves."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.hj212.reports import Kind
from shared.time import UtcDatetime


class DeviceReport(BaseModel):
    """One thing that a device has reported."""

    kind: Kind
    subject: Annotated[str, Field(description="a factor or a plant; empty for the data logger", examples=["a21026"])]
    time: Annotated[UtcDatetime, Field(description="as the device tells it, else when it was received")]
    received_at: UtcDatetime
    content: Annotated[dict[str, str], Field(description="as it was sent", examples=[{"RS": "1"}])]


class DeviceReportPage(BaseModel):
    """Reports, latest first; ``next`` is the cursor of the page after this one."""

    items: list[DeviceReport]
    next: str | None = None


class StandardCheck(BaseModel):
    """A check of an analyser with a standard sample (2062). What the device did not send as a number is null."""

    factor: str
    time: UtcDatetime
    received_at: UtcDatetime
    measured: Annotated[float | None, Field(description="what the analyser read, in the unit of the device")]
    standard_value: Annotated[float | None, Field(description="what the sample holds, in the same unit")]
    relative_error: Annotated[float | None, Field(description="(measured - standard_value) / standard_value")]
    passed: Annotated[bool | None, Field(description="as the device judges it")]


class StandardCheckPage(BaseModel):
    """Checks, latest first; ``next`` is the cursor of the page after this one."""

    items: list[StandardCheck]
    next: str | None = None
