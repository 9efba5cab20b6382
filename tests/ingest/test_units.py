import pytest

from services.ingest.meaning.units import UnitError, molar_volume, scale


@pytest.mark.parametrize(
    ("unit", "stored", "molar_mass", "celsius", "expected"),
    [
        ("mg/m3", "mg/m3", None, 25, 1.0),
        ("ug/m3", "mg/m3", None, 25, 1e-3),
        ("ng/m3", "mg/m3", None, 25, 1e-6),
        ("ppm", "mg/m3", 70.906, 0, 70.906 / 22.4),  # HJ 212-2017 equation 20
        ("ppm", "mg/m3", 70.906, 25, 70.906 / 24.45),  # HJ 169-2018 uses 24.45 L/mol at 25 degC
        ("ppb", "mg/m3", 17.0305, 20, 17.0305 / 24.04 / 1000),
        ("ppm", "%", 31.998, 25, 1e-4),
        ("hPa", "kPa", None, 25, 0.1),
    ],
)
def test_scale(unit: str, stored: str, molar_mass: float | None, celsius: float, expected: float) -> None:
    assert scale(unit, stored, molar_mass, celsius) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("unit", "stored", "molar_mass"), [("ppm", "mg/m3", None), ("mg/m3", "%", 32.0), ("degC", "mg/m3", 1.0)]
)
def test_what_cannot_be_converted_is_told(unit: str, stored: str, molar_mass: float | None) -> None:
    with pytest.raises(UnitError, match=f"{unit} cannot become {stored}"):
        scale(unit, stored, molar_mass, 25)


def test_molar_volume() -> None:
    assert molar_volume(25) == pytest.approx(24.45, abs=0.005)
