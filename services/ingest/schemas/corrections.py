"""Bodies about corrections and conflicts."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.quality import MAX_VALUE, Quality
from shared.text import STORABLE
from shared.time import UtcDatetime

MAX_VALUES = 10_000
MAX_SPANS = 100

Number = Annotated[float | None, Field(ge=-MAX_VALUE, le=MAX_VALUE)]
DatastreamId = Annotated[int, Field(ge=1, lt=2**31)]


class CorrectedValue(BaseModel):
    """What an observation is to say from now on, in the datastream's stored unit."""

    model_config = ConfigDict(extra="forbid")

    datastream_id: DatastreamId
    time: UtcDatetime
    value: Number
    quality: Quality = Quality.NORMAL
    minimum: Number = None
    maximum: Number = None


class JudgedSpan(BaseModel):
    """A new flag for every observation of a datastream from `start` on and before `end`; the values stay."""

    model_config = ConfigDict(extra="forbid")

    datastream_id: DatastreamId
    start: UtcDatetime
    end: UtcDatetime
    quality: Quality = Quality.REJECTED

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start >= self.end:
            raise ValueError("`start` has to lie before `end`")
        return self


class CorrectionRequest(BaseModel):
    """A correction: all of it is made, or nothing. `reviewer` is the person, where the key is not theirs."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000, pattern=STORABLE)
    reviewer: str | None = Field(default=None, min_length=1, max_length=200, pattern=STORABLE)
    values: list[CorrectedValue] = Field(default=[], max_length=MAX_VALUES)
    spans: list[JudgedSpan] = Field(default=[], max_length=MAX_SPANS)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.values and not self.spans:
            raise ValueError("name observations in `values`, or a span of time in `spans`")
        return self


class CorrectionResult(BaseModel):
    """How many observations were changed; `unchanged` are those that already said so."""

    corrected: int
    unchanged: int


class Content(BaseModel):
    """What an observation says."""

    value: float | None
    quality: Quality
    minimum: float | None
    maximum: float | None


class Correction(BaseModel):
    """One observation that was corrected. `before` of its first correction is what was sent."""

    id: int
    datastream_id: int
    time: UtcDatetime
    before: Content
    after: Content
    author: str
    reviewer: str | None
    reason: str
    made_at: UtcDatetime


class CorrectionPage(BaseModel):
    """Corrections, latest first."""

    items: list[Correction]
    next: str | None = None


class Conflict(BaseModel):
    """A reading that contradicted the stored one of the same key; the first stays.

    `stored` is what was stored when it came, `times` how often it came, `source` who sent it first.
    """

    id: int
    datastream_id: int
    time: UtcDatetime
    stored_value: float | None
    stored_quality: Quality
    sent: Content
    source: str
    times: int
    first_at: UtcDatetime
    last_at: UtcDatetime


class ConflictPage(BaseModel):
    """Conflicts, latest first."""

    items: list[Conflict]
    next: str | None = None
