import pytest

from services.model.source_terms import OutOfRange, release_from_fire
from services.model.source_terms.fire import carbon_monoxide, sulfur_dioxide, unburnt_fraction


def test_a_fire_of_carbon_disulfide_gives_off_its_sulfur_for_as_long_as_it_burns() -> None:
    burning_kg_s, sulfur = 2.0, 2 * 32.06 / 76.14
    term = release_from_fire(sulfur_dioxide(burning_kg_s, sulfur), 1800, 8.0, 298.15)
    # One kilogram of sulfur makes two of SO2.
    assert term.airborne_kg == pytest.approx(2.0 * 1800 * sulfur * 2)
    assert term.series == [[0.0, term.peak_rate_kg_s], [1800, 0.0]]
    assert {assumption.code for assumption in term.assumptions} == {"steady-fire", "fire-temperature"}


def test_what_does_not_burn_is_a_small_share() -> None:
    mass_kg, duration_s = 50_000.0, 3600.0
    term = release_from_fire(unburnt_fraction(50, 500) * mass_kg / duration_s, duration_s, 10.0, 298.15)
    assert term.airborne_kg == pytest.approx(0.10 * mass_kg)


def test_a_fire_that_gives_off_nothing_is_refused() -> None:
    with pytest.raises(OutOfRange, match="release rate"):
        release_from_fire(carbon_monoxide(0.0), 600, 5.0, 298.15)
