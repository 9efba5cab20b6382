"""The probability of death by a toxic load: HJ 169-2018, Appendix I.

Y = At + Bt ln(C^n te), PE = [1 + erf((Y - 5) / sqrt 2)] / 2, with C in mg/m3 and te in minutes. The constants
are bound to these units: the same gas has other numbers for ppm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from services.model.exposure.dose import FloatArray

# Secondary: known, but not compared with the printed table. The result says so wherever a probability is shown.
_TABLE = "HJ 169-2018, Appendix I (not compared with the printed table)"
_PURPLE_BOOK = "HJ 169-2018, Appendix I; TNO Purple Book (CPR 18E), table 5.2"


@dataclass(frozen=True, slots=True)
class Probit:
    """Constants of one substance for concentrations in mg/m3 and times in minutes, and where they stand."""

    a: float
    b: float
    n: float
    source: str


_PROBITS: dict[str, Probit] = {
    "107-02-8": Probit(-4.1, 1.0, 1.0, _TABLE),
    "107-13-1": Probit(-8.6, 1.0, 1.3, _TABLE),
    "630-08-0": Probit(-7.4, 1.0, 1.0, _TABLE),
    "7726-95-6": Probit(-12.4, 1.0, 2.0, _TABLE),
    "75-21-8": Probit(-6.8, 1.0, 1.0, _TABLE),
    "7647-01-0": Probit(-37.3, 3.69, 1.0, _TABLE),
    "74-90-8": Probit(-9.8, 1.0, 2.4, _TABLE),
    "7664-39-3": Probit(-8.4, 1.0, 1.5, _TABLE),
    "7783-06-4": Probit(-11.5, 1.0, 1.9, _TABLE),
    "74-83-9": Probit(-7.3, 1.0, 1.1, _TABLE),
    "624-83-9": Probit(-1.2, 1.0, 0.7, _TABLE),
    "10102-44-0": Probit(-18.6, 1.0, 3.7, _TABLE),
    "75-44-5": Probit(-10.6, 2.0, 1.0, _TABLE),
    "7803-51-2": Probit(-6.8, 1.0, 2.0, _TABLE),
    "7446-09-5": Probit(-19.2, 1.0, 2.4, _TABLE),
    "7782-50-5": Probit(-6.35, 0.5, 2.75, _PURPLE_BOOK),
    "7664-41-7": Probit(-15.6, 1.0, 2.0, _PURPLE_BOOK),
}


def probit_of(cas: str) -> Probit | None:
    """Return the constants of a substance; None where the standard gives none: nothing is guessed."""
    return _PROBITS.get(cas)


def death_probability(probit: Probit, load: npt.ArrayLike) -> FloatArray:
    """Return the probability of death, 0 to 1, of a toxic load [(mg/m3)^n min, n that of the constants]; 0 for none."""
    given = np.asarray(load, dtype=np.float64)
    y = probit.a + probit.b * np.log(np.maximum(given, 1e-300))
    chance = 0.5 * (1.0 + erf((y - 5.0) / np.sqrt(2.0)))
    return np.asarray(np.where(given > 0.0, chance, 0.0))
