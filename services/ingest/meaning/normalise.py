"""From what a device says to observations: UTC, the stored unit, one quality flag each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from services.ingest.meaning.sent import AS_STORED, Sent
from services.ingest.meaning.state import to_measured_state
from services.ingest.registry.snapshot import Device, Stream
from shared.hj212.codes import Cn
from shared.hj212.commands import data_time
from shared.hj212.readings import Reading, readings
from shared.hj212.segment import Segment
from shared.quality import Quality
from shared.time import to_microseconds

CADENCE_OF: dict[str, str] = {
    Cn.REALTIME: "realtime",
    Cn.MINUTE: "minute",
    Cn.HOUR: "hour",
    Cn.DAY: "day",
    Cn.RAW_PERIOD: "realtime",
    Cn.NOISE_EVENT: "realtime",
    Cn.FURNACE_TEMPERATURE: "minute",
}
"""The cadence of what a command uploads: each result of an analyser and each event is an instant of its own."""
_FLAGS = {quality.value: quality for quality in Quality}
_OURS = frozenset(quality.value for quality in Quality if not quality.of_device)
_WITH_VALUE = frozenset({Quality.NORMAL, Quality.STUCK, Quality.CLOCK_SKEWED})


class Observation(NamedTuple):
    """One observation to be stored. ``time`` is in microseconds since 1970 UTC, values in the stored unit.

    ``sent`` tells what was sent where that is in another unit.
    """

    datastream_id: int
    time: int
    value: float | None
    quality: str
    minimum: float | None
    maximum: float | None
    shard: int
    sent: Sent | None = None


@dataclass(frozen=True, slots=True)
class Normalised:
    """The observations of one message; how many readings had no datastream; why the others were refused."""

    observations: tuple[Observation, ...] = ()
    unmapped: int = 0
    refused: int = 0
    reason: str | None = None


NOTHING = Normalised()


def quality_of(flag: str | None, value: float | None) -> Quality:
    """The quality of a reading: no flag means normal; an unknown flag a fault; a value that should be there is missing.

    So a reading that cannot be trusted never looks like a low concentration.
    """
    quality = Quality.NORMAL if flag is None else _FLAGS.get(flag.strip().upper(), Quality.FAULT)
    return Quality.MISSING if value is None and quality in _WITH_VALUE else quality


@lru_cache(1024)
def _letter_of_device(flag: str | None, has_value: bool) -> str:
    """The same for what a device sends: letters of our own are no flags of HJ 212."""
    known = Quality.FAULT if flag is not None and flag.strip().upper() in _OURS else flag
    return quality_of(known, 0.0 if has_value else None).value


MAX_LATE = timedelta(days=1800)
"""Older readings would lie beyond what roll-ups are refreshed for, and soon be deleted."""


def too_late(time: datetime, now: datetime, ahead: timedelta) -> bool:
    """Whether ``time`` lies further in the future than clocks differ."""
    return time > now + ahead


def normalise(
    segment: Segment, device: Device, now: datetime, ahead: timedelta, late: timedelta = MAX_LATE
) -> Normalised:
    """The observations of a data message; ``now`` is the wall clock, ``ahead`` how far a device's clock may lead it.

    A message whose time cannot be read, lies too far ahead or longer ago than ``late`` gives none: all its readings are
    refused.
    """
    found = readings(segment)
    cadence = CADENCE_OF.get(segment.cn or "")
    if cadence is None or not found:
        return NOTHING
    local = data_time(segment)
    if local is None:
        return Normalised(refused=len(found), reason="time_unreadable")
    moment = local.replace(tzinfo=device.zone)
    if too_late(moment, now, ahead):
        return Normalised(refused=len(found), reason="time_in_future")
    if moment < now - late:
        return Normalised(refused=len(found), reason="time_too_old")
    at = to_microseconds(moment)
    streams = device.streams
    mapped = [
        _observation(stream, reading, at)
        for reading in found
        if (stream := streams.get((reading.factor, cadence))) is not None
    ]
    if device.by_id:
        mapped = to_measured_state(mapped, device.by_id)
    return Normalised(tuple(mapped), unmapped=len(found) - len(mapped))


def _observation(stream: Stream, reading: Reading, at: int) -> Observation:
    _, _, value, flag, minimum, maximum = reading
    scale = stream.scale
    return Observation(
        stream.id,
        at,
        None if value is None else value * scale,
        _letter_of_device(flag and flag[:2], value is not None),  # no flag is longer than one letter
        None if minimum is None else minimum * scale,
        None if maximum is None else maximum * scale,
        stream.shard,
        None if stream.unit == AS_STORED else Sent(stream.unit, value, minimum, maximum),
    )
