"""The readings of facts, sorted by what they are for: evaluation, history only, or nothing."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

from services.alerts.conditions import Sample
from shared.messages import ObservationsStored
from shared.quality import Quality

_QUALITIES = {quality.value: quality for quality in Quality}


@dataclass(frozen=True, slots=True)
class Limits:
    """Microseconds: how old a reading may be at its receipt to count as live, and how far its clock may lead."""

    live_horizon: int
    ahead: int


@dataclass(slots=True)
class Readings:
    """By datastream. `heard` has every datastream that gave live data, of whatever quality, with the wall time."""

    live: defaultdict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    backfilled: defaultdict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    ahead: defaultdict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    heard: dict[int, int] = field(default_factory=dict)
    without_proof: int = 0


def sort_readings(
    messages: list[ObservationsStored], is_feed: Callable[[int], bool], limits: Limits, now: int
) -> Readings:
    """Sort the readings of `messages`. `now` stands in for the time of receipt where a message does not tell it."""
    readings = Readings()
    for message in messages:
        received = message.received_at if message.received_at is not None else now
        for datastream_id, time, value, letter in message.rows():
            lag = received - time
            live = -limits.ahead <= lag <= limits.live_horizon
            if live:
                readings.heard[datastream_id] = max(received, readings.heard.get(datastream_id, received))
            if not is_feed(datastream_id):
                continue
            sample = _sample(time, value, _QUALITIES.get(letter))
            if sample is None:
                readings.without_proof += 1
            elif live:
                readings.live[datastream_id].append(sample)
            elif lag > 0:
                readings.backfilled[datastream_id].append(sample)
            else:
                readings.ahead[datastream_id].append(sample)
    return readings


def _sample(time: int, value: float | None, quality: Quality | None) -> Sample | None:
    """A reading that a gas alarm may rest on; None for any other (it neither raises nor clears)."""
    number = value if value is not None and isfinite(value) else None
    if quality is None or not quality.proves_gas or (number is None and quality is not Quality.OVER_RANGE):
        return None
    return Sample(time, number, quality is Quality.OVER_RANGE)
