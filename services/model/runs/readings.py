"""Readings of a gas, made ready for tracing: one value a station over the last minutes, and when it first smelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.model.chemicals.conversion import mg_m3_per_ppm
from services.model.ingest_client import GasStation, Series
from shared.quality import Quality
from shared.vocabulary import ObservedProperty

# The mean over these minutes is traced: long enough to calm sensor noise, short enough to be about now.
RECENT = timedelta(minutes=3)
# Clean air for so long parts one release from the next.
_CLEAN_BETWEEN_RELEASES = timedelta(minutes=5)
_DEFAULT_DETECTION_LIMIT_MG_M3 = 0.1

# A single reading just over the limit may be noise; the beginning of a release is looked for above this multiple.
_CLEARLY_ABOVE = 3.0

_FAR_ABOVE = 100.0


@dataclass(frozen=True, slots=True)
class StationReadings:
    """What one station said, mg/m3.

    `over_range`: one of the readings behind `value` was beyond the instrument's range, so `value` is a lower bound.
    `first_clear` is the first reading of this release that was clearly above the detection limit.
    """

    station_id: str
    longitude: float
    latitude: float
    value: float
    detection_limit: float
    range_upper: float
    over_range: bool
    first_clear: datetime | None


def station_readings(
    stations: Sequence[GasStation], series: Sequence[Series], measured: ObservedProperty, at: datetime
) -> list[StationReadings]:
    """Join stations with their series. A station without a valid reading in the last minutes is left out:
    silence is not zero."""
    by_stream = {entry.datastream_id: entry for entry in series}
    found = []
    for station in stations:
        entry = by_stream.get(station.datastream_id)
        if entry is None:
            continue
        scale = _to_mg_m3(station.unit, measured.molar_mass_g_mol)
        if scale is None:
            continue
        one = _of_station(station, entry, scale, at)
        if one is not None:
            found.append(one)
    return found


def _of_station(station: GasStation, series: Series, scale: float, at: datetime) -> StationReadings | None:
    limit = scale * (station.detection_limit or 0.0) or _DEFAULT_DETECTION_LIMIT_MG_M3
    upper = float("inf") if station.range_upper is None else scale * station.range_upper
    valid: list[tuple[datetime, float]] = []
    beyond: set[datetime] = set()
    for time, value, flag in zip(series.time, series.value, series.quality, strict=True):
        if flag == Quality.OVER_RANGE:
            beyond.add(time)
            valid.append((time, max(_over_range(limit, upper), scale * (value or 0.0))))
        elif flag == Quality.NORMAL and value is not None:
            valid.append((time, scale * value))
    recent = [(time, value) for time, value in valid if at - RECENT <= time <= at]
    if not recent:
        return None
    first = _began([time for time, value in valid if time <= at and value > _CLEARLY_ABOVE * limit])
    # Gas that has just come: the clean minutes before it are not part of what the plume gives here.
    smelled = [(time, value) for time, value in recent if first is not None and time >= first] or recent
    return StationReadings(
        station_id=station.station_id,
        longitude=station.longitude,
        latitude=station.latitude,
        value=max(sum(value for _, value in smelled) / len(smelled), 0.0),
        detection_limit=limit,
        range_upper=upper,
        over_range=any(time in beyond for time, _ in smelled),
        first_clear=first,
    )


def _began(clear: Sequence[datetime]) -> datetime | None:
    """The first of the clear readings, in order of time, that belong to the same release as the last."""
    first = None
    for time in reversed(clear):
        if first is not None and first - time > _CLEAN_BETWEEN_RELEASES:
            break
        first = time
    return first


def _over_range(limit: float, upper: float) -> float:
    """What an over-range flag means at least: the end of the range, or far above the limit where that is unknown."""
    return upper if upper != float("inf") else _FAR_ABOVE * limit


def _to_mg_m3(unit: str, molar_mass_g_mol: float | None) -> float | None:
    mass_units = {"mg/m3": 1.0, "ug/m3": 1e-3, "ng/m3": 1e-6}
    if unit in mass_units:
        return mass_units[unit]
    if molar_mass_g_mol is not None and unit in ("ppm", "ppb"):
        return mg_m3_per_ppm(molar_mass_g_mol) * (1.0 if unit == "ppm" else 1e-3)
    return None
