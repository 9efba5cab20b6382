"""Readings that ingest has stored."""

from typing import Literal, Self

from pydantic import model_validator

from shared.messages.base import Message


class ObservationsStored(Message):
    """New observations of one shard, in columns (position i of each column is one observation).

    `time` is in microseconds since 1970 UTC; `value` is in the datastream's stored unit, None where the instrument
    gave none; `quality` has one HJ 212 flag letter an observation. `received_at` is the wall clock of ingest when it
    stored them, in the same unit: whoever reads the message much later still knows whether they were live.
    """

    version: Literal[1] = 1
    datastream_id: list[int]
    time: list[int]
    value: list[float | None]
    quality: str
    received_at: int | None = None

    @model_validator(mode="after")
    def _columns_match(self) -> Self:
        if not len(self.datastream_id) == len(self.time) == len(self.value) == len(self.quality):
            raise ValueError("the columns differ in length")
        return self
