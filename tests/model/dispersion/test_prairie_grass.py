"""The plume against Project Prairie Grass (Barad 1958): arc maxima of the odd-numbered runs.

The measurements stay where they are; where the folder is absent the test says so.
"""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.plume import plume
from services.model.dispersion.stability import stability_of_curves

FOLDER = Path(os.environ.get("FENCELINE_VALIDATION", Path(__file__).parents[4] / "shared" / "validation"))
DATA = FOLDER / "prairie_grass"
ROUGHNESS_M = 0.006


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not DATA.exists(), reason=f"no field measurements at {DATA}")
def test_arc_maxima_of_prairie_grass() -> None:
    weather = {row["run"]: row for row in rows("met.csv")}
    observed, predicted = [], []
    for arc in rows("arcs.csv"):
        met = weather.get(arc["run"])
        if met is None:
            continue
        inverse_length = 1.0 / float(met["L_m"])
        conditions = Meteorology(
            wind_speed_m_s=float(met["u_2m_m_s"]),
            wind_from_deg=float(met["wind_dir_deg"]),
            stability=stability_of_curves(inverse_length),
            roughness_m=ROUGHNESS_M,
            wind_height_m=2.0,
            sigma_theta_deg=float(met["sigma_azimuth_deg"]),
            measured_inverse_length_per_m=inverse_length,
        )
        shape = plume(conditions, float(arc["source_height_m"]), initial_sigma_m=0.01)
        rate = float(arc["Q_g_s"]) / 1000.0
        predicted.append(
            1e6 * float(shape.concentration(rate, float(arc["arc_m"]), 0.0, float(arc["sampler_height_m"])))
        )
        observed.append(float(arc["cmax_corr_mg_m3"]))
    ratio = np.array(observed) / np.array(predicted)
    within_factor_two = float(np.mean((ratio >= 0.5) & (ratio <= 2.0)))
    assert len(ratio) == 130
    assert within_factor_two > 0.83
    assert 0.9 < float(np.exp(np.log(ratio).mean())) < 1.1
    assert float(np.exp((np.log(ratio) ** 2).mean())) < 1.3
