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


def yamartino_sigma(count: int, sine: float, cosine: float) -> float:
    """The standard deviation of ``count`` directions [deg, 0 <= s <= 103.9] from the sums of their sines and cosines.

    Notes
    -----
    Yamartino's single-pass estimate [1]_, ``asin(e) (1 + (2/sqrt(3) - 1) e**3)`` with
    ``e**2 = 1 - mean(sin)**2 - mean(cos)**2``.

    .. [1] Yamartino, R. J. (1984): A comparison of several "single-pass" estimators of the standard deviation of wind
       direction. J. Climate Appl. Meteor. 23, 1362-1366.
    """
    spread = min(1.0, math.sqrt(max(0.0, 1.0 - (sine / count) ** 2 - (cosine / count) ** 2)))
    return math.degrees(math.asin(spread) * (1 + _YAMARTINO * spread**3))


def wind_of_sums(count: int, speed: float, east: float, north: float, sine: float, cosine: float) -> MeanWind:
    """The mean of ``count`` samples, at least one, from their sums.

    ``speed`` is the sum of the speeds, ``east`` and ``north`` those of speed times sine and cosine of the direction
    that the wind comes from [m/s], ``sine`` and ``cosine`` those of the direction alone. The direction is that of the
    speed-weighted mean vector.
    """
    length = math.hypot(east, north)
    calm = length < 1e-9 * count  # calm throughout: the vanes still tell a direction
    return MeanWind(
        speed=speed / count,
        vector_speed=length / count,
        from_deg=mean_direction(sine, cosine) if calm else mean_direction(east, north),
        sigma_theta_deg=yamartino_sigma(count, sine, cosine),
    )


def mean_wind(samples: Sequence[tuple[float, float]]) -> MeanWind:
    """The mean of (speed [m/s], direction it comes from [deg]) pairs, at least one."""
    vectors = [(speed, math.sin(math.radians(d)), math.cos(math.radians(d))) for speed, d in samples]
    return wind_of_sums(
        count=len(samples),
        speed=sum(speed for speed, _, _ in vectors),
        east=sum(speed * sine for speed, sine, _ in vectors),
        north=sum(speed * cosine for speed, _, cosine in vectors),
        sine=sum(sine for _, sine, _ in vectors),
        cosine=sum(cosine for _, _, cosine in vectors),
    )
