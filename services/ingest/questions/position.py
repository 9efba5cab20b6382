"""Where a page of series ends and the next one begins."""

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self, cast, get_args

from shared.problems import BadRequest
from shared.time import from_microseconds, to_microseconds

Resolution = Literal["raw", "minute", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Position:
    """What is asked (a resolution, ``start <= time < end``) and the first observation that was not told yet.

    It says all that is asked but for the datastreams, so that the pages of one question stay those of one question
    though its end was left out and the clock goes on.
    """

    resolution: Resolution
    start: datetime
    end: datetime
    datastream_id: int
    time: datetime

    @classmethod
    def begin(cls, resolution: Resolution, start: datetime, end: datetime) -> Self:
        """Before everything."""
        return cls(resolution, start, end, 0, start)

    def at(self, datastream_id: int, time: datetime) -> Self:
        """The same question, from this observation on."""
        return replace(self, datastream_id=datastream_id, time=time)

    @property
    def cursor(self) -> str:
        """As it is handed out."""
        times = (to_microseconds(time) for time in (self.start, self.end, self.time))
        parts = (self.resolution, *times, self.datastream_id)
        return base64.urlsafe_b64encode(":".join(map(str, parts)).encode()).decode()

    @classmethod
    def read(cls, cursor: str) -> Self:
        """The inverse of ``cursor``; raises BadRequest for anything else."""
        try:
            resolution, start, end, time, number = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
            if resolution not in get_args(Resolution) or not 0 <= int(number) < 2**31:
                raise ValueError(cursor)
            since, until, at = (from_microseconds(int(part)) for part in (start, end, time))
        except (ValueError, binascii.Error, OverflowError) as error:
            raise BadRequest("The cursor is not one of ours; pass on `next` of the page before, unchanged.") from error
        return cls(cast(Resolution, resolution), since, until, int(number), at)
