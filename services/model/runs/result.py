"""What a run gives: the documents that the API shows and the store keeps."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.model.runs.request import RunInputs
from shared.messages import RunState
from shared.text import BilingualText
from shared.time import UtcDatetime


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


class ReceptorView(BaseModel):
    """What reaches a sensitive target; `arrival_s` is when endpoint-2 is first reached, after the release began."""

    id: str
    name: BilingualText
    kind: str
    population: int
    longitude: float
    latitude: float
    peak_mg_m3: float
    arrival_s: float | None
    inside: list[str]


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


class Run(BaseModel):
    """A run as the API shows it. In lists `result` is left out (null)."""

    id: UUID
    park_id: str
    state: RunState
    trigger: Literal["manual", "alarm"]
    requested_by: str
    created_at: UtcDatetime
    finished_at: UtcDatetime | None
    chemical: str
    chemical_name: BilingualText | None
    source: SourceView | None
    inputs: RunInputs
    result: RunResult | None
    error: dict[str, Any] | None
