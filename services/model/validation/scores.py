"""How predictions compare with observations: the statistics of Chang & Hanna.

References
----------
.. [1] Chang & Hanna (2004), Air quality model performance evaluation, Meteorol. Atmos. Phys. 87, 167-196,
   doi:10.1007/s00703-003-0070-7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Scores:
    """`fac2` share within a factor two; `fb` fractional bias; `mg`, `vg` geometric mean and variance of
    observed / predicted; `nmse` normalised mean square error; `n` pairs. A perfect model has 1, 0, 1, 1, 0.
    """

    n: int
    fac2: float
    fb: float
    mg: float
    vg: float
    nmse: float


def score(observed: npt.ArrayLike, predicted: npt.ArrayLike) -> Scores:
    """Score pairs, observed over predicted, in any one unit.

    Raises ValueError when there is no pair or a value is not above zero: the logarithm has no meaning then.
    """
    o = np.asarray(observed, dtype=np.float64)
    p = np.asarray(predicted, dtype=np.float64)
    if o.size == 0 or o.shape != p.shape:
        raise ValueError(f"scores need pairs: {o.size} observed, {p.size} predicted")
    if not (np.all(o > 0.0) and np.all(p > 0.0) and np.all(np.isfinite(o)) and np.all(np.isfinite(p))):
        raise ValueError("scores need finite values above zero")
    ratio = np.log(o / p)
    return Scores(
        n=int(o.size),
        fac2=float(np.mean(np.abs(ratio) <= np.log(2.0) + 1e-12)),
        fb=float(2.0 * (o.mean() - p.mean()) / (o.mean() + p.mean())),
        mg=float(np.exp(ratio.mean())),
        vg=float(np.exp((ratio**2).mean())),
        nmse=float(((o - p) ** 2).mean() / (o.mean() * p.mean())),
    )
