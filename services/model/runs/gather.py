"""Gathering what a run needs: weather, readings, the source, the release's beginning. Ends in a `RunPlan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.model.chemicals import Chemical, chemical
from services.model.ingest_client import IngestClient, NoMeteorology
from services.model.runs.failure import RunFailure
from services.model.runs.leaks import leak_of
from services.model.runs.levels import ZoneLevel, named_levels, zone_levels
from services.model.runs.plan import PointPlace, ReceptorPlace, RunPlan
from services.model.runs.readings import StationReadings, station_readings
from services.model.runs.remarks import assumption, warning
from services.model.runs.request import AtPlace, AtRiskSource, AtSuspicion, RunInputs, RunRequest
from services.model.runs.result import Remark, SourceView
from services.model.runs.suspects import Traced, candidates_at_risk, release_start, traced
from services.model.runs.weather import EngineWeather, from_given, from_measured
from services.model.runs.worst_case import worst_case
from services.model.store.registry import ReceptorRow, RiskSourceRow
from shared.text import BilingualText
from shared.vocabulary import property_of_cas

# How far back readings are looked at for the beginning of a release.
LOOK_BACK = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Limits:
    """When weather is old [s]: older than `stale_s` it is flagged, older than `refuse_s` refused."""

    stale_s: float
    refuse_s: float


@dataclass(frozen=True, slots=True)
class Registry:
    """The park's risk sources of all chemicals, and its receptors."""

    sources: Sequence[RiskSourceRow]
    receptors: Sequence[ReceptorRow]


async def gather(
    park_id: str, inputs: RunInputs, registry: Registry, ingest: IngestClient, now: datetime, limits: Limits
) -> RunPlan:
    """Gather everything for one run.

    Raises RunFailure when the data do not allow a result, IngestUnavailable when ingest does not answer.
    """
    request = inputs.request
    substance = chemical(request.chemical)
    needs_readings = request.estimates_rate or isinstance(request.source, AtSuspicion)
    asks_ingest = needs_readings or request.meteorology is None
    parks_now = await ingest.latest_time(park_id) if asks_ingest and request.at is None else None
    at = request.at or _later(parks_now, _event_time(inputs)) or now
    longitude, latitude = _site(inputs, registry)
    remarks: list[Remark] = []
    weather = await _weather(park_id, inputs, registry, ingest, at, now, limits, (longitude, latitude), remarks)
    readings = await _readings(park_id, substance, ingest, at) if needs_readings else []
    source, found, inventory = _source(inputs, registry, readings, weather, substance, at, remarks)
    now_s, assumed_s, assumptions = _clock(inputs, source, readings, weather, at)
    leak = leak_of(request, substance, source, found, weather.weather, assumed_s, inventory)
    levels, missing = levels_of(request, substance, leak.end_s)
    remarks += [warning("level-missing", value=name.upper()) for name in missing]
    return RunPlan(
        chemical=substance,
        source=source,
        rate_kg_s=leak.rate_kg_s,
        rate_interval=leak.interval,
        weather=weather,
        release_start=at - timedelta(seconds=now_s),
        now_s=now_s,
        release_end_s=leak.end_s,
        end_s=leak.end_s + (0.0 if inputs.alarm else request.follow_s),
        levels=levels,
        receptors=[_place(row) for row in registry.receptors],
        points=[PointPlace(point.id, point.longitude, point.latitude) for point in request.points],
        release=leak.release,
        averaging_s=request.averaging_s,
        source_diameter_m=leak.diameter_m,
        gas_temperature_k=leak.temperature_k,
        inventory_kg=inventory,
        indoor_air_changes_per_h=request.indoor_air_changes_per_h,
        deposition_velocity_m_s=request.deposition_velocity_m_s,
        members=request.ensemble.members,
        seed=request.ensemble.seed,
        nodes=request.nodes,
        warnings=remarks,
        assumptions=[*assumptions, *leak.assumptions],
    )


def levels_of(request: RunRequest, substance: Chemical, release_s: float) -> tuple[list[ZoneLevel], list[str]]:
    """Return the request's levels for a release of this length, and the names that the substance has no value for."""
    named, missing = named_levels(substance, request.levels, release_s / 60.0)
    return zone_levels(substance, request.levels_mg_m3, named), missing


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The readings behind an alarm may be newer than the park's middle; they must not be left out."""
    known = [moment for moment in (one, other) if moment is not None]
    return max(known, default=None)


def _event_time(inputs: RunInputs) -> datetime | None:
    return inputs.alarm.event_time if inputs.alarm else None


def _site(inputs: RunInputs, registry: Registry) -> tuple[float, float]:
    """A place good enough to know where the sun stands."""
    place = inputs.request.source
    if isinstance(place, AtPlace):
        return place.longitude, place.latitude
    rows: list[RiskSourceRow | ReceptorRow] = [*registry.sources, *registry.receptors]
    if isinstance(place, AtRiskSource):
        rows = [row for row in registry.sources if row.id == place.risk_source_id] or rows
    if not rows:
        raise RunFailure(
            "no-risk-sources",
            "The park has no risk sources",
            "The park has no risk sources; load its park file first, or name a place.",
            "该园区没有登记风险源；请先导入园区文件，或在地图上指定位置。",
        )
    return rows[0].longitude, rows[0].latitude


async def _weather(
    park_id: str,
    inputs: RunInputs,
    registry: Registry,
    ingest: IngestClient,
    at: datetime,
    now: datetime,
    limits: Limits,
    site: tuple[float, float],
    remarks: list[Remark],
) -> EngineWeather:
    given = inputs.request.meteorology
    if given == "worst-case":
        given = worst_case(*site, [(row.longitude, row.latitude) for row in registry.receptors])
    if given is not None:
        return from_given(given, at, *site)
    try:
        measured = await ingest.weather(park_id, at)
    except NoMeteorology as error:
        raise RunFailure(
            "no-meteorology",
            "No weather data",
            f"The park's stations have no usable weather: {error}. Give `meteorology` in the request.",
            "园区气象站没有可用的气象数据；请在请求中给出气象条件。",
        ) from error
    behind = 0.0 if inputs.request.at is not None else max((now - at).total_seconds(), 0.0)
    age = measured.age_s + behind
    if age > limits.refuse_s:
        raise RunFailure(
            "stale-meteorology",
            "The weather data are too old",
            f"The newest weather is {age / 60.0:.0f} minutes old; more than {limits.refuse_s / 60.0:.0f} is refused. "
            "Give `meteorology` in the request.",
            f"最新气象数据已有 {age / 60.0:.0f} 分钟，超过 {limits.refuse_s / 60.0:.0f} 分钟的上限；"
            "请在请求中给出气象条件。",
        )
    if age > limits.stale_s:
        remarks.append(warning("met-stale", value=f"{age / 60.0:.0f}"))
    return from_measured(measured, *site)


async def _readings(park_id: str, substance: Chemical, ingest: IngestClient, at: datetime) -> list[StationReadings]:
    known = property_of_cas(substance.cas)
    if known is None:
        raise RunFailure(
            "not-measured",
            "No instrument measures this substance",
            f"No station measures {substance.name.en}; give `rate_kg_s` and a place.",
            f"没有监测站测量{substance.name.zh}；请给出泄漏速率和位置。",
        )
    stations = await ingest.gas_stations(park_id, known.id)
    series = await ingest.readings(park_id, [station.datastream_id for station in stations], at - LOOK_BACK, at)
    return station_readings(stations, series, known, at)


def _source(
    inputs: RunInputs,
    registry: Registry,
    readings: list[StationReadings],
    weather: EngineWeather,
    substance: Chemical,
    at: datetime,
    remarks: list[Remark],
) -> tuple[SourceView, Traced | None, float | None]:
    place = inputs.request.source
    wants_rate = inputs.request.estimates_rate
    if isinstance(place, AtSuspicion):
        found = traced(candidates_at_risk(registry.sources, substance.cas), readings, weather.weather, at)
        if not found.view.decided and found.view.candidates:
            best = found.view.candidates[0].probability
            remarks.append(warning("source-undecided", value=f"{100.0 * best:.0f}"))
        elif (found.view.elsewhere_probability or 0.0) > 0.2:
            share = 100.0 * (found.view.elsewhere_probability or 0.0)
            remarks.append(warning("source-may-be-elsewhere", value=f"{share:.0f}"))
        return found.view, found, found.inventory_kg
    if isinstance(place, AtRiskSource):
        row = next((row for row in registry.sources if row.id == place.risk_source_id), None)
        if row is None:
            raise RunFailure(
                "unknown-risk-source",
                "Unknown risk source",
                f"The park has no risk source {place.risk_source_id!r} any more.",
                f"园区中已没有风险源 {place.risk_source_id}。",
            )
        single = traced([row], readings, weather.weather, at) if wants_rate else None
        return _view_of(row), single, row.inventory_kg
    spot = RiskSourceRow(
        "place", "", "-", "-", None, substance.cas, place.longitude, place.latitude, place.height_m, None
    )
    single = traced([spot], readings, weather.weather, at) if wants_rate else None
    view = SourceView(
        kind="place",
        risk_source_id=None,
        name=None,
        longitude=place.longitude,
        latitude=place.latitude,
        height_m=place.height_m,
    )
    return view, single, None


def _view_of(row: RiskSourceRow) -> SourceView:
    return SourceView(
        kind="risk_source",
        risk_source_id=row.id,
        name=BilingualText(zh=row.name_zh, en=row.name_en),
        longitude=row.longitude,
        latitude=row.latitude,
        height_m=row.height_m,
    )


def _clock(
    inputs: RunInputs,
    source: SourceView,
    readings: list[StationReadings],
    weather: EngineWeather,
    at: datetime,
) -> tuple[float, float, list[Remark]]:
    """(now, release end) in seconds after the release began, with the assumptions behind them."""
    request = inputs.request
    if inputs.alarm is None:
        return 0.0, request.duration_s, []
    start = release_start(source, readings, weather.weather, inputs.alarm.raised_at, at)
    now_s = (at - start).total_seconds()
    remarks = [
        assumption("release-start-estimated"),
        assumption("release-goes-on", value=f"{request.follow_s / 60.0:.0f}"),
    ]
    return now_s, now_s + request.follow_s, remarks


def _place(row: ReceptorRow) -> ReceptorPlace:
    return ReceptorPlace(
        id=row.id,
        name=BilingualText(zh=row.name_zh, en=row.name_en),
        kind=row.kind,
        population=row.population,
        longitude=row.longitude,
        latitude=row.latitude,
    )
