"""The levels that a story is to climb: what makes a detector or an analyser warn.

Detectors beside sources: GB/T 50493-2019 level 1 and 2 (100 % and 200 % of the occupational limit). Boundary and
sensitive targets: AEGL-1 60 min (US EPA; ppm at 25 degC) as yellow, the toxic endpoint concentrations 2 and 1 of
HJ 169-2018 Table H.1 as orange and red. All in mg/m3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WarningLevels:
    """Levels of one gas [mg/m3]: `detector` is (level 1, level 2), `air` is (yellow, orange, red)."""

    detector: tuple[float, float]
    air: tuple[float, float, float]


WARNING_LEVELS: dict[str, WarningLevels] = {
    "chlorine": WarningLevels(detector=(1.0, 2.0), air=(1.45, 5.8, 58.0)),
    "ammonia": WarningLevels(detector=(20.0, 40.0), air=(20.9, 110.0, 770.0)),
    "hydrogen-sulfide": WarningLevels(detector=(10.0, 20.0), air=(0.71, 38.0, 70.0)),
}
