"""The footprint of a release on 400 x 400 points: the field over all of its time and the polygons of its zones."""

from __future__ import annotations

from bench import scene
from bench.benchmark import Measured
from bench.timing import alternate, rounded
from services.model.dispersion.contours import zones


def measure(budget_s: float) -> Measured:
    """Milliseconds for one footprint, nothing prepared in advance."""

    def footprint() -> object:
        field = scene.field()
        return zones(field.peak, field.grid, scene.LEVELS_KG_M3)

    timing = alternate({"footprint": footprint}, budget_s)["footprint"]
    return Measured(rounded(timing.median_ms), timing.summary())
