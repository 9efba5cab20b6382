"""pyeldqm's puff and plume for the work that a footprint takes: the same points, the same moments.

The case is the one most to the peer's favour: one source, a grid along the wind (it rotates nothing), and its plain
functions, without the conversion of units and the look-up of stability that surround them. It is called with 2-D
arrays of coordinates, as its documentation says. Its formulas happen to take open grids, (1, nx) and (ny, 1), too;
that is measured beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pyeldqm.core.dispersion_models import multi_source_concentration

from bench import scene
from bench.benchmark import Measured
from bench.timing import Timing, Work, alternate, ratio, rounded
from services.model.dispersion.field import snapshot_times
from services.model.dispersion.plume import plume
from services.model.dispersion.profile import FloatArray

Peer = Callable[[FloatArray, FloatArray], object]


def measure_puff(budget_s: float) -> Measured:
    """How many times as long pyeldqm takes for the highest concentration over time at every point."""
    times = [float(time) for time in snapshot_times(scene.model(), scene.END_S, ())]

    def peer(x: FloatArray, y: FloatArray) -> object:
        peak = np.zeros((scene.NODES, scene.NODES))
        for time in times:
            np.maximum(peak, _peer_field(x, y, time, "puff"), out=peak)
        return peak

    return _against(scene.field, peer, budget_s, {"moments": len(times)})


def measure_plume(budget_s: float) -> Measured:
    """How many times as long pyeldqm takes for the steady plume at every point."""
    grid = scene.field().grid

    def ours() -> object:
        built = plume(scene.weather(), scene.HEIGHT_M)
        return built.concentration(scene.RATE_KG_S, grid.x[None, :], grid.y[:, None], scene.HEIGHT_M)

    def peer(x: FloatArray, y: FloatArray) -> object:
        return _peer_field(x, y, scene.END_S, "continuous")

    return _against(ours, peer, budget_s, {})


def _peer_field(x: FloatArray, y: FloatArray, time_s: float, mode: str) -> FloatArray:
    field: FloatArray = multi_source_concentration(
        [{"Q": 1e3 * scene.RATE_KG_S, "h_s": scene.HEIGHT_M}],
        x,
        y,
        scene.HEIGHT_M,
        time_s,
        scene.RELEASE_S,
        scene.WIND_M_S,
        "D",
        "RURAL",
        mode,
    )
    return field


def _against(ours: Work, peer: Peer, budget_s: float, detail: dict[str, Any]) -> Measured:
    grid = scene.field().grid
    mesh_x, mesh_y = np.meshgrid(grid.x, grid.y)
    timings: Mapping[str, Timing] = alternate(
        {
            "fenceline": ours,
            "pyeldqm": lambda: peer(mesh_x, mesh_y),
            "pyeldqm-open-grid": lambda: peer(grid.x[None, :], grid.y[:, None]),
        },
        budget_s,
    )
    over = {name: rounded(ratio(timing, timings["fenceline"])) for name, timing in timings.items()}
    about = {name: timing.summary() | {"over_fenceline": over[name]} for name, timing in timings.items()}
    return Measured(over["pyeldqm"], detail | about)
