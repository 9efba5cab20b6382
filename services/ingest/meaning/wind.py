"""Averages of wind: speed as a number, direction as a vector, its spread by Yamartino."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_YAMARTINO = 2 / math.sqrt(3) - 1


@dataclass(frozen=True, slots=True)
class MeanWind:
    """``speed`` is the mean of the speeds and ``vector_speed`` the length of the mean vector [m/s].

    ``from_deg`` is where the mean vector comes from [deg, 0 = north], ``sigma_theta_deg`` the standard deviation of the
    direction [deg].
    """

    speed: float
    vector_speed: float
    from_deg: float
    sigma_theta_deg: float


def mean_direction(sine: float, cosine: float) -> float:
    """The direction [deg, 0 <= d < 360] of a sum of unit vectors."""
    return math.degrees(math.atan2(sine, cosine)) % 360.0


def mean_wind(samples: Sequence[tuple[float, float]]) -> MeanWind:
    """The mean of (speed [m/s], direction it comes from [deg]) pairs, at least one.

    Notes
    -----
    The direction is that of the speed-weighted mean vector. The spread is Yamartino's single-pass estimate [1]_,
    ``asin(e) (1 + (2/sqrt(3) - 1) e**3)`` with ``e**2 = 1 - mean(sin)**2 - mean(cos)**2``.

    .. [1] Yamartino, R. J. (1984): A comparison of several "single-pass" estimators of the standard deviation of wind
       direction. J. Climate Appl. Meteor. 23, 1362-1366.
    """
    count = len(samples)
    sines = [math.sin(math.radians(direction)) for _, direction in samples]
    cosines = [math.cos(math.radians(direction)) for _, direction in samples]
    east = sum(speed * sine for (speed, _), sine in zip(samples, sines, strict=True)) / count
    north = sum(speed * cosine for (speed, _), cosine in zip(samples, cosines, strict=True)) / count
    mean_sine, mean_cosine = sum(sines) / count, sum(cosines) / count
    spread = math.sqrt(max(0.0, 1.0 - mean_sine**2 - mean_cosine**2))
    calm = math.hypot(east, north) < 1e-9  # calm throughout: the vanes still tell a direction
    return MeanWind(
        speed=sum(speed for speed, _ in samples) / count,
        vector_speed=math.hypot(east, north),
        from_deg=mean_direction(mean_sine, mean_cosine) if calm else mean_direction(east, north),
        sigma_theta_deg=math.degrees(math.asin(min(1.0, spread)) * (1 + _YAMARTINO * spread**3)),
    )
