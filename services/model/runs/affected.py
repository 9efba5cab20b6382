"""What reaches receptors and points: concentration over time, peak, dose, load, death, the air indoors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely

from services.model.dispersion.exposure import Exposure
from services.model.dispersion.projection import LocalFrame
from services.model.exposure.dose import FloatArray, dose, time_above_s, toxic_load
from services.model.exposure.indoor import indoor_concentration
from services.model.exposure.people import count_inside
from services.model.exposure.probit import death_probability
from services.model.runs.answers import Answer
from services.model.runs.bands import Bands
from services.model.runs.geojson import Zone
from services.model.runs.plan import PointPlace, ReceptorPlace, RunPlan
from services.model.runs.result import HarmView, PointView, ReceptorView, SeriesView

_MG_PER_KG = 1e6

# The tail of a Gaussian is no concentration.
_LEAST_SHOWN_MG_M3 = 1e-6

# A curve of so many points at so many places keeps the result small enough to send to a page.
_CURVE_POINTS = 61
_MOST_CURVES = 40


def receptor_views(
    plan: RunPlan, answer: Answer, drawn: Sequence[Zone], bands: Bands | None, frame: LocalFrame
) -> list[ReceptorView]:
    """What reaches the park's receptors, worst first; only the worst carry their curve."""
    views = [
        ReceptorView(**point.model_dump(), name=place.name, kind=place.kind, population=place.population)
        for point, place in zip(_views(plan, plan.receptors, answer, drawn, bands, frame), plan.receptors, strict=True)
    ]
    views.sort(key=lambda view: (-view.peak_mg_m3, view.id))
    return [view if rank < _MOST_CURVES else _without_curve(view) for rank, view in enumerate(views)]


def point_views(
    plan: RunPlan, answer: Answer, drawn: Sequence[Zone], bands: Bands | None, frame: LocalFrame
) -> list[PointView]:
    """What reaches the points that the caller asked about, in their order."""
    return _views(plan, plan.points, answer, drawn, bands, frame)


def counts_of(drawn: Sequence[Zone], receptors: Sequence[ReceptorView]) -> dict[str, tuple[int, int]]:
    """(receptors, people) in each zone, by the zones' names."""
    found = count_inside([zone.name for zone in drawn], [(view.population, view.inside) for view in receptors])
    return {name: (counted.receptors, counted.people) for name, counted in found.items()}


def _views(
    plan: RunPlan,
    places: Sequence[ReceptorPlace | PointPlace],
    answer: Answer,
    drawn: Sequence[Zone],
    bands: Bands | None,
    frame: LocalFrame,
) -> list[PointView]:
    if not places:
        return []
    east, north = frame.to_metres([place.longitude for place in places], [place.latitude for place in places])
    exposure = answer.exposure(east, north)
    outdoor = Exposure(exposure.times_s, _without_tails(exposure.concentration * _MG_PER_KG))
    indoor = indoor_concentration(outdoor.times_s, outdoor.concentration, plan.indoor_air_changes_per_h)
    inside = {zone.name: shapely.contains_xy(zone.shape, east, north) for zone in drawn}
    likely = {} if bands is None else bands.at(east, north)
    arrivals = outdoor.arrival_s(plan.chemical.endpoint2_mg_m3)
    above = time_above_s(outdoor.times_s, outdoor.concentration, plan.chemical.endpoint2_mg_m3)
    harm_outdoors = _harms(plan, outdoor.times_s, outdoor.concentration)
    harm_indoors = _harms(plan, outdoor.times_s, indoor)
    return [
        PointView(
            id=place.id,
            longitude=place.longitude,
            latitude=place.latitude,
            peak_mg_m3=harm_outdoors[row].peak_mg_m3,
            arrival_s=None if (arrival := arrivals[row]) is None else round(arrival, 1),
            inside=[name for name, holds in inside.items() if holds[row]],
            above_endpoint2_s=round(float(above[row]), 1),
            outdoor=harm_outdoors[row],
            indoor=harm_indoors[row],
            chances={key: round(float(shares[row]), 3) for key, shares in likely.items()},
            series=_curve(outdoor.times_s, outdoor.concentration[row], indoor[row]),
        )
        for row, place in enumerate(places)
    ]


def _without_tails(concentration: FloatArray) -> FloatArray:
    return np.where(concentration > _LEAST_SHOWN_MG_M3, concentration, 0.0)


def _harms(plan: RunPlan, times_s: FloatArray, concentration: FloatArray) -> list[HarmView]:
    probit = plan.chemical.probit
    peaks = concentration.max(axis=1)
    doses = dose(times_s, concentration)
    if probit is None:
        return [_harm(float(peak), float(taken), None, None) for peak, taken in zip(peaks, doses, strict=True)]
    loads = toxic_load(times_s, concentration, probit.n)
    deaths = death_probability(loads, probit.a, probit.b)
    rows = zip(peaks, doses, loads, deaths, strict=True)
    return [_harm(float(peak), float(taken), float(load), float(death)) for peak, taken, load, death in rows]


def _harm(peak: float, taken: float, load: float | None, death: float | None) -> HarmView:
    return HarmView(
        peak_mg_m3=shown(peak),
        dose_mg_min_m3=shown(taken),
        toxic_load=None if load is None else shown(load),
        death_probability=None if death is None else round(death, 6),
    )


def _curve(times_s: FloatArray, outdoor: FloatArray, indoor: FloatArray) -> SeriesView | None:
    """The curves on fewer points: each stands for the worst of its neighbourhood, so that no peak is lost."""
    if not outdoor.any():
        return None
    steps = np.linspace(0, times_s.size, min(_CURVE_POINTS, times_s.size) + 1).astype(int)
    spans = list(pairwise(steps.tolist()))
    worst = [int(begin + np.argmax(outdoor[begin:end])) for begin, end in spans]
    return SeriesView(
        time_s=[round(float(times_s[index]), 1) for index in worst],
        outdoor_mg_m3=[shown(float(outdoor[index])) for index in worst],
        indoor_mg_m3=[shown(float(indoor[index])) for index in worst],
    )


def _without_curve(view: ReceptorView) -> ReceptorView:
    return view.model_copy(update={"series": None})


def shown(value: float) -> float:
    """Four digits: no model knows more."""
    return float(f"{value:.4g}")
