"""From an engine's cross-sections down the wind to one concentration field, guarded against what engines do wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from services.model.dispersion.dense.engine import DenseResult
from services.model.dispersion.dense.scenario import DenseScenario
from services.model.dispersion.grid import Box, make_grid
from services.model.dispersion.profile import FloatArray
from shared.text import BilingualText

NODES = 201

# Downwind of its highest point a cloud only thins. A rise by less than this is told and levelled; more is no answer.
LARGEST_RISE = 2.0
_TOLD_RISE = 1.02

_TINY = 1e-30


class Unphysical(ValueError):
    """An engine's numbers break a law that no cloud breaks."""


@dataclass(frozen=True, slots=True)
class Sections:
    """Cross-sections of a cloud, all arrays (n,), x rising.

    `peak` is the mole fraction on the axis; across, a flat core of half-width `core_m` with shoulders of scale
    `shoulder_m`: "erf", Ermak's blurred top hat; "gauss", exp(-((|y| - core) / shoulder)^2) outside the core.
    """

    x_m: FloatArray
    peak: FloatArray
    core_m: FloatArray
    shoulder_m: FloatArray
    shape: Literal["erf", "gauss"]
    arrival_s: FloatArray | None = None


def levelled(peak: FloatArray) -> tuple[FloatArray, float]:
    """Return the peaks without any second rise past their maximum, and the largest rise (1: none)."""
    top = int(np.argmax(peak))
    tail = np.maximum(peak[top:], _TINY)
    lowest = np.minimum.accumulate(tail)
    rise = float(np.max(tail / lowest))
    return np.concatenate((peak[:top], np.minimum(peak[top:], lowest))), rise


def footprint(
    engine: str, version: str, sections: Sections, scenario: DenseScenario, remarks: tuple[BilingualText, ...]
) -> DenseResult:
    """Lay cross-sections out on a grid.

    Raises `Unphysical` for values that are not finite, no gas anywhere, or a second rise past `LARGEST_RISE`.
    """
    _check_finite(sections)
    unit = scenario.kg_m3_per_mole_fraction()
    peak, rise = levelled(np.clip(sections.peak, 0.0, 1.0))
    if rise > LARGEST_RISE:
        raise Unphysical(f"the concentration rises again by a factor {rise:.3g} down the wind of its maximum")
    if rise > _TOLD_RISE:
        remarks = (*remarks, _rise_remark(rise))
    x = sections.x_m
    reach = x[np.flatnonzero(peak * unit >= scenario.lowest_kg_m3)]
    if reach.size == 0:
        raise Unphysical("no concentration above the lowest of interest was found anywhere")
    x_high = min(float(x[np.searchsorted(x, reach[-1])]) * 1.05 + 1.0, float(x[-1]), scenario.x_max_m)
    widest = _widest(peak * unit, sections, scenario.lowest_kg_m3, x <= x_high)
    grid = make_grid(Box(float(x[0]), x_high, -widest, widest), NODES, 1.0, 0.0)
    y = 0.5 * (grid.y - grid.y[::-1])
    axis = np.exp(np.interp(grid.x, x, np.log(np.maximum(peak * unit, _TINY))))
    core, shoulder = np.interp(grid.x, x, sections.core_m), np.interp(grid.x, x, sections.shoulder_m)
    field = axis[:, None] * across(sections.shape, y, core, shoulder)
    return DenseResult(
        engine=engine,
        version=version,
        x_m=grid.x,
        y_m=y,
        concentration_kg_m3=np.where(field >= scenario.lowest_kg_m3, field, 0.0),
        arrival_s=None if sections.arrival_s is None else np.interp(grid.x, x, sections.arrival_s),
        half_width_m=core + shoulder,
        kg_m3_per_mole_fraction=unit,
        averaging_s=scenario.averaging_s,
        remarks=remarks,
    )


def across(shape: Literal["erf", "gauss"], y: FloatArray, core: FloatArray, shoulder: FloatArray) -> FloatArray:
    """Return the crosswind profile (n, m) at y (m,), one on the axis."""
    b, s = core[:, None], np.maximum(shoulder, 1e-9)[:, None]
    if shape == "gauss":
        outside = np.maximum(np.abs(y)[None, :] - b, 0.0) / s
        return np.asarray(np.exp(-np.minimum(outside**2, 700.0)))
    b = np.maximum(b, 1e-9)
    scale = math.sqrt(2.0) * s
    # Half of the profile is enough: y is symmetrical and its middle is the axis.
    half = np.abs(y[: y.size // 2 + 1])[None, :]
    left = (erf((half + b) / scale) - erf((half - b) / scale)) / (2.0 * erf(b / scale))
    return np.concatenate((left, left[:, -2::-1]), axis=1)


def finite_release_factor(length_m: FloatArray, window_m: FloatArray, sigma_x_m: FloatArray) -> FloatArray:
    """Return the share of a steady plume's concentration that a release of finite length leaves.

    A cloud `length_m` long, blurred by `sigma_x_m` along the wind, seen through an averaging window `window_m` long at
    its best moment (the square pulse convolved with a Gaussian and averaged; Palazzi et al. 1982, Atmos. Environ. 16,
    2785-2790, doi:10.1016/0004-6981(82)90029-7). Without blur: min(length, window) / window.
    """
    scale = math.sqrt(2.0) * np.maximum(sigma_x_m, 1e-6)
    window = np.maximum(window_m, 1e-3 * scale)
    plus, minus = (length_m + window) / (2.0 * scale), (length_m - window) / (2.0 * scale)
    integral = plus * erf(plus) - minus * erf(minus) + (np.exp(-(plus**2)) - np.exp(-(minus**2))) / math.sqrt(math.pi)
    return np.asarray(np.clip(integral * scale / window, 0.0, 1.0))


def _check_finite(sections: Sections) -> None:
    columns: list[npt.NDArray[np.float64]] = [sections.x_m, sections.peak, sections.core_m, sections.shoulder_m]
    if sections.x_m.size < 3 or not all(np.isfinite(column).all() for column in columns):
        raise Unphysical("the cross-sections are too few or not finite")


def _widest(axis: FloatArray, sections: Sections, lowest: float, within: npt.NDArray[np.bool_]) -> float:
    """Half-width [m] past which nothing is above the lowest concentration."""
    ratio = np.log(np.maximum(axis / lowest, 1.0))
    # erfc falls as exp(-t^2): sqrt(2) shoulder plays the part of the Gaussian's scale.
    scale = sections.shoulder_m * (math.sqrt(2.0) if sections.shape == "erf" else 1.0)
    reach = np.where(ratio > 0.0, sections.core_m + scale * np.sqrt(ratio + 1.0), 0.0)
    return max(float(np.max(reach[within], initial=0.0)) * 1.05, 1.0)


def _rise_remark(rise: float) -> BilingualText:
    return BilingualText(
        zh=f"模型在浓度最大值下风向出现二次升高（{rise:.2f} 倍），属数值假象，已予压平。",
        en=f"Down the wind of its maximum the engine's concentration rose again (by a factor {rise:.2f}); this is "
        "numerical and was levelled.",
    )
