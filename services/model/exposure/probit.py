"""The probability of death by a toxic load: HJ 169-2018, Appendix I.

Y = At + Bt ln(C^n te), PE = [1 + erf((Y - 5) / sqrt 2)] / 2, with C in mg/m3 and te in minutes. Constants are bound
to these units: the same gas has other numbers for ppm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from services.model.exposure.dose import FloatArray


def death_probability(load: npt.ArrayLike, a: float, b: float) -> FloatArray:
    """Return the probability of death, 0 to 1, of a toxic load; 0 for none.

    Parameters
    ----------
    load : the integral of C^n dt [(mg/m3)^n min], with the n that belongs to the constants.
    a, b : At and Bt of the substance.
    """
    given = np.asarray(load, dtype=np.float64)
    y = a + b * np.log(np.maximum(given, 1e-300))
    chance = 0.5 * (1.0 + erf((y - 5.0) / np.sqrt(2.0)))
    return np.asarray(np.where(given > 0.0, chance, 0.0))
