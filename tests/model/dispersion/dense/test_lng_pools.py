"""Both engines together on the Burro and Coyote pools; every input from physics, none from the concentrations.

Koopman 1982, Goldwire 1983. The evaporation flux is the data's, the cloud crosses dry land but for the pool itself,
the samplers stand 1 m high and show short peaks (1 s, which each engine raises to the least that it knows).
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from services.model.dispersion.dense.combine import combine
from services.model.dispersion.dense.degadisx_engine import DegadisxEngine
from services.model.dispersion.dense.engine import DenseResult
from services.model.dispersion.dense.scenario import evaporating_pool, standard_properties, weather_from_fluxes
from services.model.dispersion.dense.slabx_engine import SlabxEngine

DATA = Path(__file__).resolve().parents[5] / "shared" / "validation" / "lng_dispersion"
METHANE = "74-82-8"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the field trials are not at {DATA}")


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def predicted(trial: dict[str, str], x: list[float]) -> list[float]:
    weather = weather_from_fluxes(
        wind_speed_m_s=float(trial["u_2m_m_s"]),
        wind_height_m=2.0,
        obukhov_length_m=float(trial["L_m"]),
        roughness_m=float(trial["z0_m"]),
        temperature_k=float(trial["T_air_C"]) + 273.15,
        humidity_pct=float(trial["rh_pct"]),
        pressure_pa=float(trial["p_Pa"]),
    )
    pool = evaporating_pool(
        standard_properties()[METHANE][0],
        rate_kg_s=float(trial["rate_kg_s"]),
        flux_kg_m2_s=float(trial["evaporation_flux_kg_m2_s"]),
        duration_s=float(trial["duration_s"]),
        weather=weather,
        averaging_s=1.0,
        receptor_height_m=float(trial["sensor_height_m"]),
    )
    results = [engine.run(pool) for engine in (SlabxEngine(), DegadisxEngine())]
    answers = [result for result in results if isinstance(result, DenseResult)]
    assert len(answers) == 2, results
    result = combine(answers).result
    return list(result.centreline_at(x) / result.kg_m3_per_mole_fraction)


def test_the_mean_of_both_engines_is_within_a_factor_two_of_four_arcs_in_five() -> None:
    arcs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows("arcs.csv"):
        if (row["trial"], float(row["x_m"])) != ("Burro7", 800.0):
            arcs[row["trial"]].append((float(row["x_m"]), float(row["max_ch4_volpct"]) / 100.0))
    ratios = []
    for trial in rows("trials.csv"):
        x, observed = zip(*arcs[trial["trial"]], strict=True)
        ratios += [seen / told for seen, told in zip(observed, predicted(trial, list(x)), strict=True)]
    logs = np.log(ratios)
    assert len(ratios) == 29
    assert np.mean(np.abs(logs) <= np.log(2.0)) >= 0.80
    assert 0.7 <= np.exp(logs.mean()) <= 1.3
