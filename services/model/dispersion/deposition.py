"""Dry deposition: what a cloud loses to the ground.

The flux to the ground is v_d C near the ground, and the loss is taken from the whole height of the cloud (source
depletion; Chamberlain 1953, AERE HP/R 1261, as in Hanna, Briggs & Hosker 1982, DOE/TIC-11223, chapter 10).
"""

from __future__ import annotations

import numpy as np

from services.model.dispersion.growth import GrowthCurve, running_integral
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.vertical import vertical_density

# Deposition velocities hold for the concentration at this height [m].
_REFERENCE_M = 1.0


def ground_contact(curve: GrowthCurve, release_height_m: float, lid_m: float) -> FloatArray:
    """Return the time integral [s/m] of the cloud's density near the ground, at each node of the curve's path.

    With v_d it gives the share still in the air: exp(-v_d x difference of contact).
    """
    near_ground = vertical_density(_REFERENCE_M, release_height_m, curve.sigma_z, lid_m)
    pace = np.gradient(curve.time, curve.path)
    return running_integral(near_ground * pace)
