"""What may be asked of a device, and the message of HJ 212 that asks it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from services.ingest.registry.snapshot import Device
from shared.hj212.codes import Cn, flag_of
from shared.hj212.commands import format_time
from shared.hj212.segment import Pair, Segment, build
from shared.park_file import Cadence
from shared.time import UtcDatetime

MINUTE_INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""Minutes that the standard allows between minute records (HJ 212-2017 Table 9)."""
MAX_HISTORY = {
    "minute": timedelta(days=31),
    "hour": timedelta(days=366),
    "day": timedelta(days=3660),
}
_HISTORY: dict[str, Cn] = {"minute": Cn.MINUTE, "hour": Cn.HOUR, "day": Cn.DAY}
_PLAIN: dict[str, Cn] = {
    "get_time": Cn.DEVICE_TIME,
    "get_realtime_interval": Cn.REALTIME_INTERVAL,
    "get_minute_interval": Cn.MINUTE_INTERVAL,
    "start_realtime": Cn.REALTIME,
    "stop_realtime": Cn.STOP_REALTIME,
    "start_run_state": Cn.RUN_STATE,
    "stop_run_state": Cn.STOP_RUN_STATE,
}
PlainName = Literal[
    "get_time",
    "get_realtime_interval",
    "get_minute_interval",
    "start_realtime",
    "stop_realtime",
    "start_run_state",
    "stop_run_state",
]
assert set(get_args(PlainName)) == set(_PLAIN)
NOTICES = frozenset({Cn.STOP_REALTIME, Cn.STOP_RUN_STATE})
"""Answered by 9013, and by nothing else."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Plain(_Request):
    """Without parameters: read a setting (1011, 1061, 1063), start or stop uploads (2011, 2012, 2021, 2022)."""

    command: PlainName


class SetTime(_Request):
    """Set the device's clock (1012). Without ``time`` it is set to the time at which the command goes out."""

    command: Literal["set_time"]
    time: UtcDatetime | None = None


class SetTimeout(_Request):
    """How long the device waits for an answer, and how often it sends again (1000)."""

    command: Literal["set_timeout"]
    over_time_s: int = Field(ge=1, le=99)
    recount: int = Field(ge=1, le=99)


class SetRealtimeInterval(_Request):
    """Seconds between real-time uploads (1062)."""

    command: Literal["set_realtime_interval"]
    seconds: int = Field(ge=30, le=3600)


class SetMinuteInterval(_Request):
    """Minutes of one minute record (1064)."""

    command: Literal["set_minute_interval"]
    minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]


class History(_Request):
    """Records of the past (2051 minute, 2061 hour, 2031 day) that begin from ``begin`` to ``end``, both included."""

    command: Literal["history"]
    cadence: Literal["minute", "hour", "day"]
    begin: UtcDatetime
    end: UtcDatetime

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.end < self.begin:
            raise ValueError("`end` lies before `begin`")
        longest = MAX_HISTORY[self.cadence]
        if self.end - self.begin > longest:
            raise ValueError(f"at most {longest.days} days of {self.cadence} records at once; ask for several spans")
        return self


CommandRequest = Annotated[
    Plain | SetTime | SetTimeout | SetRealtimeInterval | SetMinuteInterval | History, Field(discriminator="command")
]
"""What a caller may ask, told apart by ``command``."""
REQUEST: TypeAdapter[CommandRequest] = TypeAdapter(CommandRequest)
"""Reads and writes requests as they are stored."""


class Sender(NamedTuple):
    """What the device calls itself: its system type and the password that it shows."""

    st: str
    pw: str


def cn_of(request: CommandRequest) -> Cn:
    """The command of HJ 212 that asks this."""
    match request:
        case Plain():
            return _PLAIN[request.command]
        case SetTime():
            return Cn.SET_DEVICE_TIME
        case SetTimeout():
            return Cn.SET_TIMEOUT
        case SetRealtimeInterval():
            return Cn.SET_REALTIME_INTERVAL
        case SetMinuteInterval():
            return Cn.SET_MINUTE_INTERVAL
        case History():
            return _HISTORY[request.cadence]


def cadence_asked(request: CommandRequest) -> Cadence | None:
    """Of which cadence records are asked for; None where none are."""
    return request.cadence if isinstance(request, History) else None


def message(request: CommandRequest, device: Device, sender: Sender, qn: str, now: datetime) -> Segment:
    """The message for the wire; times become the park's local ones."""
    return build(
        cn_of(request),
        qn=qn,
        st=sender.st,
        pw=sender.pw,
        mn=device.mn,
        flag=flag_of(answer=True),
        groups=tuple((Pair(name, None, value),) for name, value in _fields(request, device, now)),
    )


def _fields(request: CommandRequest, device: Device, now: datetime) -> list[tuple[str, str]]:
    def local(moment: datetime) -> str:
        return format_time(moment.astimezone(device.zone))

    match request:
        case Plain():
            return []
        case SetTime():
            return [("SystemTime", local(request.time or now))]
        case SetTimeout():
            return [("OverTime", str(request.over_time_s)), ("ReCount", str(request.recount))]
        case SetRealtimeInterval():
            return [("RtdInterval", str(request.seconds))]
        case SetMinuteInterval():
            return [("MinInterval", str(request.minutes))]
        case History():
            return [("BeginTime", local(request.begin)), ("EndTime", local(request.end))]
