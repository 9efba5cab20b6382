"""slabx, a re-implementation of SLAB (Ermak 1990, UCRL-MA-105607), behind the engine interface.

What the adapter adds to the library: a refusal outside the range, concentrations over the whole height of the cloud,
a check of the mass that the plume carries, the front's arrival. slabx has no concentration over time, no dose and no
rate that changes.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from services.model.dispersion.dense.engine import (
    NUMERICAL_ERRORS,
    DenseResult,
    EngineFailure,
    common_limits,
    doubts,
    failed,
    refusal,
    refused,
)
from services.model.dispersion.dense.footprint import Sections, Unphysical, footprint
from services.model.dispersion.dense.installed import library_version
from services.model.dispersion.dense.scenario import AreaSource, DenseScenario, JetSource, Source, SuddenSource
from services.model.dispersion.profile import FloatArray

NEEDED = (
    "molar_mass_g_mol",
    "boiling_point_k",
    "heat_capacity_gas_j_kg_k",
    "heat_capacity_liquid_j_kg_k",
    "heat_of_vaporisation_j_kg",
    "liquid_density_kg_m3",
)

# Steps of a puff grow by an eighth each. The library's 40 begin with one of 20 s or so over 10 km: enough after a plume
# (within 3 % even for one of 5 s), but the collapse of a sudden cloud, and its gas with it, is lost. It takes 80.
STEPS_AFTER_PLUME = 40
STEPS_OF_SUDDEN = 120

# The plume has to carry the rate that was released, the puff its mass.
_MASS_TOLERANCE = 0.1
_BOILING_TOLERANCE_K = 0.5


class SlabxEngine:
    """SLAB by slabx."""

    name = "slabx"
    # The trials that slabx was tested against: 1.7 to 10.5 m/s; below 0.5 m/s its plume degenerates (slabx.scope).
    validity = common_limits(0.5, (1.7, 10.5))

    @property
    def version(self) -> str | None:
        """Of the library; None when it is not installed."""
        return library_version(self.name)

    def run(self, scenario: DenseScenario) -> DenseResult | EngineFailure:
        """Compute one scenario. Never raises over its input."""
        refusing = refusal(self, scenario, NEEDED) or _below_boiling(scenario)
        if refusing is not None:
            return refusing
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sections = _sections(scenario)
            return footprint(self.name, self.version or "", sections, scenario, doubts(self, scenario))
        except NUMERICAL_ERRORS as error:
            return failed(self.name, error)


def _below_boiling(scenario: DenseScenario) -> EngineFailure | None:
    """The library would raise a colder gas to its boiling point without a word."""
    boiling = scenario.substance.boiling_point_k or 0.0
    droplets = isinstance(scenario.source, JetSource) and scenario.source.liquid_fraction > 0.0
    if droplets or scenario.temperature_k >= boiling - _BOILING_TOLERANCE_K:
        return None
    return refused(
        SlabxEngine.name,
        f"释放温度 {scenario.temperature_k:.1f} K 低于沸点 {boiling:.1f} K，气体应已凝结。",
        f"The gas at {scenario.temperature_k:.1f} K is below its boiling point of {boiling:.1f} K.",
    )


def _sections(scenario: DenseScenario) -> Sections:
    from slabx.core.plume import run_dispersion
    from slabx.post.concentration import concentration_field
    from slabx.thermo.base import LegacyThermo, water_backend

    material, air, source = _material(scenario), _atmosphere(scenario), scenario.source
    released = _source(scenario, material)
    steps = STEPS_OF_SUDDEN if isinstance(source, SuddenSource) else STEPS_AFTER_PLUME
    trajectory, _ = run_dispersion(
        released, air, LegacyThermo(material), water_backend(), x_max=scenario.x_max_m, n_puff_steps=steps
    )
    duration = 0.0 if isinstance(source, SuddenSource) else source.duration_s
    height = "max" if scenario.receptor_height_m is None else scenario.receptor_height_m
    field = concentration_field(trajectory, air, z=height, t_avg=scenario.averaging_s, t_release=duration)
    _check_mass(trajectory, source)
    sections = Sections(
        x_m=field.x,
        peak=field.peak,
        core_m=field.b_shape,
        shoulder_m=field.beta_c,
        shape="erf",
        arrival_s=_arrival(trajectory),
    )
    return _with_slump(trajectory, sections) if isinstance(source, SuddenSource) else sections


def _with_slump(trajectory: Any, track: Sections) -> Sections:
    """Add to the track of a sudden cloud's middle the ground that the cloud covers while it slumps over the source.

    Each such row is an ellipse about the middle; the first to reach a place brings the most gas to it.
    """
    standing = trajectory.x <= trajectory.b_half_x
    # The library's mean over time divides by the cloud's speed: as long as it stands still it reads no gas.
    top = int(np.argmax(track.peak))
    peak = np.concatenate((np.full(top, track.peak[top]), track.peak[top:]))
    middle, length, width = (column[standing, None] for column in (trajectory.x, trajectory.b_half_x, track.core_m))
    upwind = np.linspace(float(np.min(middle - length)), 0.0, 16, endpoint=False)[1:]
    x = np.concatenate((upwind, track.x_m))
    ellipse = np.sqrt(np.maximum(1.0 - ((x - middle) / length) ** 2, 0.0))
    covered = np.max(width * ellipse, axis=0)
    first = np.argmax(ellipse[:, : upwind.size] > 0.0, axis=0)
    assert track.arrival_s is not None
    return Sections(
        x_m=x,
        peak=np.concatenate((peak[standing][first], peak)),
        core_m=np.maximum(covered, np.concatenate((np.zeros(upwind.size), track.core_m))),
        shoulder_m=np.concatenate((track.shoulder_m[standing][first], track.shoulder_m)),
        shape=track.shape,
        arrival_s=np.concatenate((trajectory.t[standing][first], track.arrival_s)),
    )


def _material(scenario: DenseScenario) -> Any:
    from slabx.thermo.base import Substance

    substance = scenario.substance
    assert substance.molar_mass_g_mol is not None
    return Substance(
        name=substance.name,
        mw=substance.molar_mass_g_mol / 1000.0,
        cp_vapour=substance.heat_capacity_gas_j_kg_k,
        cp_liquid=substance.heat_capacity_liquid_j_kg_k,
        dh_vap=substance.heat_of_vaporisation_j_kg,
        T_boil=substance.boiling_point_k,
        rho_liquid=substance.liquid_density_kg_m3,
    )


def _atmosphere(scenario: DenseScenario) -> Any:
    from slabx.submodels.atmosphere import Atmosphere

    weather = scenario.weather
    measured = weather.inverse_length_per_m
    return Atmosphere(
        u_ref=weather.wind_speed_m_s,
        z_ref=weather.wind_height_m,
        T=weather.temperature_k,
        rh=weather.humidity_pct,
        z0=weather.roughness_m,
        stability=weather.stability if measured is None else None,
        inv_L=measured,
        p=weather.pressure_pa,
    )


def _source(scenario: DenseScenario, material: Any) -> Any:
    from slabx.core.source import EvaporatingPool, HorizontalJet, InstantaneousRelease
    from slabx.core.vertical_jet import VerticalJet

    source = scenario.source
    common = {"substance": material, "area": source.area_m2, "T_source": scenario.temperature_k}
    if isinstance(source, SuddenSource):
        return InstantaneousRelease(rate=0.0, duration=0.0, mass=source.mass_kg, **common)
    common |= {"rate": source.rate_kg_s, "duration": source.duration_s}
    if isinstance(source, AreaSource):
        return EvaporatingPool(**common)
    kind = HorizontalJet if source.direction == "horizontal" else VerticalJet
    return kind(liquid_fraction=source.liquid_fraction, height=source.height_m, **common)


def _check_mass(trajectory: Any, source: Source) -> None:
    """Hold what the cloud carries against what was released: 2 R m of a plume (R spans half of it), 4 R m of a puff."""
    held = trajectory.R_flux * trajectory.mass_frac
    if isinstance(source, SuddenSource):
        carried = 4.0 * held / source.mass_kg
    else:
        plume = np.flatnonzero(trajectory.is_plume & (trajectory.x > trajectory.meta.get("effective_half_width", 0.0)))
        # The rise of a jet is interpolated and no balance holds in it.
        begun = plume[plume.size // 2 :] if isinstance(source, JetSource) else plume
        carried = 2.0 * held[begun] / source.rate_kg_s
    if carried.size and float(np.max(np.abs(carried - 1.0))) > _MASS_TOLERANCE:
        raise Unphysical(
            f"the cloud carries {carried.min():.3f} to {carried.max():.3f} of what was released: mass is not conserved"
        )


def _arrival(trajectory: Any) -> FloatArray:
    """Return when the front reaches each x [s].

    While SLAB's plume stands, its clock runs until as much is behind x as ahead of it: twice the travel time. The puff
    reaches its half-length ahead of its middle.
    """
    plume = trajectory.is_plume
    reach = np.where(plume, trajectory.x, trajectory.x + trajectory.b_half_x)
    times = np.where(plume, 0.5 * trajectory.t, trajectory.t)
    order = np.argsort(reach, kind="stable")
    earliest = np.minimum.accumulate(times[order][::-1])[::-1]
    return np.asarray(np.interp(trajectory.x, reach[order], earliest))
