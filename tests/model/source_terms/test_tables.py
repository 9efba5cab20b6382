import pytest

from services.model.source_terms import OutOfRange
from services.model.source_terms.fire import unburnt_fraction
from services.model.source_terms.hole import (
    Hole,
    Shape,
    gas_discharge_coefficient,
    liquid_discharge_coefficient,
    reynolds_number,
)
from services.model.source_terms.hole_sizes import equipment_cases, pipe_cases
from services.model.source_terms.isolation import release_time_s
from services.model.source_terms.mass_evaporation import stability_coefficients
from services.model.source_terms.pool import pool_area


@pytest.mark.parametrize(
    ("shape", "turbulent", "laminar", "gas"),
    [("circle", 0.65, 0.50, 1.00), ("triangle", 0.60, 0.45, 0.95), ("slot", 0.55, 0.40, 0.90)],
)
def test_discharge_coefficients(shape: Shape, turbulent: float, laminar: float, gas: float) -> None:
    assert liquid_discharge_coefficient(shape, 100.1) == turbulent
    assert liquid_discharge_coefficient(shape, 100.0) == laminar
    assert gas_discharge_coefficient(shape) == gas


def test_reynolds_number_of_a_round_hole() -> None:
    # 1 kg/s of water (1e-3 Pa s) through 10 mm: v = 12.73 m/s, v d rho / mu = 127 324.
    assert reynolds_number(1.0, Hole(0.010), 1e-3) == pytest.approx(127_324, rel=1e-5)


@pytest.mark.parametrize(
    ("stability", "expected"),
    [
        (1, (0.2, 3.846e-3)),
        (2, (0.2, 3.846e-3)),
        (3, (0.25, 4.685e-3)),
        (4, (0.25, 4.685e-3)),
        (4.5, (0.275, 4.985e-3)),
        (5, (0.3, 5.285e-3)),
        (6, (0.3, 5.285e-3)),
    ],
)
def test_stability_coefficients(stability: float, expected: tuple[float, float]) -> None:
    assert stability_coefficients(stability) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("amount", "lc50", "share"),
    [
        (50, 100, 0.05),
        (100, 500, 0.10),
        (101, 500, 0.03),
        (1000, 15_000, 0.08),
        (5000, 50_000, 0.03),
        (100_000, 20_000, 0.005),
    ],
)
def test_unburnt_share_in_a_fire(amount: float, lc50: float, share: float) -> None:
    assert unburnt_fraction(amount, lc50) == pytest.approx(share)


@pytest.mark.parametrize(("amount", "lc50"), [(50, 5000), (2000, 100), (200_000, 100)])
def test_where_the_table_of_fires_has_no_share_none_is_made_up(amount: float, lc50: float) -> None:
    with pytest.raises(OutOfRange, match="amount"):
        unburnt_fraction(amount, lc50)


def test_leaks_that_are_assumed_and_their_sizes() -> None:
    assert [case.outcome for case in equipment_cases("vessel")] == ["hole", "emptied-in-10-min", "rupture"]
    assert equipment_cases("vessel")[0].diameter_m == 0.010
    assert equipment_cases("pump", 1.0)[0].diameter_m == 0.050
    assert [case.diameter_m for case in pipe_cases(0.1)] == [pytest.approx(0.01), 0.1]
    assert pipe_cases(0.05)[1].frequency > pipe_cases(0.1)[1].frequency > pipe_cases(0.2)[1].frequency
    assert not any(case.verified for case in equipment_cases("hose", 0.1))
    with pytest.raises(OutOfRange, match="pipe"):
        equipment_cases("arm")


def test_a_pool_is_as_wide_as_its_liquid_or_its_bund() -> None:
    assert pool_area(1.0, 0.005) == 200
    assert pool_area(1.0, 0.005, bund_area_m2=50) == 50
    assert pool_area(0.1, 0.005, bund_area_m2=50) == 20


def test_isolation_shortens_a_leak() -> None:
    assert (release_time_s(True), release_time_s(False)) == (600, 1800)
