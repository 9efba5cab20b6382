"""What may be asked of a data logger: its clock, its intervals, its uploads and its records."""

from datetime import datetime, timedelta
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from services.ingest.commands.asking import Asked, Fields, Local, Moment, check_span, span_fields
from shared.hj212.codes import Cn

MINUTE_INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""Minutes that the standard allows between minute records (HJ 212-2017 Table 9)."""
_HISTORY = {
    "minute": (Cn.MINUTE, timedelta(days=31)),
    "hour": (Cn.HOUR, timedelta(days=366)),
    "day": (Cn.DAY, timedelta(days=3660)),
}
_RECORDS = {
    "run_time": (Cn.RUN_TIME, timedelta(days=3660)),
    "raw_period": (Cn.RAW_PERIOD, timedelta(days=31)),
    "noise_event": (Cn.NOISE_EVENT, timedelta(days=31)),
    "standard_check": (Cn.STANDARD_CHECK, timedelta(days=366)),
}
_PLAIN: dict[str, Cn] = {
    "get_time": Cn.DEVICE_TIME,
    "get_realtime_interval": Cn.REALTIME_INTERVAL,
    "get_minute_interval": Cn.MINUTE_INTERVAL,
    "start_realtime": Cn.REALTIME,
    "stop_realtime": Cn.STOP_REALTIME,
    "start_run_state": Cn.RUN_STATE,
    "stop_run_state": Cn.STOP_RUN_STATE,
    "exceedance_sample": Cn.EXCEEDANCE_SAMPLE,
}
PlainName = Literal[
    "get_time",
    "get_realtime_interval",
    "get_minute_interval",
    "start_realtime",
    "stop_realtime",
    "start_run_state",
    "stop_run_state",
    "exceedance_sample",
]
assert set(get_args(PlainName)) == set(_PLAIN)


class Plain(Asked):
    """Without parameters: read a setting (1011, 1061, 1063), start or stop uploads (2011, 2012, 2021, 2022), keep a
    sample (3015)."""

    command: PlainName

    @property
    def cn(self) -> Cn:
        """By its name."""
        return _PLAIN[self.command]


class SetTime(Asked):
    """Set the device's clock (1012). Without ``time`` it is set to the time at which the command goes out."""

    command: Literal["set_time"]
    time: Moment | None = None

    @property
    def cn(self) -> Cn:
        """1012."""
        return Cn.SET_DEVICE_TIME

    def fields(self, local: Local, now: datetime) -> Fields:
        """The time."""
        return [("SystemTime", local(self.time or now))]


class SetTimeout(Asked):
    """How long the device waits for an answer, and how often it sends again (1000)."""

    command: Literal["set_timeout"]
    over_time_s: int = Field(ge=1, le=99)
    recount: int = Field(ge=1, le=99)

    @property
    def cn(self) -> Cn:
        """1000."""
        return Cn.SET_TIMEOUT

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Seconds and count."""
        return [("OverTime", str(self.over_time_s)), ("ReCount", str(self.recount))]


class SetRealtimeInterval(Asked):
    """Seconds between real-time uploads (1062)."""

    command: Literal["set_realtime_interval"]
    seconds: int = Field(ge=30, le=3600)

    @property
    def cn(self) -> Cn:
        """1062."""
        return Cn.SET_REALTIME_INTERVAL

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Seconds."""
        return [("RtdInterval", str(self.seconds))]


class SetMinuteInterval(Asked):
    """Minutes of one minute record (1064)."""

    command: Literal["set_minute_interval"]
    minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]

    @property
    def cn(self) -> Cn:
        """1064."""
        return Cn.SET_MINUTE_INTERVAL

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Minutes."""
        return [("MinInterval", str(self.minutes))]


class _Span(Asked):
    begin: Moment
    end: Moment

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """The span."""
        return span_fields(self.begin, self.end, local)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From ``begin`` to ``end``."""
        return self.begin, self.end


class History(_Span):
    """Records of the past (2051 minute, 2061 hour, 2031 day) that begin from ``begin`` to ``end``, both included."""

    command: Literal["history"]
    cadence: Literal["minute", "hour", "day"]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        check_span(self.begin, self.end, _HISTORY[self.cadence][1], f"{self.cadence} records")
        return self

    @property
    def cn(self) -> Cn:
        """By the cadence."""
        return _HISTORY[self.cadence][0]


class Records(_Span):
    """Other records of the past: running times of plants by day (2041), and of the edition of 2025 results of single
    analyses (2013), single noise measurements (2052) and checks with standard samples (2062)."""

    command: Literal["records"]
    of: Literal["run_time", "raw_period", "noise_event", "standard_check"]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        check_span(self.begin, self.end, _RECORDS[self.of][1], f"{self.of} records")
        return self

    @property
    def cn(self) -> Cn:
        """By what they are of."""
        return _RECORDS[self.of][0]
