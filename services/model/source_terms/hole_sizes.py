"""The leaks that are assumed of a kind of equipment, and how often: HJ 169-2018, Table E.1.

The table is from memory, so every case says `verified=False`; a user's own values go before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.model.source_terms.errors import require_positive

Equipment = Literal["vessel", "atmospheric-tank", "double-wall-tank", "full-containment-tank", "pump", "arm", "hose"]
Outcome = Literal["hole", "emptied-in-10-min", "rupture", "full-bore"]

SOURCE = "HJ 169-2018 Table E.1, from memory"
_PORE_M = 0.010
_WIDEST_PIPE_HOLE_M = 0.050
_NARROW_M, _MIDDLE_M = 0.075, 0.150


@dataclass(frozen=True, slots=True)
class LeakCase:
    """One case: what happens, through how wide a hole [m] (None: all at once, or within ten minutes), and how often.

    `frequency` counts per `per`: a year, a metre and year of pipe, or an hour of transfer.
    """

    outcome: Outcome
    diameter_m: float | None
    frequency: float
    per: Literal["year", "metre-year", "hour"]
    source: str = SOURCE
    verified: bool = False


def equipment_cases(equipment: Equipment, connection_m: float | None = None) -> tuple[LeakCase, ...]:
    """Return the cases of a kind of equipment.

    `connection_m` [m] is the diameter of the connected pipe, needed for pumps, arms and hoses. Raises `OutOfRange`.
    """
    match equipment:
        case "vessel" | "atmospheric-tank":
            return _tank(1e-4, 5e-6, 5e-6)
        case "double-wall-tank":
            return _tank(1e-4, 1.25e-8, 1.25e-8)
        case "full-containment-tank":
            return (LeakCase("rupture", None, 1e-8, "year"),)
        case "pump":
            return _connected(connection_m, 5e-4, 1e-4, "year")
        case "arm":
            return _connected(connection_m, 3e-7, 3e-8, "hour")
        case "hose":
            return _connected(connection_m, 4e-5, 4e-6, "hour")


def pipe_cases(diameter_m: float) -> tuple[LeakCase, ...]:
    """Return the cases of a pipe of an inner diameter [m], a metre and year. Raises `OutOfRange`."""
    if diameter_m <= _NARROW_M:
        return _connected(diameter_m, 5e-6, 1e-6, "metre-year")
    if diameter_m <= _MIDDLE_M:
        return _connected(diameter_m, 2e-6, 3e-7, "metre-year")
    return _connected(diameter_m, 2.4e-6, 1e-7, "metre-year")


def _tank(hole: float, ten_minutes: float, rupture: float) -> tuple[LeakCase, ...]:
    return (
        LeakCase("hole", _PORE_M, hole, "year"),
        LeakCase("emptied-in-10-min", None, ten_minutes, "year"),
        LeakCase("rupture", None, rupture, "year"),
    )


def _connected(
    pipe_m: float | None, hole: float, full: float, per: Literal["year", "metre-year", "hour"]
) -> tuple[LeakCase, ...]:
    pipe = 0.0 if pipe_m is None else pipe_m
    require_positive("diameter of the pipe", pipe, "m")
    return (
        LeakCase("hole", min(0.1 * pipe, _WIDEST_PIPE_HOLE_M), hole, per),
        LeakCase("full-bore", pipe, full, per),
    )
