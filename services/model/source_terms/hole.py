"""The hole: its shape, its area, and how well it lets a fluid through."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

from services.model.source_terms.errors import require_positive, require_within

Shape = Literal["circle", "triangle", "slot"]

LAMINAR_LIMIT = 100.0
# HJ 169-2018, Table F.1: liquids, above and up to Re = 100; gases, text under eq. F.4.
_LIQUID_TURBULENT: dict[Shape, float] = {"circle": 0.65, "triangle": 0.60, "slot": 0.55}
_LIQUID_LAMINAR: dict[Shape, float] = {"circle": 0.50, "triangle": 0.45, "slot": 0.40}
_GAS: dict[Shape, float] = {"circle": 1.00, "triangle": 0.95, "slot": 0.90}


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole as wide as a circle of `diameter_m` [m], up to 5 m; its area is that circle's, whatever its shape.

    Raises `OutOfRange`.
    """

    diameter_m: float
    shape: Shape = "circle"

    def __post_init__(self) -> None:
        require_positive("hole diameter", self.diameter_m, "m")
        require_within("hole diameter", self.diameter_m, 0.0, 5.0, "m")

    @property
    def area_m2(self) -> float:
        """Area [m2]."""
        return pi * self.diameter_m**2 / 4.0


def liquid_discharge_coefficient(shape: Shape, reynolds: float = 1e6) -> float:
    """Return Cd of a liquid [1] by the hole's shape and Reynolds number (HJ 169-2018, Table F.1)."""
    require_positive("Reynolds number", reynolds, "")
    return (_LIQUID_TURBULENT if reynolds > LAMINAR_LIMIT else _LIQUID_LAMINAR)[shape]


def gas_discharge_coefficient(shape: Shape) -> float:
    """Return Cd of a gas [1] by the hole's shape (HJ 169-2018, under eq. F.4)."""
    return _GAS[shape]


def reynolds_number(rate_kg_s: float, hole: Hole, viscosity_pa_s: float) -> float:
    """Return Re = 4 Q / (pi d mu) [1] of a flow through a round hole."""
    require_positive("viscosity", viscosity_pa_s, "Pa s")
    return 4.0 * rate_kg_s / (pi * hole.diameter_m * viscosity_pa_s)
