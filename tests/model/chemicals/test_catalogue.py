import pytest

from services.model.chemicals import UnknownChemical, all_chemicals, chemical


def test_every_substance_has_both_endpoints_in_order_and_a_source() -> None:
    for entry in all_chemicals():
        assert entry.endpoint1_mg_m3 > entry.endpoint2_mg_m3 > 0, entry.cas
        assert entry.source
    assert len({entry.cas for entry in all_chemicals()}) == len(all_chemicals()) == 142


@pytest.mark.parametrize(
    ("cas", "first", "second"),
    [
        ("7782-50-5", 58, 5.8),
        ("7664-41-7", 770, 110),
        ("7783-06-4", 70, 38),
        ("75-44-5", 3, 1.2),
        ("71-43-2", 13000, 2600),
    ],
)
def test_endpoints_of_the_standard(cas: str, first: float, second: float) -> None:
    entry = chemical(cas)
    assert (entry.endpoint1_mg_m3, entry.endpoint2_mg_m3) == (first, second)


def test_check_digits_of_cas_numbers_hold() -> None:
    for entry in all_chemicals():
        digits = entry.cas.replace("-", "")
        weighted = sum(int(d) * i for i, d in enumerate(reversed(digits[:-1]), start=1))
        assert weighted % 10 == int(digits[-1]), entry.cas


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(UnknownChemical, match="50-00-1"):
        chemical("50-00-1")
    assert chemical("68476-85-7").molar_mass_g_mol is None
