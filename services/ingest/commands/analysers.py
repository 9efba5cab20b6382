"""What may be asked of the analysers behind a data logger: calibration, sampling, cleaning, serial numbers, logs.

Messages as in HJ 212-2017 C.30 to C.46. What is of 2025 (3022, 3024, ``CalibrationType``) is what an implementation of
it takes.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from services.ingest.commands.asking import Asked, Factor, Fields, Local, Moment, check_span, span_fields
from shared.hj212.codes import Cn

MAX_LOG = timedelta(days=366)
_OF_ANALYSER: dict[str, Cn] = {
    "sample_now": Cn.SAMPLE_NOW,
    "clean": Cn.CLEAN,
    "comparison_sample": Cn.COMPARISON_SAMPLE,
    "get_sampling_period": Cn.SAMPLING_PERIOD,
    "get_sample_out_time": Cn.SAMPLE_OUT_TIME,
    "get_serial_number": Cn.SERIAL_NUMBER,
    "keep_sample": Cn.INSTANT_SAMPLE,
    "standard_check": Cn.START_STANDARD_CHECK,
}
AnalyserCommand = Literal[
    "sample_now",
    "clean",
    "comparison_sample",
    "get_sampling_period",
    "get_sample_out_time",
    "get_serial_number",
    "keep_sample",
    "standard_check",
]
assert set(get_args(AnalyserCommand)) == set(_OF_ANALYSER)
Info = Annotated[
    str, Field(pattern=r"^i[0-9]{5}$", description="a code of HJ 212-2017 Table B.10", examples=["i11001"])
]


class OfAnalyser(Asked):
    """For the analyser of one factor: sample (3012), clean or blow back (3013), take a
    comparison sample (3014), read its sampling period (3017), sample-out time (3018) or serial number (3019); of 2025
    keep a sample (3022), check it with a standard sample (3024)."""

    command: AnalyserCommand
    factor: Factor

    @property
    def cn(self) -> Cn:
        """By its name."""
        return _OF_ANALYSER[self.command]

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """The analyser."""
        return [("PolId", self.factor)]


class Calibrate(Asked):
    """Calibrate zero and span of an analyser (3011); ``point`` names one of them to a device of 2025."""

    command: Literal["calibrate"]
    factor: Factor
    point: Literal["zero", "span"] | None = None

    @property
    def cn(self) -> Cn:
        """3011."""
        return Cn.CALIBRATE

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """The analyser, and of what edition 2025 has: 0 for zero, 1 for span."""
        point = [] if self.point is None else [("CalibrationType", "0" if self.point == "zero" else "1")]
        return [("PolId", self.factor), *point]


class SetSamplingPeriod(Asked):
    """When an analyser takes its first sample of a day, in the park's time, and every how many hours (3016)."""

    command: Literal["set_sampling_period"]
    factor: Factor
    start: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$", examples=["00:00:00"])
    every_h: int = Field(ge=1, le=24)

    @property
    def cn(self) -> Cn:
        """3016."""
        return Cn.SET_SAMPLING_PERIOD

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """The analyser, when and how often."""
        return [("PolId", self.factor), ("CstartTime", self.start.replace(":", "")), ("CTime", str(self.every_h))]


class GetInformation(Asked):
    """Read a log (``i11001``, from ``begin`` to ``end``), a state (i12) or a parameter (i13) of the data logger or of
    an analyser (3020)."""

    command: Literal["get_information"]
    factor: Factor | None = None
    info: Info
    begin: Moment | None = None
    end: Moment | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if (self.begin is None) != (self.end is None):
            raise ValueError("`begin` and `end` belong together; give both, or none for the present state")
        if self.begin is not None and self.end is not None:
            check_span(self.begin, self.end, MAX_LOG, "a log")
        return self

    @property
    def cn(self) -> Cn:
        """3020."""
        return Cn.DEVICE_INFO

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Whose, which, from when to when."""
        of = [] if self.factor is None else [("PolId", self.factor)]
        span = self.span
        return [*of, ("InfoId", self.info), *([] if span is None else span_fields(*span, local))]

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Of a log."""
        return None if self.begin is None or self.end is None else (self.begin, self.end)


class SetParameter(Asked):
    """Set a parameter (i13) of the data logger or of an analyser (3021)."""

    command: Literal["set_parameter"]
    factor: Factor | None = None
    info: str = Field(pattern=r"^i13[0-9]{3}$", examples=["i13004"])
    value: str = Field(pattern=r"^[^;,=&#/\s\x00-\x1f]{1,64}$", examples=["168.0"])

    @property
    def cn(self) -> Cn:
        """3021."""
        return Cn.SET_PARAMETER

    def fields(self, local: Local, now: datetime) -> Fields:  # noqa: ARG002
        """Whose, which, and the value."""
        of = [] if self.factor is None else [("PolId", self.factor)]
        return [*of, ("InfoId", self.info), (f"{self.info}-Info", self.value)]
