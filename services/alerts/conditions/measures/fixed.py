"""Values as whole millionths: sums of them are exact, so what is computed does not depend on what came with it."""

import numpy as np

from services.alerts.conditions.readings import Floats, Ints

UNIT = 1e6
_MOST = 1e9
"""Values are cut off here, above any concentration: 4096 of them are summed within 64 bits."""


def fixed(value: Floats) -> Ints:
    """Millionths; NaN is 0."""
    known = np.nan_to_num(value, nan=0.0, posinf=_MOST, neginf=-_MOST)
    return np.rint(np.clip(known, -_MOST, _MOST) * UNIT).astype(np.int64)
