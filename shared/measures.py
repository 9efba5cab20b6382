"""What a rule compares with its levels, as documents: in park files and in the API of rules. Times in seconds."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_WINDOW_S = 28_800
"""Eight hours: the longest span over which a limit is a mean (PC-TWA of GBZ 2.1)."""
WindowS = Annotated[float, Field(gt=0, le=LONGEST_WINDOW_S, description="length of the sliding window")]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RawValue(_Document):
    """The reading itself, as where no measure is given."""

    kind: Literal["raw"]


class MeanValue(_Document):
    """The mean over a sliding window, once readings cover three quarters of it."""

    kind: Literal["mean"]
    window_s: WindowS


class MaximumValue(_Document):
    """The highest reading of a sliding window: one that reached a level stands for the whole window."""

    kind: Literal["maximum"]
    window_s: WindowS


class PercentileValue(_Document):
    """The reading of a sliding window that `percent` of its readings are not above (nearest rank)."""

    kind: Literal["percentile"]
    window_s: WindowS
    percent: float = Field(gt=0, le=100)


class NOfMSamples(_Document):
    """Whether `n` of the last `m` readings reach a level: the n-th highest of them."""

    kind: Literal["n_of_m"]
    n: int = Field(ge=1, le=100)
    m: int = Field(ge=1, le=100)

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if self.n > self.m:
            raise ValueError(f"n of m: {self.n} of {self.m} can never be; n must not be above m")
        return self


class RateOfChangeValue(_Document):
    """How fast the readings rise over a sliding window; the levels are in the stored unit a minute."""

    kind: Literal["rate_of_change"]
    window_s: WindowS


class DeviationValue(_Document):
    """By how many robust standard deviations a reading is above the median of the window before it.

    The levels are plain numbers. `least` is the standard deviation that is assumed at least: the instrument's noise.
    """

    kind: Literal["deviation"]
    window_s: WindowS
    least: float = Field(gt=0, description="in the stored unit")


class BaselineDeviationValue(_Document):
    """By how many robust standard deviations a reading is above what is usual at this hour of the day.

    The levels are plain numbers. Usual is the median, by hour of the park's day, of the minute means of `over_days`
    days; it says nothing while fewer than `least_days` of them are known. `least` is the standard deviation that is
    assumed at least: the instrument's noise.
    """

    kind: Literal["baseline_deviation"]
    over_days: int = Field(default=14, ge=1, le=60)
    least_days: int = Field(default=7, ge=1, le=60)
    least: float = Field(gt=0, description="in the stored unit")

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Self:
        if self.least_days > self.over_days:
            raise ValueError(f"baseline: of {self.over_days} days {self.least_days} can never be known")
        return self


class StuckValue(_Document):
    """For how long no reading differed from the one before by more than `tolerance`; the levels are in seconds.

    Readings at or below `above` (the detection limit, say) may stand still for ever. The last 4096 readings are looked
    at, and not further back than `window_s`: a level at or above it is never reached.
    """

    kind: Literal["stuck"]
    window_s: WindowS = 7200.0
    tolerance: float = Field(default=0.0, ge=0, description="in the stored unit")
    above: float = Field(default=0.0, ge=0, description="in the stored unit")


class ImplausibleValue(_Document):
    """By how much a reading lies below `low` or above `high`, in the stored unit."""

    kind: Literal["implausible"]
    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"implausible: the low end {self.low:g} must be below the high end {self.high:g}")
        return self


Measure = Annotated[
    RawValue
    | MeanValue
    | MaximumValue
    | PercentileValue
    | NOfMSamples
    | RateOfChangeValue
    | DeviationValue
    | BaselineDeviationValue
    | StuckValue
    | ImplausibleValue,
    Field(discriminator="kind"),
]
