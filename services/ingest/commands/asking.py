"""What every request to a device has: a command of HJ 212, its fields, and perhaps a span from which records come."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.hj212.codes import Cn
from shared.time import UtcDatetime

Local = Callable[[datetime], str]
"""A time as the device tells times: local, ``yyyyMMddHHmmss``."""
Fields = list[tuple[str, str]]
Factor = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}$", description="the code of what the analyser measures")]


def _told_locally(moment: datetime) -> datetime:
    if not 2000 <= moment.year < 9999:
        raise ValueError("a time from the years 2000 to 9998, which can be told in the time of every zone")
    return moment


Moment = Annotated[UtcDatetime, AfterValidator(_told_locally)]
"""A time that a device is told."""


class Asked(BaseModel):
    """A request. ``command`` tells its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def cn(self) -> Cn:
        """The command of HJ 212 that asks this."""
        raise NotImplementedError

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Names and values for the wire."""
        return []

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """From when to when the records lie that are to come, both included; None where a single answer comes."""
        return None


def check_span(begin: datetime, end: datetime, longest: timedelta, what: str) -> None:
    """Raises ValueError for a span that is turned round or longer than ``longest``."""
    if end < begin:
        raise ValueError("`end` lies before `begin`")
    if end - begin > longest:
        raise ValueError(f"at most {longest.days} days of {what} at once; ask for several spans")


def span_fields(begin: datetime, end: datetime, local: Local) -> Fields:
    """A span for the wire."""
    return [("BeginTime", local(begin)), ("EndTime", local(end))]
