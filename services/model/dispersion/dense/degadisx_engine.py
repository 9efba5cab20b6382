"""degadisx, a re-implementation of DEGADIS 2.1 (Spicer & Havens 1989, EPA-450/4-89-019), behind the engine interface.

A continuous release is run as DEGADIS's steady plume; what its finite length takes off is a closed form with DEGADIS's
own spread along the wind (its transient run takes fifty times as long, and differs by a few per cent on the LNG pools).
A sudden release is DEGADIS's transient run. Jets and droplets are refused: its jet is vertical only, and its droplets
need a density table that a catalogue of pure substances does not give.
"""

from __future__ import annotations

import math
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
from services.model.dispersion.dense.footprint import Sections, Unphysical, finite_release_factor, footprint
from services.model.dispersion.dense.installed import library_version
from services.model.dispersion.dense.scenario import AreaSource, DenseScenario, JetSource, SuddenSource
from services.model.dispersion.profile import FloatArray

NEEDED = ("molar_mass_g_mol", "heat_capacity_gas_j_kg_k")

_PA_PER_ATM = 101_325.0
_FOREVER_S = 6.023e4
_OBSERVERS = 20
_SNAPSHOTS = 40

# DEGADIS has no solution for the momentum of a tall cylinder as it falls; one this flat (height / width) starts with
# the balance of gravity at its front instead, which a cloud of any shape reaches within seconds.
_FLAT = 0.09

# The last section has to stand past the domain; DEGADIS writes one every 80 m or so.
_BEYOND_M = 300.0

# Colder than the ground by more than this [K], the cloud is warmed by it.
_WARMED_K = 1.0

# Levels between which DEGADIS reckons an explosive mass; nothing here reads it, and levels farther apart overflow it.
_UPPER_FRACTION, _LOWER_FRACTION = 0.15, 0.05


class DegadisxEngine:
    """DEGADIS by degadisx."""

    name = "degadisx"
    # Desert Tortoise, Burro, Coyote, Maplin Sands and Thorney Island: 1.7 to 9.6 m/s.
    validity = common_limits(1.0, (1.7, 9.6))

    @property
    def version(self) -> str | None:
        """Of the library; None when it is not installed."""
        return library_version(self.name)

    def run(self, scenario: DenseScenario) -> DenseResult | EngineFailure:
        """Compute one scenario. Never raises over its input."""
        refusing = refusal(self, scenario, NEEDED) or _jet(scenario)
        if refusing is not None:
            return refusing
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sudden = isinstance(scenario.source, SuddenSource)
                sections = _transient(scenario) if sudden else _steady(scenario)
            return footprint(self.name, self.version or "", sections, scenario, doubts(self, scenario))
        except NUMERICAL_ERRORS as error:
            return _too_steep(scenario) or failed(self.name, error)


def _jet(scenario: DenseScenario) -> EngineFailure | None:
    if not isinstance(scenario.source, JetSource):
        return None
    return refused(
        DegadisxEngine.name,
        "degadisx 只接受地面面源和瞬时释放，不接受射流。",
        "degadisx takes releases from an area of ground and sudden ones, and no jets.",
    )


def _too_steep(scenario: DenseScenario) -> EngineFailure | None:
    """DEGADIS puts a power law in the place of the wind's profile, with an exponent of 0.5 at most."""
    from degadisx.core.atmosphere import fit_alpha
    from degadisx.core.numerics import RootBracketError

    weather = scenario.weather
    try:
        fit_alpha(weather.wind_speed_m_s, weather.wind_height_m, weather.roughness_m, _obukhov_length(scenario))
    except RootBracketError:
        length = f"{_obukhov_length(scenario):.3g}"
        return refused(
            DegadisxEngine.name,
            f"粗糙度 {weather.roughness_m:g} m、莫宁-奥布霍夫长度 {length} m 下风廓线过陡，"
            "超出 degadisx 幂指数范围 0.05–0.5。",
            f"Over a roughness of {weather.roughness_m:g} m at a Monin-Obukhov length of {length} m the wind's profile "
            "is steeper than degadisx can follow (power-law exponent 0.05–0.5).",
        )
    return None


def _steady(scenario: DenseScenario) -> Sections:
    from degadisx.run import _DEFAULT_ER2, NumericalParameters, SteadyStateRun, _downwind, run_source

    source = scenario.source
    assert isinstance(source, AreaSource)
    start = run_source(_case(scenario))
    down = _bounded(_downwind(start, rebuild_table=True), scenario.x_max_m)
    settings = NumericalParameters(values=dict(_DEFAULT_ER2), labels=[])
    profile = SteadyStateRun(down, start.handoff(), settings).run()
    columns = {name: profile.column(name) for name in ("dist", "yc", "cc", "gamma", "b", "sz", "sy")}
    rows = columns["yc"] > 0.0
    x, sz = columns["dist"][rows], columns["sz"][rows]
    peak = _at_height(scenario, start, {name: column[rows] for name, column in columns.items()})
    speed = _cloud_speed(start, sz)
    sigma_x = _spread_along(scenario, x)
    peak = peak * finite_release_factor(speed * source.duration_s, speed * scenario.averaging_s, sigma_x)
    arrival = np.concatenate(([0.0], np.cumsum(np.diff(x) / (0.5 * (speed[1:] + speed[:-1])))))
    # The ground that the cloud covers at the source: upwind edge to downwind edge alike.
    return Sections(
        x_m=np.concatenate(([-x[0]], x)),
        peak=np.concatenate((peak[:1], peak)),
        core_m=np.concatenate((columns["b"][rows][:1], columns["b"][rows])),
        shoulder_m=np.concatenate((columns["sy"][rows][:1], columns["sy"][rows])),
        shape="gauss",
        arrival_s=np.concatenate(([0.0], arrival)),
    )


def _transient(scenario: DenseScenario) -> Sections:
    from degadisx.run import (
        _DEFAULT_ER2,
        NumericalParameters,
        TimeSort,
        TransientRun,
        _downwind,
        run_source,
    )

    start = run_source(_case(scenario))
    down = _bounded(_downwind(start, rebuild_table=False), scenario.x_max_m)
    hand = start.handoff()
    settings = NumericalParameters(values=dict(_DEFAULT_ER2), labels=[])
    run = TransientRun(down, hand, settings, start.vectors, nobs=_OBSERVERS)
    run.hmrte = start.thermo.hmrte
    field = run.run()
    sorter = TimeSort(
        field,
        sigxco=hand["sigxco"],
        sigxp=hand["sigxp"],
        sigxmd=hand["sigxmd"],
        sigxfl=True,
        alpha1=start.alpha + 1.0,
        gammaf=start.gammaf,
        table=start.thermo.table,
        gas=start.case.gas,
        ambient=start.thermo.ambient,
    )
    last = max(float(observer.rows[-1, 1]) for observer in field.observers if len(observer.rows) > 1)
    # A few observers see a slice of the cloud, and its length and its densest place are not in it.
    snapshots = sorter.run(np.geomspace(2.0, max(last, 4.0), _SNAPSHOTS), min_points=_OBSERVERS // 2)
    return _followed(scenario, start, snapshots)


def _followed(scenario: DenseScenario, start: Any, snapshots: list[Any]) -> Sections:
    """Follow the densest place of the cloud from snapshot to snapshot; its track is the footprint's axis."""
    rows = []
    for snapshot in snapshots:
        best = int(np.argmax(snapshot.column("ccstr")))
        row = {
            name: float(snapshot.column(name)[best]) for name in ("dist", "yc", "cc", "ccstr", "gamma", "b", "sz", "sy")
        }
        x, blurred = snapshot.column("dist"), snapshot.column("ccstr")
        length = float(np.trapezoid(blurred, x)) / max(row["ccstr"], 1e-30)
        rows.append(row | {"length": length, "front": float(x[-1]), "time": float(snapshot.time)})
    rows = [row for row in rows if row["yc"] > 0.0 and row["ccstr"] > 0.0]
    # Over the source the blanket is the answer; past it, only what moves on.
    reached = np.maximum.accumulate([float(start.handoff()["rmax"]), *(row["dist"] for row in rows)])
    rows = [row for row, before in zip(rows, reached[:-1], strict=True) if row["dist"] > before]
    if len(rows) < 3:
        raise Unphysical("DEGADIS gave too few snapshots of the cloud")
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns["yc"] = columns["yc"] * columns["ccstr"] / columns["cc"]
    peak = _at_height(scenario, start, columns)
    speed = _cloud_speed(start, columns["sz"])
    # A window over a cloud of this length, taken as a Gaussian one.
    sigma = np.maximum(columns["length"], 1.0) / math.sqrt(2.0 * math.pi)
    window = np.maximum(speed * scenario.averaging_s, 1e-3 * sigma)
    share = np.array([math.erf(value) for value in window / (2.0 * math.sqrt(2.0) * sigma)])
    peak = peak * share * sigma * math.sqrt(2.0 * math.pi) / window
    fronts = np.maximum.accumulate(columns["front"])
    arrival = np.interp(columns["dist"], fronts, np.maximum.accumulate(columns["time"]))
    return _with_blanket(start, Sections(columns["dist"], peak, columns["b"], columns["sy"], "gauss", arrival))


def _with_blanket(start: Any, past: Sections) -> Sections:
    """Put before the sections past the source the blanket of gas as it spread: a disc, densest where it began."""
    listing = start.vectors.listing
    radius, fraction, time = listing[:, 1], listing[:, 5], listing[:, 0]
    x = np.concatenate((-radius[::-1], radius))
    assert past.arrival_s is not None
    return Sections(
        x_m=np.concatenate((x, past.x_m)),
        peak=np.concatenate((np.maximum(np.concatenate((fraction[::-1], fraction)), past.peak[0]), past.peak)),
        core_m=np.concatenate((np.sqrt(np.maximum(radius[-1] ** 2 - x**2, 0.0)), past.core_m)),
        shoulder_m=np.concatenate((np.full(x.size, past.shoulder_m[0]), past.shoulder_m)),
        shape="gauss",
        arrival_s=np.concatenate((time[::-1], time, np.maximum(past.arrival_s, time[-1]))),
    )


def _bounded(down: Any, x_max_m: float) -> Any:
    """End the integration past the domain: DEGADIS itself only ends where the gas is thin, however far that is."""

    def ending(step: Any) -> Any:
        def run(x: float, *rest: Any) -> Any:
            state = step(x, *rest)
            if x > x_max_m + _BEYOND_M:
                state.yc = 0.0
            return state

        return run

    down.pss, down.ssg = ending(down.pss), ending(down.ssg)
    return down


def _at_height(scenario: DenseScenario, start: Any, columns: dict[str, FloatArray]) -> FloatArray:
    """Mole fraction on the axis at the receptors' height; the maximum over the height stands at the ground."""
    if scenario.receptor_height_m is None:
        return columns["yc"]
    thinner = np.exp(-((scenario.receptor_height_m / columns["sz"]) ** (1.0 + start.alpha)))
    ambient, gas = start.thermo.ambient, start.case.gas

    def fraction(concentration: FloatArray) -> FloatArray:
        contaminant = concentration / (start.thermo.table.rhoa + concentration * columns["gamma"])
        dry_air = (1.0 - contaminant) / (1.0 + ambient.humid)
        water = 1.0 - contaminant - dry_air
        moles = contaminant / gas.mw
        return np.asarray(moles / (moles + dry_air / 28.96 + water / 18.02))

    return np.asarray(columns["yc"] * fraction(columns["cc"] * thinner) / fraction(columns["cc"]))


def _cloud_speed(start: Any, sz_m: FloatArray) -> FloatArray:
    """Speed [m/s] at which DEGADIS's cloud of scale Sz moves: its flux over its load."""
    case = start.case
    return np.asarray(case.u0 * (sz_m / case.z0) ** start.alpha / start.gammaf)


def _spread_along(scenario: DenseScenario, x_m: FloatArray) -> FloatArray:
    """DEGADIS's sigma_x [m]; none nearer than it is defined."""
    spread = _stability(scenario)
    return np.asarray(np.where(x_m > spread.sigxmd, spread.sigxco * np.maximum(x_m, 1.0) ** spread.sigxp, 0.0))


def _stability(scenario: DenseScenario) -> Any:
    """DEGADIS's table of classes, read between the classes: coefficients by logarithm, exponents linearly."""
    from degadisx.core.atmosphere import StabilityDefaults, stability_defaults

    weather = scenario.weather
    low = min(int(weather.stability), 5)
    share = weather.stability - low
    a, b = (stability_defaults(weather.roughness_m, number, scenario.averaging_s) for number in (low, low + 1))

    def between(name: str) -> float:
        return float((1.0 - share) * getattr(a, name) + share * getattr(b, name))

    def logarithmic(name: str) -> float:
        return float(getattr(a, name) ** (1.0 - share) * getattr(b, name) ** share)

    return StabilityDefaults(
        rml=_obukhov_length(scenario),
        deltay=logarithmic("deltay"),
        betay=between("betay"),
        deltaz=logarithmic("deltaz"),
        betaz=between("betaz"),
        gammaz=between("gammaz"),
        sigxco=logarithmic("sigxco"),
        sigxp=between("sigxp"),
        sigxmd=between("sigxmd"),
    )


def _obukhov_length(scenario: DenseScenario) -> float:
    """L [m], with DEGADIS's zero for an endless one."""
    inverse = scenario.weather.obukhov_inverse_per_m
    return 0.0 if abs(inverse) < 1e-6 else 1.0 / inverse


def _case(scenario: DenseScenario) -> Any:
    from degadisx.core.atmosphere import absolute_humidity
    from degadisx.core.thermo import AmbientConditions, GasProperties, LegacyBackend
    from degadisx.io.inp import Case

    weather, substance = scenario.weather, scenario.substance
    assert substance.molar_mass_g_mol is not None
    assert substance.heat_capacity_gas_j_kg_k is not None
    pressure = weather.pressure_pa / _PA_PER_ATM
    humidity, relative = absolute_humidity(
        weather.temperature_k, pressure, LegacyBackend().water_vapour_pressure, relhum=weather.humidity_pct
    )
    gas = GasProperties(
        name="GAS",
        mw=substance.molar_mass_g_mol,
        temp=scenario.temperature_k,
        rho=scenario.gas_density(),
        # The correlation's form of a constant heat capacity (degadisx.io.inp, CPP = 0).
        cpk=substance.molar_mass_g_mol * substance.heat_capacity_gas_j_kg_k - 3.33e4,
        cpp=1.0,
        ulc=_UPPER_FRACTION,
        llc=_LOWER_FRACTION,
    )
    ambient = AmbientConditions(
        tamb=weather.temperature_k,
        pamb=pressure,
        humid=humidity,
        tsurf=weather.temperature_k,
        ihtfl=int(weather.temperature_k - scenario.temperature_k > _WARMED_K),
    )
    sudden = isinstance(scenario.source, SuddenSource)
    return Case(
        titles=["Fenceline"],
        u0=weather.wind_speed_m_s,
        z0=weather.wind_height_m,
        zr=weather.roughness_m,
        istab=round(weather.stability),
        oodist=0.0,
        avtime=scenario.averaging_s,
        indvel=2,
        rml=_obukhov_length(scenario),
        gas=gas,
        ambient=ambient,
        relhum=relative,
        yclow=0.5 * scenario.lowest_kg_m3 / scenario.kg_m3_per_mole_fraction(),
        gmass0=scenario.source.mass_kg if isinstance(scenario.source, SuddenSource) else 0.0,
        source=_table(scenario, gas, ambient),
        steady_state=not sudden,
        instantaneous=sudden,
        stability=_stability(scenario),
    )


def _table(scenario: DenseScenario, gas: Any, ambient: Any) -> Any:
    """The source in time, with the enthalpy and density that the library's deck reader would derive."""
    from degadisx.core.thermo import LegacyBackend, Thermo
    from degadisx.io.inp import SourceTable

    source = scenario.source
    if isinstance(source, SuddenSource):
        flat = (source.mass_kg / gas.rho / (2.0 * math.pi * _FLAT)) ** (1.0 / 3.0)
        rate, radius, end = 0.0, max(math.sqrt(source.area_m2 / math.pi), flat), 1.0
    else:
        rate, radius, end = source.rate_kg_s, math.sqrt(source.area_m2 / math.pi), _FOREVER_S
    thermo = Thermo(gas=gas, ambient=ambient, backend=LegacyBackend())
    enthalpy = thermo.enthalpy(1.0, 0.0, scenario.temperature_k)
    density = thermo.properties(1.0, 0.0, enthalpy, ifl=-1, temp=scenario.temperature_k).rho
    ones = np.ones(4)
    return SourceTable(
        time=np.array([0.0, end, end + 1.0, end + 2.0]),
        rate=np.array([rate, rate, 0.0, 0.0]),
        radius=radius * ones,
        wc=ones.copy(),
        temp=scenario.temperature_k * ones,
        fracv=ones.copy(),
        enthalpy=enthalpy * ones,
        rho=density * ones,
    )
