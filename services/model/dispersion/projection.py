"""Between WGS 84 and metres east and north of a site: azimuthal equidistant, true in distance and bearing from it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from services.model.dispersion.profile import FloatArray


class LocalFrame:
    """Metres east and north of one point; get it from `local_frame`, since making one costs some 10 ms."""

    def __init__(self, longitude: float, latitude: float) -> None:
        local = f"+proj=aeqd +lat_0={latitude!r} +lon_0={longitude!r} +datum=WGS84 +units=m +no_defs"
        self._forward = Transformer.from_crs("EPSG:4326", local, always_xy=True)

    def to_metres(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return (east, north) [m]."""
        east, north = self._forward.transform(np.asarray(longitude, float), np.asarray(latitude, float))
        return np.asarray(east, dtype=np.float64), np.asarray(north, dtype=np.float64)

    def to_degrees(self, east_m: npt.ArrayLike, north_m: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return (longitude, latitude) [deg]."""
        longitude, latitude = self._forward.transform(
            np.asarray(east_m, float), np.asarray(north_m, float), direction="INVERSE"
        )
        return np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64)


@lru_cache(maxsize=64)
def _cached(longitude: float, latitude: float) -> LocalFrame:
    return LocalFrame(longitude, latitude)


def local_frame(longitude: float, latitude: float) -> LocalFrame:
    """Return the (cached) frame around a WGS 84 point."""
    if not (-180.0 <= longitude <= 180.0 and -90.0 <= latitude <= 90.0):
        raise ValueError(f"({longitude}, {latitude}) is no WGS 84 longitude, latitude")
    return _cached(round(longitude, 7), round(latitude, 7))
