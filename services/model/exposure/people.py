"""How many people stand where: counted at the park's registered receptors, never spread over an area."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """Receptors and people that a zone holds."""

    receptors: int
    people: int


def count_inside(keys: Sequence[str], receptors: Iterable[tuple[int, Sequence[str]]]) -> dict[str, Counted]:
    """Count receptors and people in each zone.

    Parameters
    ----------
    keys : the zones.
    receptors : (population, the keys of the zones that it stands in), one a receptor.

    Raises ValueError for a negative population.
    """
    found = dict.fromkeys(keys, Counted(0, 0))
    for population, inside in receptors:
        if population < 0:
            raise ValueError(f"a population of {population} people")
        for key in set(inside) & found.keys():
            found[key] = Counted(found[key].receptors + 1, found[key].people + population)
    return found
