import pytest

from services.model.chemicals import all_chemicals, search


@pytest.mark.parametrize(
    ("text", "cas"),
    [
        ("7782-50-5", "7782-50-5"),
        ("7782505", "7782-50-5"),
        ("chlorine", "7782-50-5"),
        ("  CHLOR ine ", "7782-50-5"),
        ("氯气", "7782-50-5"),
        ("a21022", "7782-50-5"),
        ("A21001", "7664-41-7"),
        ("硫化氢", "7783-06-4"),
        ("ethylene dichloride", "107-06-2"),
        ("hydrogen sulf", "7783-06-4"),
    ],
)
def test_the_substance_that_is_meant_comes_first(text: str, cas: str) -> None:
    assert search(text)[0].cas == cas


def test_a_part_finds_all_that_have_it_the_nearest_first() -> None:
    found = [entry.name.en for entry in search("chlor")]
    assert found[0].startswith("Chlor")
    assert "Hydrogen chloride" in found
    assert len(found) > 20


def test_nothing_finds_all_and_nonsense_finds_nothing() -> None:
    assert len(search(" ")) == len(all_chemicals())
    assert search("xyzzy") == []
