"""Metres on a local plane around the park, and back to longitude and latitude."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# WGS 84 ellipsoid (EPSG:7030).
SEMI_MAJOR_AXIS_M = 6_378_137.0
ECCENTRICITY_SQUARED = 6.694_379_990_14e-3


@dataclass(frozen=True)
class LocalPlane:
    """An east-north plane that touches the WGS 84 ellipsoid at one point.

    Linear in the two angles: within 5 km of the origin it is true to about 5 m, far below a plume's
    width, and it needs no projection library.
    """

    longitude: float
    latitude: float

    def metres_per_degree(self) -> tuple[float, float]:
        """Length of one degree of longitude and of latitude [m] at the origin."""
        phi = math.radians(self.latitude)
        curvature = 1.0 - ECCENTRICITY_SQUARED * math.sin(phi) ** 2
        prime_vertical = SEMI_MAJOR_AXIS_M / math.sqrt(curvature)
        meridional = SEMI_MAJOR_AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / curvature**1.5
        degree = math.radians(1.0)
        return prime_vertical * math.cos(phi) * degree, meridional * degree

    def to_metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        """East and north [m] of a place given in degrees."""
        east, north = self.metres_per_degree()
        return (longitude - self.longitude) * east, (latitude - self.latitude) * north

    def to_degrees(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Longitude and latitude [degrees] of a place given in metres."""
        east, north = self.metres_per_degree()
        return self.longitude + east_m / east, self.latitude + north_m / north


def wind_vector(speed: Floats, from_deg: Floats) -> tuple[Floats, Floats]:
    """East and north components [m/s] of a wind named by the direction it comes from."""
    angle = np.radians(from_deg)
    return -speed * np.sin(angle), -speed * np.cos(angle)


def wind_from_degrees(east: float, north: float) -> float:
    """Direction [degrees, 0 up to 360] that a wind of these components comes from."""
    return math.degrees(math.atan2(-east, -north)) % 360.0
