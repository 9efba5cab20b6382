"""Bodies about raw frames and their replays."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.ingest.archive.replays import REREADABLE
from services.ingest.stations.verdicts import Verdict
from shared.time import UtcDatetime


class RawFrame(BaseModel):
    """Bytes of a device as they came, and what became of them.

    In ``frame`` the password is hidden, and bytes that are no UTF-8 stand as ``\\xNN``; ``bytes`` is the true length.
    ``unmapped`` counts the readings that no datastream was there for.
    """

    received_at: UtcDatetime
    remote: str
    verdict: Verdict
    detail: str | None
    unmapped: int | None
    bytes: int
    frame: str


class RawFramePage(BaseModel):
    """Raw frames, the latest first."""

    items: list[RawFrame]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")


def _rereadable(verdict: Verdict) -> Verdict:
    if verdict not in REREADABLE:
        known = ", ".join(sorted(REREADABLE))
        raise ValueError(f"frames of this verdict say no more when they are read again; possible are {known}")
    return verdict


class ReplayRequest(BaseModel):
    """Which frames are to be read again: those that came from `start` on and before `end` (default: now).

    By default all that could say more now: refused ones, and those with readings that no datastream was there for.
    """

    start: UtcDatetime | None = None
    end: UtcDatetime | None = None
    verdicts: list[Annotated[Verdict, AfterValidator(_rereadable)]] = Field(
        default=sorted(REREADABLE), max_length=len(REREADABLE)
    )
    unmapped: bool = Field(default=True, description="also accepted frames with readings that had no datastream")

    @model_validator(mode="after")
    def _some_span(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("`start` has to lie before `end`")
        if not self.verdicts and not self.unmapped:
            raise ValueError("nothing to read: name a verdict, or set `unmapped`")
        return self


class Replay(BaseModel):
    """A replay and how far it is.

    ``frames`` were read again and ``read_frames`` of them understood; ``accepted``, ``duplicate`` and ``conflicting``
    count their observations, ``unmapped_readings`` those that still have no datastream.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    mn: str
    start: UtcDatetime | None
    end: UtcDatetime | None
    verdicts: list[str]
    unmapped: bool
    requested_by: str
    requested_at: UtcDatetime
    state: Literal["queued", "running", "succeeded", "failed"]
    detail: str | None
    finished_at: UtcDatetime | None
    frames: int
    read_frames: int
    accepted: int
    duplicate: int
    conflicting: int
    unmapped_readings: int


class ReplayPage(BaseModel):
    """Replays, the latest first."""

    items: list[Replay]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")
