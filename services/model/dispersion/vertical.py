"""The vertical share of a Gaussian cloud between the ground and a lid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray

# Past this many mixing heights the image sum is uniform to better than 0.1 % (Turner 1970, AP-26, chapter 3).
_WELL_MIXED_RATIO = 1.6
_IMAGES = (-2, -1, 1, 2)


def vertical_density(
    receptor_height_m: npt.ArrayLike, release_height_m: npt.ArrayLike, sigma_z_m: FloatArray, lid_m: npt.ArrayLike
) -> FloatArray:
    """Return the vertical probability density [1/m] at a height, shape of `sigma_z_m` broadcast with the heights.

    Reflected at the ground and at the lid (images at 2 n lid +- release height; Turner 1970, eq. 5.8); uniform,
    1 / lid, once sigma_z exceeds 1.6 lid. Its integral from 0 to lid is 1.
    """
    z = np.asarray(receptor_height_m, dtype=np.float64)
    sigma = np.asarray(sigma_z_m, dtype=np.float64)
    lid = np.broadcast_to(np.asarray(lid_m, dtype=np.float64), np.broadcast_shapes(sigma.shape, z.shape))
    source = np.asarray(release_height_m, dtype=np.float64)
    total = _pair(z, source, sigma)
    if np.any(sigma > 0.2 * lid):
        for image in _IMAGES:
            total = total + _pair(z, source + 2.0 * image * lid, sigma)
    density = total / (np.sqrt(2.0 * np.pi) * sigma)
    mixed = np.where(sigma > _WELL_MIXED_RATIO * lid, 1.0 / lid, density)
    return np.asarray(np.where(z > lid, 0.0, mixed))


def _pair(z: FloatArray, height: npt.ArrayLike, sigma: FloatArray) -> FloatArray:
    h = np.asarray(height, dtype=np.float64)
    return np.asarray(np.exp(-0.5 * ((z - h) / sigma) ** 2) + np.exp(-0.5 * ((z + h) / sigma) ** 2))
