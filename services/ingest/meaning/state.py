"""Concentrations at the temperature and pressure that the same message tells. Pure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from services.ingest.meaning.units import state_factor
from services.ingest.registry.snapshot import Stream
from shared.quality import Quality

if TYPE_CHECKING:
    from services.ingest.meaning.normalise import Observation


def to_measured_state(observations: "Sequence[Observation]", streams: Mapping[int, Stream]) -> "list[Observation]":
    """The observations of one message, those of ``at_measured_state`` taken from the standard state to the measured.

    ``streams`` has the datastreams by id. Only the message itself counts, so that it gives the same when it is sent
    again. Without a sound temperature and pressure in it all stays at the standard state, which is near: a gas must not
    go unseen because a thermometer fails.
    """
    air = {
        streams[row.datastream_id].property_id: row.value
        for row in observations
        if row.value is not None and row.quality == Quality.NORMAL.value
    }
    temperature, pressure = air.get("temperature"), air.get("pressure")
    if temperature is None or pressure is None:
        return list(observations)
    return [_at(row, streams[row.datastream_id], temperature, pressure) for row in observations]


def _at(row: "Observation", stream: Stream, temperature_c: float, pressure_kpa: float) -> "Observation":
    if not stream.at_measured_state:
        return row
    factor = state_factor(temperature_c, pressure_kpa, stream.standard_state_c)
    if factor is None:
        return row
    value, minimum, maximum = (
        None if number is None else number * factor for number in (row.value, row.minimum, row.maximum)
    )
    return row._replace(value=value, minimum=minimum, maximum=maximum)
