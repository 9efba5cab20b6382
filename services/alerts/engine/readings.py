"""The readings of facts in columns, sorted by what they are for: evaluation, history only, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.alerts.conditions import Readings
from shared.messages import ObservationsStored
from shared.quality import Quality

_NO_PROOF, _NORMAL, _OVER_RANGE = 0, 1, 2
_KINDS = np.zeros(256, np.uint8)
for _quality in Quality:
    if _quality.proves_gas:
        _KINDS[ord(_quality)] = _OVER_RANGE if _quality is Quality.OVER_RANGE else _NORMAL


@dataclass(frozen=True, slots=True)
class Limits:
    """Microseconds: how old a reading may be at its receipt to count as live, and how far its clock may lead."""

    live_horizon: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings of some facts, in the order in which they came.

    `datastream` are the distinct ids, rising, and `which` says for each row which of them it is of. `fact` numbers the
    fact of each row. `proves`: a gas alarm may rest on it (a normal value, or one beyond the instrument's range; any
    other neither raises nor clears). `live`: taken shortly before ingest received it; `ahead`: its clock leads too far.
    `heard` is for each datastream the wall time of the last receipt of a live reading, of whatever quality; 0: none.
    """

    datastream: NDArray[np.int64]
    which: NDArray[np.int64]
    fact: NDArray[np.int64]
    readings: Readings
    proves: NDArray[np.bool_]
    live: NDArray[np.bool_]
    ahead: NDArray[np.bool_]
    heard: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.which)


def rows_of(messages: Sequence[ObservationsStored], limits: Limits, now: int) -> Rows:
    """The readings of `messages`. `now` stands in for the time of receipt where a message does not tell it."""
    lengths = [len(message) for message in messages]
    # Messages are little-endian whatever this machine is.
    time = np.frombuffer(b"".join(message.time for message in messages), "<i8").astype(np.int64, copy=False)
    value = np.frombuffer(b"".join(message.value for message in messages), "<f8").astype(np.float64, copy=False)
    ids = np.frombuffer(b"".join(message.datastream_id for message in messages), "<i4").astype(np.int64)
    # A letter that is not ASCII becomes a question mark: one byte, and no proof.
    letters = "".join(message.quality for message in messages).encode("ascii", "replace")
    kind = _KINDS[np.frombuffer(letters, np.uint8)]
    receipts = [now if message.received_at is None else message.received_at for message in messages]
    received = np.repeat(np.array(receipts, np.int64), lengths)
    finite = np.isfinite(value)
    late, ahead = time < received - limits.live_horizon, time > received + limits.ahead
    live = ~(late | ahead)
    datastream, which = np.unique(ids, return_inverse=True)
    heard = np.zeros(len(datastream), np.int64)
    np.maximum.at(heard, which[live], received[live])
    return Rows(
        datastream,
        which,
        np.repeat(np.arange(len(messages)), lengths),
        Readings(time, np.where(finite, value, np.nan), kind == _OVER_RANGE),
        (kind == _OVER_RANGE) | ((kind == _NORMAL) & finite),
        live,
        ahead,
        heard,
    )
