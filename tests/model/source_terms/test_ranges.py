from collections.abc import Callable
from math import inf, nan

import pytest

from services.model.source_terms import Hole, Leak, OutOfRange, Surroundings
from services.model.source_terms.fire import carbon_monoxide, sulfur_dioxide
from services.model.source_terms.flash import flash_fraction
from services.model.source_terms.gas import gas_outflow
from services.model.source_terms.heat_evaporation import SURFACES, heat_evaporation
from services.model.source_terms.liquid import liquid_outflow
from services.model.source_terms.mass_evaporation import mass_evaporation
from services.model.source_terms.pool import pool_area
from services.model.source_terms.two_phase import mixture_density, two_phase_outflow
from services.model.source_terms.vapour_pressure import boiling_point_at, vapour_pressure

CEMENT = SURFACES["cement"]


@pytest.mark.parametrize(
    ("refused", "quantity", "allowed"),
    [
        (lambda: Hole(0), "hole diameter", "above 0 m"),
        (lambda: Hole(6), "hole diameter", "0 to 5 m"),
        (lambda: liquid_outflow(0.65, 1, 0, 2e5, 1), "liquid density", "above 0 kg/m3"),
        (lambda: liquid_outflow(1.2, 1, 800, 2e5, 1), "discharge coefficient", "0 to 1"),
        (lambda: liquid_outflow(0.65, 1, 800, nan, 1), "pressure in the vessel", "0 Pa or above"),
        (lambda: gas_outflow(1, 1, 2e5, 0.07, 1.0, 293), "heat capacity ratio", "above 1 and up to 1.7"),
        (lambda: gas_outflow(1, 1, 2e5, 0.07, 1.3, 0), "gas temperature", "above 0 K"),
        (lambda: gas_outflow(1, 1, 0, 0.07, 1.3, 293), "pressure in the vessel", "above 0 Pa"),
        (lambda: mixture_density(1.5, 1, 600), "vapour fraction", "0 to 1"),
        (lambda: two_phase_outflow(1, 5, -1), "pressure in the vessel", "above 0 Pa"),
        (lambda: flash_fraction(293, 240, 0, 1e6), "heat capacity of the liquid", r"above 0 J/\(kg K\)"),
        (lambda: heat_evaporation(CEMENT, 1, 298, 240, 1e6, 0), "time since the spill", "above 0 s"),
        (lambda: mass_evaporation(1e4, 0.03, 298, 1.5, 5, 7), "stability class", "1 to 6"),
        (lambda: mass_evaporation(1e4, 0.03, 298, inf, 5, 4), "wind speed", "0 to 60 m/s"),
        (lambda: pool_area(1, 0), "least depth of the pool", "above 0 m"),
        (lambda: sulfur_dioxide(1, 1.1), "sulfur fraction", "0 to 1"),
        (lambda: carbon_monoxide(1, 0.5), "share of incomplete combustion", "0.015 to 0.06"),
        (lambda: vapour_pressure(-1, 240, 1e6, 0.017), "temperature", "above 0 K"),
        (lambda: boiling_point_at(1e12, 240, 1e5, 0.017), "pressure", "vapour law"),
        (lambda: Leak("gas", Hole(0.01), 2e5, 5, 100), "temperature in the vessel", "20 to 3000 K"),
        (lambda: Leak("gas", Hole(0.01), 2e5, 293, 0), "mass in the vessel", "above 0 kg"),
        (lambda: Surroundings(temperature_k=20), "ambient temperature", "200 to 340 K"),
    ],
)
def test_what_lies_outside_is_refused_with_its_name_and_what_is_allowed(
    refused: Callable[[], object], quantity: str, allowed: str
) -> None:
    with pytest.raises(OutOfRange, match=allowed) as caught:
        refused()
    assert caught.value.quantity == quantity
    assert isinstance(caught.value, ValueError)
