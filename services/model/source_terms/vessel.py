"""From a vessel with a hole to what gets into the air: the parts of Appendix F put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.model.source_terms.assumptions import assume
from services.model.source_terms.blow_down import Emptying, GasVessel, LiquidVessel, empty, empty_gas, empty_liquid
from services.model.source_terms.constants import ATMOSPHERE_PA
from services.model.source_terms.errors import OutOfRange, require_positive, require_within
from services.model.source_terms.flash import flash_fraction
from services.model.source_terms.fluid import Fluid
from services.model.source_terms.gas import gas_outflow
from services.model.source_terms.heat_evaporation import SURFACES, SurfaceName
from services.model.source_terms.hole import (
    LAMINAR_LIMIT,
    Hole,
    gas_discharge_coefficient,
    liquid_discharge_coefficient,
    reynolds_number,
)
from services.model.source_terms.isolation import POOL_LONGEST_S
from services.model.source_terms.liquid import liquid_outflow
from services.model.source_terms.pool import LEAST_DEPTH_M, equivalent_radius
from services.model.source_terms.result import Assumption, FloatArray, Phase, SourceTerm
from services.model.source_terms.spill import Pool, evaporate
from services.model.source_terms.two_phase import CRITICAL_PRESSURE_SHARE, mixture_density, two_phase_outflow
from services.model.source_terms.vapour_pressure import boiling_point_at, vapour_pressure

INTERVALS = 60
# Above 1.5 times its boiling point a substance has no liquid (the rule of Guldberg and Guye).
_SUPERCRITICAL = 1.5
# Clausius and Clapeyron's law is off by some percent: a pressure this near to it counts as the vapour pressure.
_SATURATED = 0.9


@dataclass(frozen=True, slots=True)
class Leak:
    """A vessel and its hole.

    Attributes
    ----------
    phase : what comes out of the hole.
    hole : its size and shape.
    pressure_pa : absolute, in the vessel [Pa].
    temperature_k : in the vessel [K].
    mass_kg : in the vessel [kg].
    liquid_height_m : of the liquid above the hole [m].
    gas_space_m3 : above the liquid [m3]; None: the pressure holds.
    isolation_s : when the leak is shut [s]; None: never.
    bund_area_m2 : [m2]; None: the pool spreads freely.
    surface : under the pool.

    Raises `OutOfRange`.
    """

    phase: Literal["gas", "liquid", "two-phase"]
    hole: Hole
    pressure_pa: float
    temperature_k: float
    mass_kg: float
    liquid_height_m: float = 0.0
    gas_space_m3: float | None = None
    isolation_s: float | None = None
    bund_area_m2: float | None = None
    surface: SurfaceName = "cement"

    def __post_init__(self) -> None:
        require_positive("pressure in the vessel", self.pressure_pa, "Pa")
        require_within("temperature in the vessel", self.temperature_k, 20.0, 3000.0, "K")
        require_positive("mass in the vessel", self.mass_kg, "kg")
        require_within("liquid height above the hole", self.liquid_height_m, 0.0, 100.0, "m")
        if self.gas_space_m3 is not None:
            require_positive("gas space above the liquid", self.gas_space_m3, "m3")
        if self.isolation_s is not None:
            require_positive("time until the leak is shut", self.isolation_s, "s")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The air: temperature [K], pressure [Pa], wind [m/s], stability 1 (A) to 6 (F). And how long a pool lasts [s]."""

    temperature_k: float = 298.15
    pressure_pa: float = ATMOSPHERE_PA
    wind_m_s: float = 1.5
    stability: float = 6.0
    pool_s: float = POOL_LONGEST_S

    def __post_init__(self) -> None:
        require_within("ambient temperature", self.temperature_k, 200.0, 340.0, "K")
        require_within("ambient pressure", self.pressure_pa, 40_000.0, 120_000.0, "Pa")
        require_within("wind speed", self.wind_m_s, 0.0, 60.0, "m/s")
        require_within("stability class", self.stability, 1.0, 6.0, "")
        require_within("duration of the pool", self.pool_s, 1.0, 86_400.0, "s")


def release_from_vessel(fluid: Fluid, leak: Leak, around: Surroundings) -> SourceTerm:
    """Return what a leaking vessel gives to the air, over time.

    A gas goes into the air as it flows out; so does a two-phase jet, droplets and all; a liquid flashes, and the rest
    evaporates from a pool. Raises `OutOfRange`, and `MissingProperty` for a property without which not even a bound is
    to be had; where a bound is, it is taken and said among the assumptions.
    """
    match leak.phase:
        case "gas":
            return _gas(fluid, leak, around)
        case "two-phase":
            return _two_phase(fluid, leak, around)
        case "liquid":
            return _liquid(fluid, leak, around)


def _gas(fluid: Fluid, leak: Leak, around: Surroundings, *said: Assumption) -> SourceTerm:
    _require_overpressure(leak, around)
    mass, gamma = fluid.need("molar_mass_kg_mol"), fluid.need("heat_capacity_ratio")
    coefficient, area = gas_discharge_coefficient(leak.hole.shape), leak.hole.area_m2
    if _stands_above_liquid(fluid, leak):
        rate = gas_outflow(coefficient, area, leak.pressure_pa, mass, gamma, leak.temperature_k, around.pressure_pa)
        flow, held = empty(leak.mass_kg, 0.0, lambda _: rate), assume("above-liquid")
    else:
        vessel = GasVessel(leak.mass_kg, leak.pressure_pa, leak.temperature_k, mass, gamma)
        flow, held = empty_gas(vessel, coefficient, area, around.pressure_pa), assume("isothermal")
    return _jet(leak, flow, "gas", leak.temperature_k, (*said, assume("ideal-gas"), held))


def _stands_above_liquid(fluid: Fluid, leak: Leak) -> bool:
    """Whether the pressure is the vapour pressure, so that liquid below the gas keeps it up."""
    boiling, heat = fluid.boiling_point_k, fluid.heat_of_vaporisation_j_kg
    if boiling is None or heat is None or leak.temperature_k > _SUPERCRITICAL * boiling:
        return False
    saturated = vapour_pressure(leak.temperature_k, boiling, heat, fluid.need("molar_mass_kg_mol"))
    return leak.pressure_pa >= _SATURATED * saturated


def _two_phase(fluid: Fluid, leak: Leak, around: Surroundings) -> SourceTerm:
    _require_overpressure(leak, around)
    vapour_share, said = _vapour_share_in_the_hole(fluid, leak)
    if vapour_share >= 1.0:
        return _gas(fluid, leak, around, assume("gas-instead"))
    vapour = fluid.vapour_density(fluid.need("boiling_point_k"))
    density = mixture_density(vapour_share, vapour, fluid.need("liquid_density_kg_m3"))
    rate = two_phase_outflow(leak.hole.area_m2, density, leak.pressure_pa)
    flow = empty(leak.mass_kg, 0.0, lambda _: rate)
    assumed = (*said, assume("pressure-held"), assume("all-airborne"))
    return _jet(leak, flow, "two-phase", fluid.need("boiling_point_k"), assumed)


def _vapour_share_in_the_hole(fluid: Fluid, leak: Leak) -> tuple[float, tuple[Assumption, ...]]:
    """Fv of eq. F.8: what boils on the way down to the critical pressure, 0.55 P."""
    capacity, heat = fluid.heat_capacity_liquid_j_kg_k, fluid.heat_of_vaporisation_j_kg
    if capacity is None or heat is None:
        return 0.0, (assume("all-liquid-bound"),)
    critical_pa = CRITICAL_PRESSURE_SHARE * leak.pressure_pa
    boiling = boiling_point_at(critical_pa, fluid.need("boiling_point_k"), heat, fluid.need("molar_mass_kg_mol"))
    share = flash_fraction(leak.temperature_k, boiling, capacity, heat)
    return share, (assume("critical-boiling-point", boiling),)


def _jet(leak: Leak, flow: Emptying, phase: Phase, temperature_k: float, said: tuple[Assumption, ...]) -> SourceTerm:
    flow = flow if leak.isolation_s is None else flow.until(leak.isolation_s)
    edges = _edges(float(flow.times_s[-1]))
    left = float(flow.left_kg[-1])
    return SourceTerm(
        edges_s=tuple(edges.tolist()),
        rates_kg_s=tuple(flow.mean_rates(edges).tolist()),
        phase=phase,
        temperature_k=temperature_k,
        diameter_m=leak.hole.diameter_m,
        outflow_kg=left,
        pool_left_kg=0.0,
        vessel_left_kg=leak.mass_kg - left,
        assumptions=(*said, _ending(leak)),
    )


def _liquid(fluid: Fluid, leak: Leak, around: Surroundings) -> SourceTerm:
    density, boiling = fluid.need("liquid_density_kg_m3"), fluid.need("boiling_point_k")
    flow, flow_said = _liquid_flow(fluid, leak, around, density)
    share, flash_said = _flash_share(fluid, leak, boiling)
    if share >= 1.0:
        return _jet(leak, flow, "vapour", min(boiling, leak.temperature_k), (*flow_said, *flash_said))
    pool, pool_said = _pool(fluid, leak, around, density, boiling)
    flow_end = float(flow.times_s[-1])
    edges = _edges(flow_end, max(around.pool_s, flow_end))
    outflow = flow.mean_rates(edges)
    evaporation = evaporate(pool, edges, outflow * (1.0 - share))
    left = float(flow.left_kg[-1])
    return SourceTerm(
        edges_s=tuple(edges.tolist()),
        rates_kg_s=tuple((outflow * share + evaporation.rates_kg_s).tolist()),
        phase="vapour",
        temperature_k=min(boiling, around.temperature_k),
        diameter_m=2.0 * equivalent_radius(evaporation.widest_m2),
        outflow_kg=left,
        pool_left_kg=evaporation.left_kg,
        vessel_left_kg=leak.mass_kg - left,
        assumptions=(*flow_said, *flash_said, _ending(leak), *pool_said, assume("pool-ends", float(edges[-1]))),
    )


def _liquid_flow(
    fluid: Fluid, leak: Leak, around: Surroundings, density: float
) -> tuple[Emptying, tuple[Assumption, ...]]:
    vessel = LiquidVessel(leak.mass_kg, leak.pressure_pa, density, leak.liquid_height_m, leak.gas_space_m3)
    coefficient = liquid_discharge_coefficient(leak.hole.shape)
    said = [assume("level-falls")]
    if fluid.viscosity_pa_s is None:
        said.append(assume("turbulent"))
    else:
        first = liquid_outflow(
            coefficient, leak.hole.area_m2, density, leak.pressure_pa, leak.liquid_height_m, around.pressure_pa
        )
        reynolds = reynolds_number(first, leak.hole, fluid.viscosity_pa_s)
        if 0.0 < reynolds <= LAMINAR_LIMIT:
            coefficient = liquid_discharge_coefficient(leak.hole.shape, reynolds)
    space = leak.gas_space_m3
    said.append(assume("pressure-held") if space is None else assume("gas-space-expands", space))
    flow = empty_liquid(vessel, coefficient, leak.hole.area_m2, around.pressure_pa)
    return (flow if leak.isolation_s is None else flow.until(leak.isolation_s)), tuple(said)


def _flash_share(fluid: Fluid, leak: Leak, boiling_k: float) -> tuple[float, tuple[Assumption, ...]]:
    if leak.temperature_k <= boiling_k:
        return 0.0, ()
    capacity, heat = fluid.heat_capacity_liquid_j_kg_k, fluid.heat_of_vaporisation_j_kg
    if capacity is None or heat is None:
        return 1.0, (assume("all-flashes-bound"),)
    share = flash_fraction(leak.temperature_k, boiling_k, capacity, heat)
    return share, (assume("flash", share),)


def _pool(
    fluid: Fluid, leak: Leak, around: Surroundings, density: float, boiling_k: float
) -> tuple[Pool, tuple[Assumption, ...]]:
    warm = around.temperature_k > boiling_k
    pressure = around.pressure_pa if warm else min(fluid.vapour_pressure_at(around.temperature_k), around.pressure_pa)
    depth = LEAST_DEPTH_M[leak.surface]
    pool = Pool(
        density_kg_m3=density,
        least_depth_m=depth,
        bund_area_m2=leak.bund_area_m2,
        surface=SURFACES[leak.surface],
        ground_k=around.temperature_k,
        boiling_point_k=boiling_k,
        heat_of_vaporisation_j_kg=fluid.need("heat_of_vaporisation_j_kg") if warm else None,
        vapour_pressure_pa=pressure,
        molar_mass_kg_mol=fluid.need("molar_mass_kg_mol"),
        wind_m_s=around.wind_m_s,
        stability=around.stability,
    )
    said = [assume("least-depth", depth), assume("vapour-pressure", pressure)]
    if warm:
        said.append(assume("ground", leak.surface))
    if leak.bund_area_m2 is not None:
        said.append(assume("bund", float(leak.bund_area_m2)))
    return pool, tuple(said)


def _require_overpressure(leak: Leak, around: Surroundings) -> None:
    if leak.pressure_pa <= around.pressure_pa:
        raise OutOfRange("pressure in the vessel", leak.pressure_pa, f"above the ambient {around.pressure_pa:g} Pa")


def _ending(leak: Leak) -> Assumption:
    return assume("runs-empty") if leak.isolation_s is None else assume("shut", float(leak.isolation_s))


def _edges(*ends_s: float) -> FloatArray:
    """Edges from 0 to each end, short ones first: both a falling pressure and warm ground give most at the start."""
    steps = np.linspace(0.0, 1.0, INTERVALS + 1) ** 2
    edges = np.unique(np.concatenate([end * steps for end in ends_s]))
    # Of two edges that rounding alone tells apart, one goes: the mass between them would be noise.
    apart = np.concatenate(([True], np.diff(edges) > 1e-6 * edges[-1]))
    return np.append(edges[:-1][apart[:-1]], edges[-1])
