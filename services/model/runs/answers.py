"""An engine's answer, in one form whatever the engine: a footprint with frames, and what comes at points over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.model.dispersion import ENGINE_NAME, ENGINE_VERSION
from services.model.dispersion.exposure import Exposure, exposure_at
from services.model.dispersion.field import Field32, FieldResult, compute_field
from services.model.dispersion.grid import Grid
from services.model.dispersion.meteorology import steady
from services.model.dispersion.puff import PuffModel
from services.model.exposure.dose import FloatArray
from services.model.runs.plan import RunPlan
from shared.text import BilingualText

BREATHING_HEIGHT_M = 1.5
KG_PER_MG = 1e-6
_COARSE_NODES = 160

# Steps in time at points; a cloud of a sudden release takes some seconds to pass.
_LEAST_STEP_S = 3.0
_FEWEST_STEPS = 120
_MOST_STEPS = 600

VALIDITY = BilingualText(
    zh="中性或轻气体；平坦地形；距源约 20 米至 10 公里；风速 0.5 米/秒以上较可靠；预测值与实测值通常相差 2 倍以内。",
    en="Neutral or light gas; flat terrain; some 20 m to 10 km from the source; best in winds above 0.5 m/s; "
    "predictions are usually within a factor 2 of measurements.",
)


class Answer(Protocol):
    """What one engine says. Fields in kg/m3, metres from the source, seconds after the release began."""

    @property
    def engine(self) -> str:
        """The engine's name."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def validity(self) -> BilingualText:
        """Where it holds."""

    @property
    def drawn(self) -> FieldResult:
        """The maximum over time, and the frames."""

    def until(self, time_s: float, level_kg_m3: float) -> tuple[Field32, Grid]:
        """The maximum until a time, on a grid that holds the zone of a level."""

    def exposure(self, east: FloatArray, north: FloatArray) -> Exposure:
        """Concentration over time at points."""


@dataclass(frozen=True, slots=True)
class NeutralAnswer:
    """The neutral engine's; get it from `neutral_answer`."""

    model: PuffModel
    drawn: FieldResult
    end_s: float
    engine: str = ENGINE_NAME
    version: str = ENGINE_VERSION
    validity: BilingualText = VALIDITY

    def until(self, time_s: float, level_kg_m3: float) -> tuple[Field32, Grid]:
        """See `Answer`; on a coarse grid, since the outline of a moment is a guide and no limit."""
        field = compute_field(self.model, time_s, level_kg_m3, (), BREATHING_HEIGHT_M, _COARSE_NODES)
        return field.peak, field.grid

    def exposure(self, east: FloatArray, north: FloatArray) -> Exposure:
        """See `Answer`; in steps that a short release cannot slip between."""
        release = self.model.release
        finest = max((release.end_s - release.start_s) / 4.0, _LEAST_STEP_S)
        steps = int(min(max(self.end_s / finest, _FEWEST_STEPS), _MOST_STEPS))
        return exposure_at(self.model, east, north, self.end_s, BREATHING_HEIGHT_M, steps)


def neutral_answer(plan: RunPlan, frame_times_s: list[float]) -> NeutralAnswer:
    """Ask the neutral engine. Raises ValueError, naming the value, for what it refuses."""
    model = PuffModel(plan.whole_release, steady(plan.weather.weather), plan.averaging_s)
    drawn = compute_field(model, plan.end_s, lowest_kg_m3(plan), frame_times_s, BREATHING_HEIGHT_M, plan.nodes)
    return NeutralAnswer(model, drawn, plan.end_s)


def lowest_kg_m3(plan: RunPlan) -> float:
    """The lowest level whose zone has to fit."""
    return min(level.level_mg_m3 for level in plan.levels) * KG_PER_MG
