"""Atmospheric stability as one continuous number: 1 = class A ... 4 = D (neutral) ... 6 = class F.

Whole numbers are the centres of Pasquill's classes. Everything between is interpolated, because a plume must
not jump when the wind passes a table's boundary.

References
----------
.. [1] EPA (2000), Meteorological Monitoring Guidance for Regulatory Modeling Applications, EPA-454/R-99-005,
   section 6.4.4 (sigma-A method).
.. [2] Turner (1964), A diffusion model for an urban area, J. Appl. Meteorol. 3, 83-91,
   doi:10.1175/1520-0450(1964)003<0083:ADMFAU>2.0.CO;2.
.. [3] Golder (1972), Relations among stability parameters in the surface layer, Boundary-Layer Meteorol. 3, 47-58,
   doi:10.1007/BF00769106; linear form 1/L = a + b log10(z0) as tabulated by Seinfeld & Pandis.
"""

from __future__ import annotations

import math

import numpy as np

MOST_UNSTABLE = 1.0
NEUTRAL = 4.0
MOST_STABLE = 6.0

# The ground over which Pasquill's curves hold (Pasquill 1976, EPA-600/4-76-030b).
CURVES_ROUGHNESS_M = 0.03

# [1] Table 6-8a: class boundaries of sigma-A [deg] at z0 = 0.15 m. The boundary between two classes is half-way
# between their numbers; the end points make A and F reach their centres.
_SIGMA_A_DEG = np.array([1.5, 3.8, 7.5, 12.5, 17.5, 22.5, 27.5])
_SIGMA_A_CLASS = np.array([6.0, 5.5, 4.5, 3.5, 2.5, 1.5, 1.0])
_SIGMA_A_REFERENCE_ROUGHNESS_M = 0.15

# [3] a, b of 1/L = a + b log10(z0), classes A to F.
_GOLDER_A = np.array([-0.096, -0.037, -0.002, 0.0, 0.004, 0.035])
_GOLDER_B = np.array([0.029, 0.029, 0.018, 0.0, -0.018, -0.036])
_CLASS_NUMBERS = np.arange(1.0, 7.0)

# [2] rows: wind [knots]; columns: net radiation index 4, 3, 2, 1, 0, -1, -2. Turner's class 7 counts as 6.
_TURNER_WIND_KNOTS = np.array([0.5, 2.5, 4.5, 6.0, 7.0, 8.5, 10.0, 11.0, 12.0])
_TURNER_CLASS = np.array(
    [
        [1, 1, 2, 3, 4, 6, 6],
        [1, 2, 2, 3, 4, 6, 6],
        [1, 2, 3, 4, 4, 5, 6],
        [2, 2, 3, 4, 4, 5, 6],
        [2, 2, 3, 4, 4, 4, 5],
        [2, 3, 3, 4, 4, 4, 5],
        [3, 3, 4, 4, 4, 4, 5],
        [3, 3, 4, 4, 4, 4, 4],
        [3, 4, 4, 4, 4, 4, 4],
    ],
    dtype=float,
)
_KNOT_M_S = 0.514444


def class_letter(stability: float) -> str:
    """The nearest Pasquill letter, for people; the number is what is computed with."""
    return "ABCDEF"[round(min(max(stability, MOST_UNSTABLE), MOST_STABLE)) - 1]


def golder_inverse_length(stability: float, roughness_m: float) -> float:
    """Return 1/L [1/m] of a stability number over roughness z0 [m] ([3], linear between classes)."""
    curve = _GOLDER_A + _GOLDER_B * math.log10(roughness_m)
    return float(np.interp(stability, _CLASS_NUMBERS, curve))


def stability_from_inverse_length(inverse_length_per_m: float, roughness_m: float) -> float:
    """Return the stability number of 1/L [1/m] over roughness z0 [m]: the inverse of `golder_inverse_length`."""
    curve = _GOLDER_A + _GOLDER_B * math.log10(roughness_m)
    return float(np.interp(inverse_length_per_m, curve, _CLASS_NUMBERS))


def stability_of_curves(inverse_length_per_m: float) -> float:
    """Return the stability number whose sigma_z curve belongs to a MEASURED 1/L [1/m], whatever the site's z0.

    Pasquill's curves stand for z0 = 0.03 m, so a curve stands for the L that Golder [3] gives its class there.
    Similarity says how sigma_z differs over other ground at the same L: it grows as u*/u = k / (ln(z/z0) - psi(z/L)),
    which around plume height (some 3 m) is the factor (z0 / 0.03 m)^0.2 that the curves are scaled with. To read the
    class at the site's own z0 as well would count the roughness twice.
    """
    return stability_from_inverse_length(inverse_length_per_m, CURVES_ROUGHNESS_M)


def stability_from_sigma_theta(
    sigma_theta_deg: float, wind_speed_m_s: float, daytime: bool, roughness_m: float
) -> float:
    """Return the stability number by the sigma-A method [1], its tables interpolated.

    Parameters
    ----------
    sigma_theta_deg : standard deviation of the wind direction over some 10 minutes [deg].
    wind_speed_m_s : scalar mean wind at 10 m [m/s]; a strong wind pulls towards neutral.
    daytime : sun above the horizon. At night an unsteady light wind is meander, not convection.
    roughness_m : z0 [m]; the class boundaries scale with (z0 / 0.15 m)^0.2.
    """
    scale = (max(roughness_m, 1e-4) / _SIGMA_A_REFERENCE_ROUGHNESS_M) ** 0.2
    initial = float(np.interp(sigma_theta_deg, _SIGMA_A_DEG * scale, _SIGMA_A_CLASS))
    if daytime:
        # [1] Table 6-8b, day: at 3 m/s A becomes B, at 4 C is the least, at 6 D.
        least = float(np.interp(wind_speed_m_s, [2.5, 3.5, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0]))
        return min(max(initial, least), NEUTRAL)
    # [1] Table 6-8b, night: E and F yield to D as the wind rises past 3 and 5 m/s.
    most = float(np.interp(wind_speed_m_s, [2.5, 4.0, 5.5], [6.0, 5.0, 4.0]))
    if initial >= NEUTRAL:
        return min(initial, most)
    meander = float(np.interp(wind_speed_m_s, [2.2, 2.8, 3.6], [6.0, 5.0, 4.0]))
    share = min(NEUTRAL - initial, 1.0)
    return NEUTRAL + share * (meander - NEUTRAL)


def stability_from_sun(solar_elevation_deg: float, cloud_fraction: float, wind_speed_m_s: float) -> float:
    """Return the stability number from sun, cloud and wind after Turner [2], every step interpolated.

    Parameters
    ----------
    solar_elevation_deg : elevation of the sun [deg], negative at night.
    cloud_fraction : sky covered, 0 to 1.
    wind_speed_m_s : mean wind at 10 m [m/s].
    """
    cloud = min(max(cloud_fraction, 0.0), 1.0)
    night_index = float(np.interp(cloud, [0.0, 0.4, 1.0], [-2.0, -1.5, 0.0]))
    insolation = float(np.interp(solar_elevation_deg, [0.0, 7.5, 25.0, 47.5, 75.0], [0.0, 1.0, 2.0, 3.0, 4.0]))
    day_index = max(insolation - 2.0 * max(cloud - 0.5, 0.0) / 0.5, 0.0)
    # An hour around sunset and sunrise is neither: the index slides from the night's to the day's.
    daylight = float(np.interp(solar_elevation_deg, [-3.0, 3.0], [0.0, 1.0]))
    index = daylight * day_index + (1.0 - daylight) * night_index
    by_wind = [float(np.interp(index, np.arange(-2.0, 5.0), row[::-1])) for row in _TURNER_CLASS]
    return float(np.interp(wind_speed_m_s / _KNOT_M_S, _TURNER_WIND_KNOTS, by_wind))
