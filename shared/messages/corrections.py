"""Observations that somebody has corrected."""

from typing import Literal

from shared.messages.base import Message

CORRECTIONS_STREAM = "corrections"
"""Apart from the streams of new observations: a correction is no news from a station, and no alarm rises from it."""


class ObservationsCorrected(Message):
    """Corrected observations of one park, in columns; ``value`` and ``quality`` are those that count from now on.

    `time` is in microseconds since 1970 UTC, `quality` one flag letter an observation. `author` is who asked over the
    API, `reviewer` whom they named.
    """

    version: Literal[1] = 1
    park_id: str
    datastream_id: list[int]
    time: list[int]
    value: list[float | None]
    quality: str
    author: str
    reviewer: str | None = None
    reason: str
