"""What a run gives: the documents that the API shows and the store keeps."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.model.runs.request import RunInputs
from shared.messages import RunState
from shared.text import BilingualText
from shared.time import UtcDatetime

Trigger = Literal["manual", "alarm", "atlas"]


class Remark(BaseModel):
    """A warning or an assumption, in words for people and with a code for programs."""

    code: str
    zh: str
    en: str


class CandidateView(BaseModel):
    """A risk source under suspicion."""

    risk_source_id: str
    name: BilingualText
    longitude: float
    latitude: float
    probability: float
    rate_kg_s: float
    rate_low_kg_s: float
    rate_high_kg_s: float


class SourceView(BaseModel):
    """The place that the run used, how it was found, and the candidates if it was traced."""

    kind: Literal["risk_source", "place", "suspicion"]
    risk_source_id: str | None
    name: BilingualText | None
    longitude: float
    latitude: float
    height_m: float
    candidates: list[CandidateView] = []
    elsewhere_probability: float | None = None
    decided: bool | None = None


class RichardsonView(BaseModel):
    """The dense-gas decision of HJ 169-2018 Appendix G. `value` is null for gas that is not denser than air."""

    mode: Literal["continuous", "instantaneous"]
    value: float | None
    cut_off: float
    dense: bool
    gas_density_kg_m3: float
    air_density_kg_m3: float
    source_diameter_m: float


class MeteorologyView(BaseModel):
    """The weather that was used."""

    origin: Literal["stations", "request"]
    at: UtcDatetime
    age_s: float | None
    wind_speed_m_s: float
    wind_from_deg: float
    sigma_theta_deg: float | None
    stability: float
    stability_class: str
    stability_method: Literal["given", "sigma-theta", "sun-cloud-wind"]
    roughness_m: float
    mixing_height_m: float
    inverse_obukhov_per_m: float
    temperature_c: float
    pressure_kpa: float


class FrameView(BaseModel):
    """The zones at one moment, seconds after the release began."""

    time_s: float
    zones: dict[str, Any] = Field(description="GeoJSON FeatureCollection")


class SeriesView(BaseModel):
    """Concentrations [mg/m3] over time [s after the release began]; indoors for the run's air-change rate."""

    time_s: list[float]
    outdoor_mg_m3: list[float]
    indoor_mg_m3: list[float]


class HarmView(BaseModel):
    """What the gas does to someone who stays, outdoors or indoors.

    `toxic_load` is the integral of C^n dt [(mg/m3)^n min], `death_probability` HJ 169-2018 Appendix I; both are null
    where the standard gives no constants for the substance.
    """

    peak_mg_m3: float
    dose_mg_min_m3: float
    toxic_load: float | None
    death_probability: float | None


class PointView(BaseModel):
    """What reaches a point; `arrival_s` is when endpoint-2 is first reached, after the release began.

    `inside` names the zones that hold it, `chances` the share of the ensemble's members in which each level is
    reached here. `series` is null where no gas comes, and for the least touched of many receptors.
    """

    id: str
    longitude: float
    latitude: float
    peak_mg_m3: float
    arrival_s: float | None
    inside: list[str]
    above_endpoint2_s: float = 0.0
    outdoor: HarmView | None = None
    indoor: HarmView | None = None
    chances: dict[str, float] = {}
    series: SeriesView | None = None


class ReceptorView(PointView):
    """What reaches a sensitive target of the park."""

    name: BilingualText
    kind: str
    population: int


class ProbitView(BaseModel):
    """Constants of Y = a + b ln(C^n t), mg/m3 and minutes, with where they stand."""

    a: float
    b: float
    n: float
    source: str


class ChemicalView(BaseModel):
    """The substance, and what its probability of death rests on."""

    cas: str
    name: BilingualText
    endpoint1_mg_m3: float
    endpoint2_mg_m3: float
    probit: ProbitView | None


class EngineView(BaseModel):
    """One engine's answer to the same question, or why it gave none.

    `zones` is null for the engine whose zones are the run's own, and for one that failed.
    """

    engine: str
    version: str
    primary: bool
    validity: BilingualText | None = None
    failure: BilingualText | None = None
    passing: bool = Field(default=False, description="the engine failed by a time-out or a crash: it may answer again")
    zones: dict[str, Any] | None = Field(default=None, description="GeoJSON FeatureCollection")
    distances_m: dict[str, float] = Field(default={}, description="how far each level's zone reaches")


class EnsembleView(BaseModel):
    """What is known only with a spread, and the zones that follow: exceeded in 10, 50 and 90 % of the members."""

    engine: str
    members: int
    seed: int
    direction_spread_deg: float
    speed_spread_share: float
    stability_spread_classes: float
    rate_low_kg_s: float | None
    rate_high_kg_s: float | None
    bands: dict[str, Any] = Field(
        description="GeoJSON FeatureCollection; `probability` is the share of members in which the level is exceeded"
    )


class Times(BaseModel):
    """The run's clock: zero is the beginning of the release."""

    release_start: UtcDatetime
    now_s: float
    release_end_s: float
    end_s: float
    compute_ms: float


class RunResult(BaseModel):
    """Everything that a run found, with what it assumed."""

    engine: str
    version: str
    reason: BilingualText
    richardson: RichardsonView | None
    warnings: list[Remark]
    assumptions: list[Remark]
    validity: BilingualText
    meteorology: MeteorologyView
    rate_kg_s: float
    rate_low_kg_s: float | None
    rate_high_kg_s: float | None
    zones: dict[str, Any] = Field(description="GeoJSON FeatureCollection: the maximum over time")
    frames: list[FrameView]
    receptors: list[ReceptorView]
    centreline: dict[str, Any] = Field(description="GeoJSON LineString: the way of the gas from the source")
    times: Times
    # What came later than the first runs in the store.
    chemical: ChemicalView | None = None
    source: SourceView | None = None
    mass_kg: float | None = None
    indoor_air_changes_per_h: float | None = None
    points: list[PointView] = []
    arrivals: dict[str, Any] | None = Field(
        default=None, description="GeoJSON FeatureCollection: where endpoint-2 is reached until `time_s`"
    )
    engines: list[EngineView] = []
    ensemble: EnsembleView | None = None

    @property
    def holds_again(self) -> bool:
        """Whether the same inputs give the same result: no engine is missing from it by chance."""
        return not any(entry.passing for entry in self.engines)


class ProgressView(BaseModel):
    """How far a run is: the fraction done (0 to 1) and what is being done."""

    fraction: float
    step: str


class CachedFrom(BaseModel):
    """The run that was computed with the same inputs, model and data, and whose result this is."""

    run_id: UUID
    computed_at: UtcDatetime


class Run(BaseModel):
    """A run as the API shows it. In lists `result` is left out (null)."""

    id: UUID
    park_id: str
    state: RunState
    trigger: Trigger
    requested_by: str
    created_at: UtcDatetime
    finished_at: UtcDatetime | None
    progress: ProgressView | None = Field(default=None, description="while the run is computed")
    cached: CachedFrom | None = Field(default=None, description="set when the result was there already")
    repeats: UUID | None = Field(default=None, description="the run that this one repeats with changes")
    chemical: str
    chemical_name: BilingualText | None
    source: SourceView | None
    inputs: RunInputs
    result: RunResult | None
    error: dict[str, Any] | None
