"""What may be asked of a device, and the message of HJ 212 that asks it."""

from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from services.ingest.commands.analysers import Calibrate, GetInformation, OfAnalyser, SetParameter, SetSamplingPeriod
from services.ingest.commands.loggers import (
    History,
    Plain,
    Records,
    SetMinuteInterval,
    SetRealtimeInterval,
    SetTime,
    SetTimeout,
)
from services.ingest.commands.secrets import SetKey, SetPassword
from services.ingest.registry.snapshot import Device
from shared.hj212.codes import flag_of
from shared.hj212.commands import format_time
from shared.hj212.segment import Pair, Segment, build

CommandRequest = Annotated[
    Plain
    | SetTime
    | SetTimeout
    | SetRealtimeInterval
    | SetMinuteInterval
    | History
    | Records
    | Calibrate
    | OfAnalyser
    | SetSamplingPeriod
    | GetInformation
    | SetParameter
    | SetPassword
    | SetKey,
    Field(discriminator="command"),
]
"""What a caller may ask, told apart by ``command``."""
REQUEST: TypeAdapter[CommandRequest] = TypeAdapter(CommandRequest)
"""Reads and writes requests as they are stored."""


class Sender(NamedTuple):
    """What the device calls itself: its system type and the password that it shows."""

    st: str
    pw: str


def message(request: CommandRequest, device: Device, sender: Sender, qn: str, now: datetime) -> Segment:
    """The message for the wire; times become the park's local ones."""

    def local(moment: datetime) -> str:
        return format_time(moment.astimezone(device.zone))

    return build(
        request.cn,
        qn=qn,
        st=sender.st,
        pw=sender.pw,
        mn=device.mn,
        flag=flag_of(answer=True),
        groups=tuple((Pair(name, None, value),) for name, value in request.fields(local, now)),
    )
