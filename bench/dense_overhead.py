"""What the dense-gas adapter costs above slabx itself, for one release of chlorine.

Alone, slabx integrates its cloud and evaluates the concentration along the axis. The adapter does the same, and
checks the input and the answer and lays it out on a grid. Neither waits for anything, so processor time is compared:
a difference of a few hundredths would drown in what else the machine does meanwhile.
"""

from __future__ import annotations

import time
import warnings

from slabx.core.plume import run_dispersion
from slabx.core.source import EvaporatingPool
from slabx.post.concentration import concentration_field
from slabx.submodels.atmosphere import Atmosphere
from slabx.thermo.base import LegacyThermo, Substance, water_backend

from bench.benchmark import Measured
from bench.timing import alternate, ratio, rounded
from services.model.dispersion.dense.engine import EngineFailure
from services.model.dispersion.dense.scenario import AreaSource, DenseScenario, DenseWeather, standard_properties
from services.model.dispersion.dense.slabx_engine import SlabxEngine

CHLORINE = "7782-50-5"
RATE_KG_S = 1.0
AREA_M2 = 10.0
DURATION_S = 600.0
FARTHEST_M = 10_000.0
AVERAGING_S = 60.0


def measure(budget_s: float) -> Measured:
    """The adapter's time over slabx's, less one, round by round."""
    scenario = _scenario()
    found = SlabxEngine().run(scenario)
    assert not isinstance(found, EngineFailure), f"the adapter gave no answer to time: {found.reason.en}"

    def alone() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _alone(scenario)

    timings = alternate({"adapter": lambda: SlabxEngine().run(scenario), "slabx": alone}, budget_s, time.process_time)
    overhead = ratio(timings["adapter"], timings["slabx"]) - 1.0
    return Measured(rounded(overhead), {name: timing.summary() for name, timing in timings.items()})


def _scenario() -> DenseScenario:
    substance, _ = standard_properties()[CHLORINE]
    assert substance.boiling_point_k is not None
    return DenseScenario(
        substance=substance,
        source=AreaSource(RATE_KG_S, AREA_M2, DURATION_S),
        temperature_k=substance.boiling_point_k,
        weather=DenseWeather(wind_speed_m_s=3.0, stability=4.0, temperature_k=288.15, roughness_m=0.1),
        averaging_s=AVERAGING_S,
        x_max_m=FARTHEST_M,
    )


def _alone(scenario: DenseScenario) -> object:
    known, weather = scenario.substance, scenario.weather
    assert known.molar_mass_g_mol is not None
    material = Substance(
        name=known.name,
        mw=known.molar_mass_g_mol / 1000.0,
        cp_vapour=known.heat_capacity_gas_j_kg_k,
        cp_liquid=known.heat_capacity_liquid_j_kg_k,
        dh_vap=known.heat_of_vaporisation_j_kg,
        T_boil=known.boiling_point_k,
        rho_liquid=known.liquid_density_kg_m3,
    )
    air = Atmosphere(
        u_ref=weather.wind_speed_m_s,
        z_ref=weather.wind_height_m,
        T=weather.temperature_k,
        rh=weather.humidity_pct,
        z0=weather.roughness_m,
        stability=weather.stability,
        p=weather.pressure_pa,
    )
    pool = EvaporatingPool(
        substance=material, area=AREA_M2, T_source=scenario.temperature_k, rate=RATE_KG_S, duration=DURATION_S
    )
    trajectory, _ = run_dispersion(pool, air, LegacyThermo(material), water_backend(), x_max=FARTHEST_M)
    return concentration_field(trajectory, air, z="max", t_avg=AVERAGING_S, t_release=DURATION_S)
