"""Field trials as they stand in a folder: other trials in the same layout are read alike.

`prairie_grass/` has `met.csv` and `arcs.csv` (passive plumes), `lng_dispersion/` has `trials.csv` and `arcs.csv` (dense
pools); units stand in the columns' names.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

NEUTRAL_FOLDER = "prairie_grass"
DENSE_FOLDER = "lng_dispersion"

# Project Prairie Grass, O'Neill, Nebraska: mown grass. A `z0_m` column says otherwise.
_PRAIRIE_ROUGHNESS_M = 0.006
_ANEMOMETER_M = 2.0

# What cannot be scored, and why (the data's own documentation).
LEFT_OUT = {("Burro7", 800.0): "0.01 % observed: the cloud missed the arc"}


@dataclass(frozen=True, slots=True)
class PlumeTrial:
    """Weather of one run of a passive plume, averaged over its 10 minutes."""

    run: str
    inverse_length_per_m: float
    wind_2m_m_s: float
    sigma_azimuth_deg: float | None
    mixing_height_m: float | None
    roughness_m: float
    class_letter: str


@dataclass(frozen=True, slots=True)
class PlumeArc:
    """Highest concentration [mg/m3] on one arc [m] of a run."""

    run: str
    distance_m: float
    rate_kg_s: float
    source_height_m: float
    sampler_height_m: float
    observed_mg_m3: float


@dataclass(frozen=True, slots=True)
class PoolTrial:
    """A pool that evaporates on water, and its weather."""

    name: str
    formula: str
    rate_kg_s: float
    flux_kg_m2_s: float
    duration_s: float
    temperature_k: float
    humidity_pct: float
    pressure_pa: float
    length_m: float
    roughness_m: float
    wind_2m_m_s: float
    sensor_height_m: float
    averaging_s: float


@dataclass(frozen=True, slots=True)
class PoolArc:
    """Highest volume fraction [%] on one arc [m] of a trial."""

    trial: str
    distance_m: float
    observed_pct: float


def read_plumes(folder: Path) -> tuple[dict[str, PlumeTrial], list[PlumeArc]]:
    """Return the weather of each run and all arcs on which gas was found; arcs of runs without weather are there too.

    A run whose wind or L was not measured has no weather. Raises FileNotFoundError or KeyError, naming the file or
    column that is missing.
    """
    weathers = _rows(folder / NEUTRAL_FOLDER / "met.csv")
    trials = {row["run"]: _plume_trial(row) for row in weathers if row["L_m"].strip() and row["u_2m_m_s"].strip()}
    arcs = [
        PlumeArc(
            run=row["run"],
            distance_m=float(row["arc_m"]),
            rate_kg_s=float(row["Q_g_s"]) / 1000.0,
            source_height_m=float(row["source_height_m"]),
            sampler_height_m=float(row["sampler_height_m"]),
            observed_mg_m3=float(row["cmax_corr_mg_m3"]),
        )
        for row in _rows(folder / NEUTRAL_FOLDER / "arcs.csv")
        if (_number(row["cmax_corr_mg_m3"]) or 0.0) > 0.0
    ]
    return trials, arcs


def read_pools(folder: Path) -> tuple[dict[str, PoolTrial], list[PoolArc]]:
    """Return each trial and all arcs with gas. Raises FileNotFoundError or KeyError, naming what is missing."""
    trials = {row["trial"]: _pool_trial(row) for row in _rows(folder / DENSE_FOLDER / "trials.csv")}
    rows = _rows(folder / DENSE_FOLDER / "arcs.csv")
    column = next((name for name in rows[0] if name.endswith("_volpct")), "max_ch4_volpct") if rows else ""
    return trials, [
        PoolArc(row["trial"], float(row["x_m"]), float(row[column])) for row in rows if _number(row[column])
    ]


def _plume_trial(row: dict[str, str]) -> PlumeTrial:
    return PlumeTrial(
        run=row["run"],
        inverse_length_per_m=1.0 / float(row["L_m"]),
        wind_2m_m_s=float(row["u_2m_m_s"]),
        sigma_azimuth_deg=_number(row["sigma_azimuth_deg"]),
        mixing_height_m=_number(row.get("zi_m")),
        roughness_m=_number(row.get("z0_m")) or _PRAIRIE_ROUGHNESS_M,
        class_letter=row.get("golder_class_from_L", ""),
    )


def _pool_trial(row: dict[str, str]) -> PoolTrial:
    text = row["substance"]
    formula = text.split("modelled as", 1)[1].strip(" )") if "modelled as" in text else text
    return PoolTrial(
        name=row["trial"],
        formula=formula,
        rate_kg_s=float(row["rate_kg_s"]),
        flux_kg_m2_s=float(row["evaporation_flux_kg_m2_s"]),
        duration_s=float(row["duration_s"]),
        temperature_k=float(row["T_air_C"]) + 273.15,
        humidity_pct=float(row["rh_pct"]),
        pressure_pa=float(row["p_Pa"]),
        length_m=float(row["L_m"]),
        roughness_m=float(row["z0_m"]),
        wind_2m_m_s=float(row["u_2m_m_s"]),
        sensor_height_m=float(row["sensor_height_m"]),
        # Sensors of Burro and Coyote answer within a second, those of Maplin Sands within three.
        averaging_s=_number(row.get("averaging_s")) or (3.0 if row["trial"].startswith("Maplin") else 1.0),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text and text.strip() else None


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
