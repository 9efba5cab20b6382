"""What a run gives, computed for real."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from shapely.geometry import Point, shape

from services.model.dispersion.dense import choice, isolation
from services.model.dispersion.exposure import exposure_at
from services.model.dispersion.projection import local_frame
from services.model.dispersion.release import sudden_release
from services.model.runs.answers import KG_PER_MG, neutral_answer
from services.model.runs.compute import compute
from services.model.runs.levels import named_levels, zone_levels
from services.model.runs.progress import Cancelled
from services.model.runs.result import RunResult
from tests.model.runs.plans import BENZENE, CHLORINE, plan_of


@cache
def light() -> RunResult:
    return compute(plan_of(named=("aegl-1",)))


@cache
def uncertain() -> RunResult:
    return compute(plan_of(rate_interval=(0.001, 13.0)))


@cache
def dense() -> RunResult:
    return compute(plan_of(CHLORINE, rate_interval=(0.001, 13.0)))


def features(collection: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    assert collection is not None
    return {feature["properties"]["key"]: feature for feature in collection["features"]}


def band(result: RunResult, key: str, chance: float) -> dict[str, Any]:
    assert result.ensemble is not None
    found = (feature for feature in result.ensemble.bands["features"] if feature["properties"]["key"] == key)
    return next(feature for feature in found if feature["properties"]["probability"] == chance)


def test_the_levels_of_a_run_by_name() -> None:
    substance = plan_of().chemical
    found, missing = named_levels(substance, ("aegl-2", "endpoint-1", "aegl-2", "idlh"), 10.0)
    assert [level.key for level in found] == ["aegl-2", "idlh"]
    assert missing == []
    assert "10 min" in found[0].label.en
    levels = zone_levels(substance, [1.0, 770.0], found)
    assert [level.level_mg_m3 for level in levels] == sorted((level.level_mg_m3 for level in levels), reverse=True)
    assert [level.name for level in levels].count("endpoint-1") == 1
    assert levels[-1].name == "custom:1"


def test_a_level_that_a_substance_does_not_have_is_told() -> None:
    assert named_levels(plan_of("75-44-5").chemical, ("aegl-1",), 60.0) == ([], ["aegl-1"])


def test_probability_bands_lie_within_each_other_around_the_footprint() -> None:
    areas = [shape(band(light(), "endpoint-2", chance)["geometry"]).area for chance in (0.1, 0.5, 0.9)]
    assert areas[0] > areas[1] > areas[2]
    single = shape(features(light().zones)["endpoint-2"]["geometry"]).area
    assert areas[1] < single < areas[0]
    outer = shape(band(light(), "endpoint-2", 0.1)["geometry"])
    assert outer.is_valid
    assert outer.buffer(2e-5).contains(shape(band(light(), "endpoint-2", 0.5)["geometry"]))


def test_an_uncertain_rate_draws_the_middle_band_and_the_outer_one() -> None:
    keys = [feature["properties"]["key"] for feature in uncertain().zones["features"]]
    assert keys == ["endpoint-1-p10", "endpoint-1", "endpoint-2-p10", "endpoint-2"]
    drawn = features(uncertain().zones)
    assert drawn["endpoint-2"]["properties"]["probability"] == 0.5
    assert drawn["endpoint-2-p10"]["properties"]["probability"] == 0.1
    assert drawn["endpoint-2-p10"]["properties"]["area_m2"] > 10 * drawn["endpoint-2"]["properties"]["area_m2"]
    codes = {entry.code for entry in uncertain().warnings}
    assert "rate-uncertain-bands" in codes


def test_without_an_ensemble_there_is_one_footprint() -> None:
    result = compute(plan_of(rate_interval=(0.001, 13.0), members=0))
    assert result.ensemble is None
    assert set(features(result.zones)) == {"endpoint-1", "endpoint-2"}
    assert "rate-uncertain" in {entry.code for entry in result.warnings}
    assert result.receptors[0].chances == {}


def test_the_same_seed_gives_the_same_bands() -> None:
    again = compute(plan_of(named=("aegl-1",)))
    assert again.ensemble == light().ensemble


def test_people_are_counted_where_the_map_shows_them() -> None:
    drawn = features(light().zones)
    for receptor in light().receptors:
        point = Point(receptor.longitude, receptor.latitude)
        for key, feature in drawn.items():
            assert (key in receptor.inside) == shape(feature["geometry"]).buffer(1e-6).contains(point)
    people = sum(r.population for r in light().receptors if "endpoint-2" in r.inside)
    assert drawn["endpoint-2"]["properties"]["people"] == people > 0


def test_the_ground_reached_grows_and_ends_at_the_footprint() -> None:
    assert light().arrivals is not None
    reached = light().arrivals["features"]  # type: ignore[index]
    areas = [feature["properties"]["area_m2"] for feature in reached]
    times = [feature["properties"]["time_s"] for feature in reached]
    assert times == sorted(times)
    assert areas == sorted(areas)
    assert areas[-1] == pytest.approx(features(light().zones)["endpoint-2"]["properties"]["area_m2"], rel=0.05)


def test_a_receptors_curve_holds_its_peak_and_its_arrival() -> None:
    hospital = next(receptor for receptor in light().receptors if receptor.id == "hospital")
    assert hospital.series
    assert hospital.outdoor
    assert hospital.indoor
    assert max(hospital.series.outdoor_mg_m3) == hospital.peak_mg_m3 == hospital.outdoor.peak_mg_m3
    assert hospital.indoor.peak_mg_m3 < hospital.outdoor.peak_mg_m3
    assert hospital.indoor.dose_mg_min_m3 < hospital.outdoor.dose_mg_min_m3
    # A steady plume for ten minutes: the dose is the peak for as long.
    assert hospital.outdoor.dose_mg_min_m3 == pytest.approx(10.0 * hospital.peak_mg_m3, rel=0.05)
    assert hospital.arrival_s
    assert 10.0 < hospital.arrival_s < 120.0
    assert hospital.chances["endpoint-1"] <= hospital.chances["endpoint-2"]
    village = next(receptor for receptor in light().receptors if receptor.id == "village")
    assert village.series is None
    assert light().points[0].id == "gate"
    assert light().points[0].peak_mg_m3 > hospital.peak_mg_m3


def test_units_twice_the_rate_is_twice_the_dose_and_a_higher_load() -> None:
    twice = compute(plan_of(rate_kg_s=1.0, members=0)).points[0].outdoor
    once = light().points[0].outdoor
    assert once
    assert twice
    assert once.toxic_load
    assert twice.dose_mg_min_m3 == pytest.approx(2.0 * once.dose_mg_min_m3, rel=1e-3)
    # n = 2 for ammonia.
    assert twice.toxic_load == pytest.approx(4.0 * once.toxic_load, rel=1e-3)


def test_where_the_standard_has_no_constants_no_death_is_foretold() -> None:
    harm = compute(plan_of(BENZENE, members=0)).points[0].outdoor
    assert harm
    assert harm.toxic_load is None
    assert harm.death_probability is None


def test_a_dense_gas_is_computed_by_dense_engines_with_the_neutral_one_beside() -> None:
    result = dense()
    assert result.engine == "slabx + degadisx"
    assert result.richardson
    assert result.richardson.dense
    assert "dense-gas" not in {entry.code for entry in result.warnings}
    engines = {entry.engine: entry for entry in result.engines}
    assert engines[result.engine].primary
    assert {"neutral-puff", "slabx", "degadisx"} <= engines.keys()
    apart = [engines[name].distances_m["endpoint-2"] for name in ("slabx", "degadisx")]
    assert min(apart) <= engines[result.engine].distances_m["endpoint-2"] * 1.01
    assert engines["slabx"].zones
    drawn = features(result.zones)
    assert shape(drawn["endpoint-2-p10"]["geometry"]).buffer(3e-5).contains(shape(drawn["endpoint-2"]["geometry"]))
    assert len(result.frames) > 5
    early, late = (features(frame.zones)["endpoint-2"]["properties"] for frame in (result.frames[0], result.frames[4]))
    assert early["max_distance_m"] < late["max_distance_m"]
    school = next(receptor for receptor in result.receptors if receptor.id == "school")
    assert school.arrival_s
    assert 60.0 < school.arrival_s < 900.0
    assert school.outdoor
    assert school.outdoor.death_probability is not None


def test_the_failure_of_one_engine_is_told_and_the_other_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"slabx": isolation.ENGINES["slabx"], "degadisx": "services.model.no_such_module:Engine"}
    with isolation.EnginePool(1, broken) as pool:
        monkeypatch.setattr("services.model.runs.dense.shared_pool", lambda: pool)
        result = compute(plan_of(CHLORINE, members=0))
    failed = next(entry for entry in result.engines if entry.engine == "degadisx")
    assert failed.failure
    assert "engine-failed" in {entry.code for entry in result.warnings}
    assert result.engine in ("slabx", "neutral-puff")


def test_without_dense_engines_the_neutral_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "installed_engines", tuple)
    result = compute(plan_of(CHLORINE, members=0))
    assert result.engine == "neutral-puff"
    assert "dense-gas" in {entry.code for entry in result.warnings}


def test_a_sudden_release_and_one_that_settles() -> None:
    plan = plan_of(release=sudden_release(300.0, 2.0), rate_kg_s=300.0, release_end_s=1.0, members=10)
    result = compute(plan)
    assert result.mass_kg == pytest.approx(300.0)
    # The cloud passes the gate within seconds; a coarser series would miss it.
    answer = neutral_answer(plan, [])
    east, north = local_frame(119.0, 37.1).to_metres([119.0008], [37.1003])
    fine = exposure_at(answer.model, east, north, 200.0, 1.5, 800).peak[0] / KG_PER_MG
    assert result.points[0].peak_mg_m3 == pytest.approx(fine, rel=0.1)
    settling = compute(plan_of(members=0, deposition_velocity_m_s=0.05))
    assert settling.receptors[0].peak_mg_m3 < light().receptors[0].peak_mg_m3
    assert "flat-terrain-deposition" in {entry.code for entry in settling.assumptions}


def test_a_rate_that_empties_the_source_ends_early() -> None:
    plan = plan_of(inventory_kg=1000.0)
    assert plan.release_at(5.0).total_kg == pytest.approx(1000.0)
    assert plan.release_at(5.0).end_s == pytest.approx(200.0)
    assert plan.release_at(1.0).end_s == 600.0
    assert plan_of(inventory_kg=100.0).release_at(0.5).total_kg == pytest.approx(300.0)


def test_progress_rises_and_a_run_can_be_stopped() -> None:
    told: list[float] = []
    compute(plan_of(members=0), lambda share, _step: told.append(share))
    assert told == sorted(told)
    assert len(told) > 3

    def stop(_share: float, step: str) -> None:
        if step == "zones":
            raise Cancelled

    with pytest.raises(Cancelled):
        compute(plan_of(members=0), stop)


def test_a_result_of_many_places_stays_small() -> None:
    plan = plan_of(named=("aegl-1", "aegl-2", "aegl-3"), nodes=400)
    crowd = [replace(place, id=f"{place.id}-{n}") for n in range(40) for place in plan.receptors]
    result = compute(replace(plan, receptors=crowd, rate_interval=(0.001, 13.0)))
    document = result.model_dump_json()
    assert len(document) < 500_000
    assert RunResult.model_validate_json(document) == result
    assert json.loads(document)["receptors"][0]["series"]


def test_old_results_can_still_be_read() -> None:
    """The first version's results had none of the newer entries."""
    document = light().model_dump(mode="json")
    for key in (
        "chemical",
        "source",
        "mass_kg",
        "points",
        "arrivals",
        "engines",
        "ensemble",
        "indoor_air_changes_per_h",
    ):
        del document[key]
    for receptor in document["receptors"]:
        for key in ("outdoor", "indoor", "chances", "series", "above_endpoint2_s"):
            del receptor[key]
    assert RunResult.model_validate(document).ensemble is None
