"""The release that all of the model's benchmarks compute: ten minutes of chlorine, followed for another thirty."""

from __future__ import annotations

from services.model.dispersion.field import FieldResult, compute_field
from services.model.dispersion.meteorology import Meteorology, steady
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import constant_release

NODES = 400
RATE_KG_S = 1.0
RELEASE_S = 600.0
END_S = RELEASE_S + 1800.0
HEIGHT_M = 1.5
WIND_M_S = 3.0
NEUTRAL = 4.0

# Chlorine's toxic endpoints of HJ 169-2018 [kg/m3].
LEVELS_KG_M3 = [58e-6, 5.8e-6]


def weather() -> Meteorology:
    """A neutral west wind."""
    return Meteorology(WIND_M_S, 270.0, NEUTRAL)


def model() -> PuffModel:
    """The release in this weather."""
    return PuffModel(constant_release(RATE_KG_S, RELEASE_S, HEIGHT_M), steady(weather()))


def field() -> FieldResult:
    """The highest concentration over time on the grid, nothing prepared in advance."""
    return compute_field(model(), END_S, min(LEVELS_KG_M3), nodes=NODES)
