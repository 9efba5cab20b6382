import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.chemicals.conversion import mg_m3_per_ppm, mg_m3_to_ppm, ppm_to_mg_m3


def test_the_molar_volume_of_the_tables_at_25_degrees() -> None:
    assert ppm_to_mg_m3(20, 70.906) == pytest.approx(58, rel=1e-3)
    assert mg_m3_per_ppm(24.45) == pytest.approx(1.0)


def test_a_ppm_is_more_mass_in_cold_and_dense_air() -> None:
    # 22.4 L/mol at 0 deg C and 101.325 kPa.
    assert mg_m3_per_ppm(22.4, temperature_c=0) == pytest.approx(1.0, rel=1e-3)
    assert mg_m3_per_ppm(30, pressure_kpa=202.65 / 2) == pytest.approx(mg_m3_per_ppm(30))
    assert mg_m3_per_ppm(30, pressure_kpa=50) < mg_m3_per_ppm(30)


@given(st.floats(1e-6, 1e6), st.floats(1, 500), st.floats(-100, 500), st.floats(10, 200))
def test_back_and_forth_is_where_it_was(ppm: float, mass: float, celsius: float, pressure: float) -> None:
    there = ppm_to_mg_m3(ppm, mass, celsius, pressure)
    assert mg_m3_to_ppm(there, mass, celsius, pressure) == pytest.approx(ppm, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 25, 101), "molar mass"),
        ((float("nan"), 25, 101), "molar mass"),
        ((70, -300, 101), "-100..500"),
        ((70, 25, 0), "10..200"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments: tuple[float, float, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mg_m3_per_ppm(*arguments)
