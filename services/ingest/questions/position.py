"""Where a page of series ends and the next one begins."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self, cast, get_args

from shared import cursors
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
        return cursors.write(self.resolution, *times, self.datastream_id)

    @classmethod
    def read(cls, cursor: str) -> Self:
        """The inverse of ``cursor``; raises BadRequest for anything else."""
        return cursors.read(cursor, cls._of)

    @classmethod
    def _of(cls, parts: list[str]) -> Self:
        resolution, start, end, time, number = parts
        if resolution not in get_args(Resolution):
            raise ValueError(resolution)
        since, until, at = (from_microseconds(int(part)) for part in (start, end, time))
        return cls(cast(Resolution, resolution), since, until, cursors.count(number, bits=31), at)
