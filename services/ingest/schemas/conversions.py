"""Bodies about how values came to their stored unit."""

from pydantic import BaseModel

from shared.time import UtcDatetime


class Conversion(BaseModel):
    """How what a device sent became what was stored, for readings that were stored from ``since`` on.

    The stored value [``stored_unit``] is the value as sent [``unit``] times ``factor``. With ``at_measured_state`` the
    factor holds for ``standard_state_c`` degC and 101.325 kPa. Where a message tells temperature T [K] and pressure
    p [kPa], it is greater by ``(273.15 + standard_state_c) / T * p / 101.325``.
    Rows over HTTP that name a unit are converted from that one, by the same standard state.
    """

    datastream_id: int
    since: UtcDatetime
    unit: str
    stored_unit: str
    standard_state_c: float
    at_measured_state: bool
    factor: float


class ConversionPage(BaseModel):
    """Conversions of some datastreams, the oldest first."""

    items: list[Conversion]
    next: str | None = None
