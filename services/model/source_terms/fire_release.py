"""What a fire gives off, as a source term."""

from __future__ import annotations

from services.model.source_terms.assumptions import assume
from services.model.source_terms.errors import require_positive
from services.model.source_terms.result import SourceTerm


def release_from_fire(rate_kg_s: float, duration_s: float, diameter_m: float, temperature_k: float) -> SourceTerm:
    """Return the release of a fire that gives off one gas at a constant rate.

    Parameters
    ----------
    rate_kg_s : of `fire.sulfur_dioxide`, `fire.carbon_monoxide`, or `fire.unburnt_fraction` of what burns [kg/s].
    duration_s : of the fire [s].
    diameter_m : of the burning area [m].
    temperature_k : that the gas counts as having [K]; the surroundings' for one that is not lifted, the careful case.

    Raises `OutOfRange`.
    """
    require_positive("release rate", rate_kg_s, "kg/s")
    require_positive("duration of the fire", duration_s, "s")
    require_positive("diameter of the fire", diameter_m, "m")
    require_positive("gas temperature", temperature_k, "K")
    return SourceTerm(
        edges_s=(0.0, duration_s),
        rates_kg_s=(rate_kg_s,),
        phase="gas",
        temperature_k=temperature_k,
        diameter_m=diameter_m,
        outflow_kg=rate_kg_s * duration_s,
        pool_left_kg=0.0,
        vessel_left_kg=0.0,
        assumptions=(assume("steady-fire", duration_s), assume("fire-temperature", temperature_k)),
    )
