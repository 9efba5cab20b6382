import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.model.chemicals
from services.model.chemicals import Guideline, UnknownChemical, all_chemicals, chemical
from services.model.chemicals.missing import MIXTURE, NOT_IN_TABLE, NOT_RECOMMENDED, missing
from services.model.chemicals.properties import Properties

DATA = Path(services.model.chemicals.__file__).parent
CHLORINE, AMMONIA, BENZENE, PHOSGENE, MERCURY = "7782-50-5", "7664-41-7", "71-43-2", "75-44-5", "7439-97-6"


def test_every_substance_has_both_endpoints_in_order_and_a_source() -> None:
    for entry in all_chemicals():
        assert entry.endpoint1_mg_m3 > entry.endpoint2_mg_m3 > 0, entry.cas
        assert entry.source
    assert len({entry.cas for entry in all_chemicals()}) == len(all_chemicals()) == 142


@pytest.mark.parametrize(
    ("cas", "first", "second"),
    [(CHLORINE, 58, 5.8), (AMMONIA, 770, 110), ("7783-06-4", 70, 38), (PHOSGENE, 3, 1.2), (BENZENE, 13000, 2600)],
)
def test_endpoints_of_the_standard(cas: str, first: float, second: float) -> None:
    entry = chemical(cas)
    assert (entry.endpoint1_mg_m3, entry.endpoint2_mg_m3) == (first, second)


def test_check_digits_of_cas_numbers_hold() -> None:
    for entry in all_chemicals():
        digits = entry.cas.replace("-", "")
        weighted = sum(int(d) * i for i, d in enumerate(reversed(digits[:-1]), start=1))
        assert weighted % 10 == int(digits[-1]), entry.cas


@pytest.mark.parametrize("name", ["guidelines.csv", "properties.csv", "probit.csv"])
def test_every_row_of_every_table_belongs_to_a_substance_and_tells_its_source(name: str) -> None:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert chemical(row["cas"]) is not None
        assert row["source"]
        assert row["verified"] in ("yes", "no")
        assert ("from memory" not in row["source"]) or row["verified"] == "no", row


@pytest.mark.parametrize(
    ("cas", "expected"),
    [
        (CHLORINE, (0.5, 2, 20)),
        (AMMONIA, (30, 160, 1100)),
        ("7783-06-4", (0.51, 27, 50)),
        ("7446-09-5", (0.2, 0.75, 30)),
        ("10102-44-0", (0.5, 12, 20)),
        ("7664-39-3", (1, 24, 44)),
        ("7647-01-0", (1.8, 22, 100)),
        ("74-90-8", (2, 7.1, 15)),
        (PHOSGENE, (None, 0.3, 0.75)),
        ("630-08-0", (None, 83, 330)),
        (BENZENE, (52, 800, 4000)),
        ("75-21-8", (None, 45, 200)),
        ("7726-95-6", (0.033, 0.24, 8.5)),
        ("75-15-0", (13, 160, 480)),
    ],
)
def test_aegl_of_sixty_minutes(cas: str, expected: tuple[float | None, ...]) -> None:
    assert tuple(entry.ppm if entry else None for entry in chemical(cas).aegl[60]) == expected


def test_the_levels_of_a_table_rise_and_fall_with_time() -> None:
    for entry in all_chemicals():
        for triple in (*entry.aegl.values(), entry.erpg, entry.pac):
            values = [level.value for level in triple if level is not None and level.value is not None]
            assert values == sorted(values), entry.cas
        for level in range(3):
            series = [triple[level] for triple in entry.aegl.values()]
            over_time = [step.value for step in series if step is not None and step.value is not None]
            assert over_time == sorted(over_time, reverse=True), (entry.cas, level)


def test_not_recommended_is_neither_zero_nor_unknown() -> None:
    first = chemical(PHOSGENE).aegl[60][0]
    assert isinstance(first, Guideline)
    assert (first.value, first.ppm, first.mg_m3) == (None, None, None)
    assert chemical("68476-85-7").aegl[60][0] is None
    reasons = {lack.what: lack.reason for lack in missing(chemical(PHOSGENE))}
    assert reasons["aegl-1-60min"] == NOT_RECOMMENDED
    assert reasons["heat_of_vaporisation"] == NOT_IN_TABLE
    assert "aegl-2-60min" not in reasons
    assert {lack.what: lack.reason for lack in missing(chemical("68476-85-7"))}["molar_mass"] == MIXTURE


def test_no_value_is_zero_and_what_is_not_verified_is_marked() -> None:
    for entry in all_chemicals():
        assert all(limit.value is None or limit.value > 0 for limit in entry.guidelines.all()), entry.cas
    erpg = chemical(CHLORINE).erpg[1]
    acrylonitrile = chemical("107-13-1").aegl
    assert erpg is not None
    ten, sixty = acrylonitrile[10][1], acrylonitrile[60][1]
    assert ten is not None
    assert sixty is not None
    assert (ten.verified, sixty.verified) == (False, True)
    assert not chemical("56-23-5").read_in_standard


def test_units_of_a_table_are_kept_and_converted_where_that_means_something() -> None:
    chlorine = chemical(CHLORINE).aegl[60][1]
    mercury = chemical(MERCURY).aegl[60][1]
    assert chlorine is not None
    assert mercury is not None
    assert chlorine.unit == "ppm"
    assert chlorine.mg_m3 == pytest.approx(2 * 70.906 / 24.45)
    assert (mercury.unit, mercury.ppm, mercury.mg_m3) == ("mg/m3", None, 1.7)


def test_endpoints_agree_with_the_aegl_and_pac_that_the_standard_took_them_from() -> None:
    agreeing = 0
    for entry in all_chemicals():
        for endpoint, index in ((entry.endpoint1_mg_m3, 2), (entry.endpoint2_mg_m3, 1)):
            tables = (entry.aegl[60][index], entry.pac[index])
            found = [level.mg_m3 for level in tables if level is not None and level.mg_m3 is not None]
            agreeing += any(endpoint == pytest.approx(value, rel=0.07) for value in found)
    assert agreeing > 240


def test_explosion_comes_first_where_a_level_is_above_the_lower_limit_of_flammability() -> None:
    methane = chemical("74-82-8")
    assert [level.lel_share for level in methane.pac if level is not None] == [1, 1, 1]
    assert methane.guidelines.lel is not None
    assert methane.guidelines.lel.ppm == 50_000


@pytest.mark.parametrize(("minutes", "duration"), [(5, 10), (10, 10), (11, 30), (60, 60), (61, 240), (9999, 480)])
def test_aegl_for_an_exposure_is_of_the_next_longer_duration(minutes: float, duration: int) -> None:
    found = chemical(CHLORINE).guidelines.aegl_for(2, minutes)
    assert found is not None
    assert found.duration_min == duration


@given(exposure=st.floats(0, 1000), longer=st.floats(0, 1000), level=st.integers(1, 3))
def test_a_longer_exposure_never_allows_a_higher_aegl(exposure: float, longer: float, level: int) -> None:
    for entry in all_chemicals():
        first = entry.guidelines.aegl_for(level, exposure)
        second = entry.guidelines.aegl_for(level, exposure + longer)
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert first.value is not None
            assert second.value is not None
            assert second.value <= first.value, entry.cas


def test_properties_carry_their_source_and_stay_none_where_unknown() -> None:
    ammonia = chemical(AMMONIA).properties
    assert ammonia.heat_of_vaporisation is not None
    assert (ammonia.heat_of_vaporisation.value, ammonia.heat_of_vaporisation.unit) == (1369895, "J/kg")
    assert chemical(AMMONIA).boiling_point_c == -33.3
    assert chemical(CHLORINE).properties.heat_capacity_liquid is None
    assert chemical("67-64-1").properties == Properties()


def test_probit_constants_keep_their_units_apart() -> None:
    chlorine = chemical(CHLORINE)
    assert chlorine.probit is not None
    assert (chlorine.probit.a, chlorine.probit.b, chlorine.probit.n) == (-6.35, 0.5, 2.75)
    assert chlorine.probit.verified
    assert {probit.concentration_unit for probit in chlorine.probits} == {"mg/m3", "ppm"}
    dioxide = chemical("7446-09-5").probit
    assert dioxide is not None
    assert not dioxide.verified
    assert sum(entry.probit is not None for entry in all_chemicals()) == 17


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(UnknownChemical, match="50-00-1"):
        chemical("50-00-1")
    assert chemical("68476-85-7").molar_mass_g_mol is None
