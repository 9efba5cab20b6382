"""The least favourable weather of HJ 169-2018: class F, 1.5 m/s, 25 °C, blowing towards the nearest receptor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.model.dispersion.projection import local_frame
from services.model.runs.request import GivenMeteorology

WIND_SPEED_M_S = 1.5
TEMPERATURE_C = 25.0
_WITHOUT_RECEPTORS_DEG = 270.0


def worst_case(longitude: float, latitude: float, targets: Sequence[tuple[float, float]]) -> GivenMeteorology:
    """Return the weather for a source at (longitude, latitude) and `targets` (longitude, latitude) around it.

    The standard leaves the direction open, since its distances hold for every one; without targets it is west.
    """
    return GivenMeteorology(
        wind_speed_m_s=WIND_SPEED_M_S,
        wind_from_deg=_towards_nearest(longitude, latitude, targets),
        stability="F",
        temperature_c=TEMPERATURE_C,
    )


def _towards_nearest(longitude: float, latitude: float, targets: Sequence[tuple[float, float]]) -> float:
    if not targets:
        return _WITHOUT_RECEPTORS_DEG
    frame = local_frame(longitude, latitude)
    east, north = frame.to_metres([target[0] for target in targets], [target[1] for target in targets])
    nearest = int(np.argmin(east**2 + north**2))
    return float(np.degrees(np.arctan2(-east[nearest], -north[nearest])) % 360.0)
