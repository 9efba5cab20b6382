"""From what a request tells of the release to the release that is computed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from services.model.chemicals import Chemical
from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.release import Release, series_release, sudden_release
from services.model.runs.failure import RunFailure
from services.model.runs.request import ContinuousRelease, InstantaneousRelease, RunRequest, SeriesRelease, Vessel
from services.model.runs.result import Remark, SourceView
from services.model.runs.suspects import Traced
from services.model.source_terms import Hole, MissingProperty, OutOfRange, Surroundings, fluid_of, release_from_vessel
from services.model.source_terms import Leak as VesselLeak

_LEAST_DIAMETER_M = 0.01
_LARGEST_DIAMETER_M = 500.0


@dataclass(frozen=True, slots=True)
class Leak:
    """A release, its mean rate [kg/s], the 90 % interval of an estimated one, and what was assumed on the way.

    `release` is None for a constant rate until `end_s`.
    """

    rate_kg_s: float
    end_s: float
    diameter_m: float
    release: Release | None = None
    interval: tuple[float, float] | None = None
    temperature_k: float | None = None
    assumptions: list[Remark] = field(default_factory=list)


def leak_of(
    request: RunRequest,
    substance: Chemical,
    source: SourceView,
    found: Traced | None,
    weather: Meteorology,
    duration_s: float,
    inventory_kg: float | None,
) -> Leak:
    """Return the release of a request.

    Parameters
    ----------
    found : what tracing says; needed where the request leaves the rate open.
    duration_s : how long a release lasts that does not tell it itself.
    inventory_kg : what the risk source holds.

    Raises RunFailure where substance or source do not tell what the request's release needs.
    """
    diameter = request.diameter_m
    told = request.release
    if isinstance(told, InstantaneousRelease):
        release = sudden_release(told.mass_kg, source.height_m, diameter)
        return _changing(request, release, diameter, told.temperature_k)
    if isinstance(told, SeriesRelease):
        release = series_release(told.series, source.height_m, diameter)
        return _changing(request, release, diameter, told.temperature_k)
    if isinstance(told, ContinuousRelease):
        return Leak(told.rate_kg_s, duration_s, diameter, temperature_k=told.temperature_k)
    if request.vessel is not None:
        return _from_vessel(request, request.vessel, substance, source, weather, inventory_kg)
    if request.rate_kg_s is not None:
        return Leak(request.rate_kg_s, duration_s, diameter)
    assert found is not None, "a run without a rate is always traced"
    return Leak(found.rate_kg_s, duration_s, diameter, interval=found.interval)


def _changing(request: RunRequest, release: Release, diameter_m: float, temperature_k: float | None) -> Leak:
    moved = replace(
        release,
        edges_s=tuple(edge - release.start_s for edge in release.edges_s),
        deposition_velocity_m_s=request.deposition_velocity_m_s,
    )
    return Leak(moved.total_kg / moved.end_s, moved.end_s, diameter_m, moved, temperature_k=temperature_k)


def _from_vessel(
    request: RunRequest,
    vessel: Vessel,
    substance: Chemical,
    source: SourceView,
    weather: Meteorology,
    inventory_kg: float | None,
) -> Leak:
    mass = vessel.mass_kg or inventory_kg
    if mass is None:
        raise RunFailure(
            "vessel-mass-unknown",
            "The mass in the vessel is not known",
            "Neither `vessel.mass_kg` nor the risk source's inventory is known; give one of them.",
            "储罐内的物料质量未知：请给出 vessel.mass_kg，或登记该风险源的存量。",
        )
    around = Surroundings(
        weather.temperature_c + 273.15, weather.pressure_kpa * 1000.0, weather.wind_speed_m_s, weather.stability
    )
    leak = VesselLeak(
        phase=vessel.phase,
        hole=Hole(vessel.hole_diameter_m, vessel.hole_shape),
        pressure_pa=vessel.pressure_kpa * 1000.0,
        temperature_k=vessel.temperature_k,
        mass_kg=mass,
        liquid_height_m=vessel.liquid_height_m,
        isolation_s=vessel.isolation_s or request.duration_s,
        bund_area_m2=vessel.bund_area_m2,
        surface=vessel.surface,
    )
    try:
        term = release_from_vessel(fluid_of(substance), leak, around)
    except (MissingProperty, OutOfRange) as error:
        raise RunFailure(
            "vessel-refused",
            "The source term cannot be computed",
            f"HJ 169-2018 Appendix F cannot be applied: {error}.",
            f"无法按 HJ 169-2018 附录 F 计算源强：{error}。",
        ) from error
    diameter = min(max(term.diameter_m, _LEAST_DIAMETER_M), _LARGEST_DIAMETER_M)
    release = Release(term.edges_s, term.rates_kg_s, source.height_m, diameter)
    made = _changing(request, release, diameter, term.temperature_k)
    said = [Remark(code=f"vessel-{entry.code}", zh=entry.text.zh, en=entry.text.en) for entry in term.assumptions]
    return replace(made, assumptions=said)
