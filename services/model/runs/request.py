"""What a caller asks for: the body of `POST /parks/{park_id}/runs`, with the limits of what is computed."""

from __future__ import annotations

from itertools import pairwise
from math import pi, sqrt
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.park_file import Cas
from shared.time import UtcDatetime

LONGEST_RELEASE_S = 6 * 3600.0
LONGEST_FOLLOW_S = 6 * 3600.0
FINEST_GRID = 800
MOST_MEMBERS = 1000
MOST_POINTS = 50
FARTHEST_POINT_DEG = 0.5

Level = Annotated[float, Field(gt=1e-6, le=1e7)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Extent(_Part):
    """How wide the source is: a diameter or an area; neither: `source_diameter_m` of the request."""

    diameter_m: float | None = Field(default=None, ge=0.01, le=200)
    area_m2: float | None = Field(default=None, ge=1e-4, le=30_000, description="of a pool, taken as round")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.diameter_m is not None and self.area_m2 is not None:
            raise ValueError("give diameter_m or area_m2, not both")
        return self


class AtRiskSource(_Extent):
    """One of the park's registered risk sources."""

    risk_source_id: str = Field(min_length=1, max_length=130)


class AtPlace(_Extent):
    """A place picked on the map."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-89, le=89)
    height_m: float = Field(default=1.5, ge=0, le=300)


class SuspicionHint(_Part):
    """Trace the gas back from what the stations read; the named stations gave the alarm."""

    alarm_station_ids: list[str] = Field(default=[], max_length=500)


class AtSuspicion(_Part):
    """The most probable risk source by tracing."""

    suspicion: SuspicionHint


class GivenMeteorology(_Part):
    """Weather of the caller's own. `stability` is 1 (A) to 6 (F) or a letter; None derives it."""

    wind_speed_m_s: float = Field(ge=0, le=60)
    wind_from_deg: float = Field(ge=0, le=360)
    stability: Annotated[float, Field(ge=1, le=6)] | Literal["A", "B", "C", "D", "E", "F"] | None = None
    sigma_theta_deg: float | None = Field(default=None, ge=0, le=104)
    cloud_fraction: float | None = Field(default=None, ge=0, le=1)
    temperature_c: float = Field(default=20.0, ge=-60, le=60)
    pressure_kpa: float = Field(default=101.325, ge=50, le=110)
    roughness_m: float | None = Field(default=None, ge=1e-4, le=3)
    mixing_height_m: float | None = Field(default=None, ge=50, le=10_000)


class Ensemble(_Part):
    """How many members stand for what is not known exactly (wind, stability, rate); 0 turns the ensemble off."""

    members: int = Field(default=60, ge=0, le=MOST_MEMBERS)
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="the same seed gives the same members")


Phase = Literal["gas", "liquid", "two-phase"]
Temperature = Annotated[float, Field(ge=20, le=3000)]


class _Release(_Part):
    temperature_k: Temperature | None = Field(default=None, description="of what comes out; null: from the substance")
    phase: Phase | None = Field(default=None, description="null: a gas")


class ContinuousRelease(_Release):
    """A constant rate over `duration_s` of the request."""

    kind: Literal["continuous"]
    rate_kg_s: float = Field(gt=0, le=10_000)


class InstantaneousRelease(_Release):
    """Everything at once."""

    kind: Literal["instantaneous"]
    mass_kg: float = Field(gt=0, le=10_000_000)


_SeriesTime = Annotated[float, Field(ge=0, le=LONGEST_RELEASE_S)]
_SeriesRate = Annotated[float, Field(ge=0, le=10_000)]


class SeriesRelease(_Release):
    """A rate that changes: [time s, rate kg/s] pairs, rising in time, the rate between two of them a straight line."""

    kind: Literal["series"]
    series: list[tuple[_SeriesTime, _SeriesRate]] = Field(min_length=2, max_length=500)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        times = [time for time, _ in self.series]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("series: the times have to rise")
        if not any(rate > 0.0 for _, rate in self.series):
            raise ValueError("series: no rate is above zero")
        return self


Release = Annotated[ContinuousRelease | InstantaneousRelease | SeriesRelease, Field(discriminator="kind")]


class Vessel(_Part):
    """A vessel with a hole: the rate over time follows from HJ 169-2018, Appendix F, until it is empty or isolated."""

    phase: Phase = Field(description="what comes out of the hole")
    hole_diameter_m: float = Field(gt=0, le=2)
    hole_shape: Literal["circle", "triangle", "slot"] = "circle"
    pressure_kpa: float = Field(ge=50, le=100_000, description="absolute, in the vessel")
    temperature_k: Temperature
    mass_kg: float | None = Field(
        default=None, gt=0, le=100_000_000, description="in the vessel; null: what the risk source holds"
    )
    liquid_height_m: float = Field(default=0, ge=0, le=100, description="of the liquid above the hole")
    isolation_s: float | None = Field(
        default=None,
        ge=1,
        le=LONGEST_RELEASE_S,
        description="after which the leak is shut; null: after `duration_s` of the request",
    )
    bund_area_m2: float | None = Field(default=None, gt=0, le=100_000, description="null: the pool spreads freely")
    surface: Literal["cement", "moist-soil", "dry-soil", "wet-land", "gravel"] = "cement"


class Point(_Part):
    """A place whose concentration over time is wanted."""

    id: str = Field(min_length=1, max_length=64)
    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-89, le=89)


NamedLevel = Literal[
    "endpoint-1", "endpoint-2", "aegl-1", "aegl-2", "aegl-3", "erpg-1", "erpg-2", "erpg-3", "pac-1", "pac-2", "pac-3",
    "idlh",
]  # fmt: skip


def _distinct(levels: list[float]) -> list[float]:
    return sorted(set(levels), reverse=True)


class RunRequest(_Part):
    """One computation. Beyond a limit the answer is 422 and names the limit."""

    chemical: Cas
    source: AtRiskSource | AtPlace | AtSuspicion
    rate_kg_s: float | None = Field(default=None, gt=0, le=10_000, description="null: estimated from readings")
    duration_s: float = Field(default=600, ge=1, le=LONGEST_RELEASE_S)
    follow_s: float = Field(
        default=1800, ge=0, le=LONGEST_FOLLOW_S, description="how long the gas is followed after the release ends"
    )
    release: Release | None = Field(default=None, description="the release in full, instead of `rate_kg_s`")
    vessel: Vessel | None = Field(default=None, description="the release as a vessel with a hole")
    meteorology: GivenMeteorology | Literal["worst-case"] | None = Field(
        default=None,
        description="null: the park's own, asked of ingest; worst-case: HJ 169-2018's least favourable (F, 1.5 m/s, "
        "25 °C), the wind towards the nearest receptor",
    )
    mixing_height_m: float | None = Field(default=None, ge=50, le=10_000, description="null: from the weather")
    roughness_m: float | None = Field(default=None, ge=1e-4, le=3, description="null: from the weather, else a park's")
    at: UtcDatetime | None = Field(default=None, description="the moment that counts as now; null: the latest data")
    averaging_s: float = Field(default=600, ge=10, le=3600)
    source_diameter_m: float = Field(default=1.0, ge=0.01, le=200)
    levels_mg_m3: Annotated[list[Level], Field(max_length=6), AfterValidator(_distinct)] = []
    levels: list[NamedLevel] = Field(
        default=[], max_length=12, description="named levels besides both endpoints, which are always drawn"
    )
    points: list[Point] = Field(default=[], max_length=MOST_POINTS)
    indoor_air_changes_per_h: float = Field(default=0.5, gt=0, le=60, description="of the receptors' buildings")
    deposition_velocity_m_s: float = Field(default=0, ge=0, le=0.2, description="0: nothing is deposited")
    ensemble: Ensemble = Ensemble()
    nodes: int = Field(default=400, ge=50, le=FINEST_GRID, description="grid points along each axis")
    wait_s: float = Field(default=0, ge=0, le=30, description="how long the caller waits for the result")

    @property
    def diameter_m(self) -> float:
        """The diameter of the source [m], however it was given."""
        if isinstance(self.source, AtSuspicion):
            return self.source_diameter_m
        if self.source.area_m2 is not None:
            return 2.0 * sqrt(self.source.area_m2 / pi)
        return self.source.diameter_m or self.source_diameter_m

    @property
    def estimates_rate(self) -> bool:
        """Whether the rate has to be estimated from what the stations read."""
        return self.rate_kg_s is None and self.release is None and self.vessel is None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        told = [name for name in ("rate_kg_s", "release", "vessel") if getattr(self, name) is not None]
        if len(told) > 1:
            raise ValueError(f"the release is told twice, by {' and '.join(told)}: give one of them")
        if len({point.id for point in self.points}) < len(self.points):
            raise ValueError("points: each id may stand once")
        if isinstance(self.source, AtPlace):
            require_near(self.points, self.source.longitude, self.source.latitude)
        return self


def require_near(points: list[Point], longitude: float, latitude: float) -> None:
    """Raise ValueError for a point that lies beyond the domain of what is computed around a source."""
    for point in points:
        if max(abs(point.longitude - longitude), abs(point.latitude - latitude)) > FARTHEST_POINT_DEG:
            raise ValueError(f"points: {point.id} lies more than the limit of {FARTHEST_POINT_DEG}° from the source")


class AlarmContext(_Part):
    """What an alarm adds to the run that it triggered."""

    alarm_station_ids: list[str]
    colour: str
    raised_at: UtcDatetime
    event_time: UtcDatetime


class RunInputs(_Part):
    """What the store keeps of a run: the request, and the alarm behind it if there is one."""

    request: RunRequest
    alarm: AlarmContext | None = None
