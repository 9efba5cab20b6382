"""From readings and registered risk sources to a suspicion: the tracing's inputs and its answer in the API's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from services.model.dispersion.growth import growth_curve
from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.projection import local_frame
from services.model.runs.failure import RunFailure
from services.model.runs.readings import StationReadings
from services.model.runs.result import CandidateView, SourceView
from services.model.store.registry import RiskSourceRow
from services.model.tracing.likelihood import Readings
from services.model.tracing.suspicion import Candidate, Observed, Suspect, trace
from shared.text import BilingualText

_STATION_HEIGHT_M = 1.5
_EARLIEST_START = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Traced:
    """The source that tracing points to, its rate [kg/s] with a 90 % interval, and its inventory."""

    view: SourceView
    rate_kg_s: float
    interval: tuple[float, float]
    inventory_kg: float | None


def candidates_at_risk(sources: Sequence[RiskSourceRow], cas: str) -> list[RiskSourceRow]:
    """Return the risk sources of a substance; RunFailure when there is none."""
    found = [row for row in sources if row.chemical == cas]
    if not found:
        raise RunFailure(
            "no-candidates",
            "No risk source of this substance",
            f"The park has no registered risk source of {cas}; name a place instead.",
            f"园区没有登记 {cas} 的风险源；请在地图上指定位置。",
        )
    return found


def traced(
    rows: Sequence[RiskSourceRow], readings: Sequence[StationReadings], weather: Meteorology, at: datetime
) -> Traced:
    """Trace among the given sources; RunFailure when the stations read nothing."""
    if not any(entry.value >= entry.detection_limit for entry in readings):
        raise RunFailure(
            "nothing-detected",
            "No station reads the gas",
            "No station reads above its detection limit, so neither source nor rate can be estimated; "
            "give `rate_kg_s` and a place.",
            "没有监测站读数超过检出限，无法推算泄漏源和速率；请给出泄漏速率和位置。",
        )
    frame = local_frame(rows[0].longitude, rows[0].latitude)
    east, north = frame.to_metres([r.longitude for r in readings], [r.latitude for r in readings])
    observed = Observed(
        east,
        north,
        np.full(east.shape, _STATION_HEIGHT_M),
        Readings(
            np.array([r.value for r in readings]),
            np.array([r.detection_limit for r in readings]),
            np.array([r.range_upper for r in readings]),
            np.array([r.over_range for r in readings]),
        ),
    )
    source_east, source_north = frame.to_metres([r.longitude for r in rows], [r.latitude for r in rows])
    candidates = [
        Candidate(row.id, float(e), float(n), row.height_m)
        for row, e, n in zip(rows, source_east, source_north, strict=True)
    ]
    first = min((r.first_clear for r in readings if r.first_clear is not None), default=at)
    suspicion = trace(observed, weather, candidates, (at - first).total_seconds())
    by_id = {row.id: row for row in rows}
    best = suspicion.suspects[0]
    row = by_id[best.id]
    view = SourceView(
        kind="suspicion",
        risk_source_id=row.id,
        name=BilingualText(zh=row.name_zh, en=row.name_en),
        longitude=row.longitude,
        latitude=row.latitude,
        height_m=row.height_m,
        candidates=[_candidate(suspect, by_id[suspect.id]) for suspect in suspicion.suspects],
        elsewhere_probability=round(suspicion.elsewhere, 4),
        decided=suspicion.decided,
    )
    interval = (_round(best.rate_low_kg_s), _round(best.rate_high_kg_s))
    return Traced(view, best.rate_kg_s, interval, row.inventory_kg)


def release_start(
    source: SourceView,
    readings: Sequence[StationReadings],
    weather: Meteorology,
    raised_at: datetime,
    at: datetime,
) -> datetime:
    """Estimate when the release began: the first clear reading less the gas's way to that station.

    Without one, the alarm itself counts as the first reading. Never later than a minute before `at`, since gas has
    been smelled; never more than two hours back.
    """
    smelled = [entry for entry in readings if entry.first_clear is not None]
    first = min(smelled, key=lambda entry: entry.first_clear or at, default=None)
    # An alarm that was never acknowledged may stand since an earlier release; the readings know better.
    moment = raised_at if first is None or first.first_clear is None else first.first_clear
    travel_s = 0.0
    if first is not None:
        frame = local_frame(source.longitude, source.latitude)
        east, north = frame.to_metres([first.longitude], [first.latitude])
        distance = float(np.hypot(east, north)[0])
        travel_s = float(growth_curve(weather, source.height_m).travel_time(distance))
    start = moment - timedelta(seconds=travel_s)
    return max(min(start, at - timedelta(minutes=1)), at - _EARLIEST_START)


def _candidate(suspect: Suspect, row: RiskSourceRow) -> CandidateView:
    return CandidateView(
        risk_source_id=row.id,
        name=BilingualText(zh=row.name_zh, en=row.name_en),
        longitude=row.longitude,
        latitude=row.latitude,
        probability=round(suspect.probability, 4),
        rate_kg_s=_round(suspect.rate_kg_s),
        rate_low_kg_s=_round(suspect.rate_low_kg_s),
        rate_high_kg_s=_round(suspect.rate_high_kg_s),
    )


def _round(value: float) -> float:
    return float(f"{value:.3g}")
