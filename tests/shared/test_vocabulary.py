import re

from shared.vocabulary import observed_properties

CF_NAME = re.compile(r"http://vocab\.nerc\.ac\.uk/standard_name/([a-z0-9_]+)/")


def test_what_has_a_substance_or_a_standard_name_is_defined() -> None:
    undefined = {name for name, known in observed_properties().items() if known.definition is None}
    assert undefined == {"non-methane-hydrocarbons", "tvoc", "furnace-temperature", "sound-level"}
    assert observed_properties()["ammonia"].definition == (
        "http://vocab.nerc.ac.uk/standard_name/mass_concentration_of_ammonia_in_air/"
    )
    assert observed_properties()["chlorine"].definition == "https://identifiers.org/cas:7782-50-5"


def test_no_two_are_defined_as_the_same() -> None:
    definitions = [known.definition for known in observed_properties().values() if known.definition]
    assert len(set(definitions)) == len(definitions)


def test_a_standard_name_is_that_of_the_quantity_in_its_unit() -> None:
    for known in observed_properties().values():
        named = CF_NAME.fullmatch(known.definition or "")
        if named is not None:
            assert named[1].startswith("mass_concentration_of_") == (known.unit == "mg/m3"), known.id


def test_cas_numbers_are_sound() -> None:
    """Their last digit checks the others (CAS Registry)."""
    for known in observed_properties().values():
        if known.cas is not None:
            *digits, check = (int(digit) for digit in known.cas if digit.isdigit())
            assert sum(place * digit for place, digit in enumerate(reversed(digits), 1)) % 10 == check, known.id
