"""What a caller asks for: the body of `POST /parks/{park_id}/runs`, with the limits of what is computed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.park_file import Cas
from shared.time import UtcDatetime

LONGEST_RELEASE_S = 6 * 3600.0
LONGEST_FOLLOW_S = 6 * 3600.0
FINEST_GRID = 800

Level = Annotated[float, Field(gt=1e-6, le=1e7)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AtRiskSource(_Part):
    """One of the park's registered risk sources."""

    risk_source_id: str = Field(min_length=1, max_length=130)


class AtPlace(_Part):
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
    meteorology: GivenMeteorology | None = Field(default=None, description="null: the park's own, asked of ingest")
    at: UtcDatetime | None = Field(default=None, description="the moment that counts as now; null: the latest data")
    averaging_s: float = Field(default=600, ge=10, le=3600)
    source_diameter_m: float = Field(default=1.0, ge=0.01, le=200)
    levels_mg_m3: Annotated[list[Level], Field(max_length=6), AfterValidator(_distinct)] = []
    nodes: int = Field(default=400, ge=50, le=FINEST_GRID, description="grid points along each axis")
    wait_s: float = Field(default=0, ge=0, le=30, description="how long the caller waits for the result")


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
