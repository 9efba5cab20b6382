import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.validation.scores import score

POSITIVE = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30)


@given(POSITIVE)
def test_a_perfect_model_scores_perfectly(values: list[float]) -> None:
    found = score(values, values)
    assert (found.fac2, found.mg, found.vg, found.n) == (1.0, 1.0, 1.0, len(values))
    assert found.fb == pytest.approx(0.0)
    assert found.nmse == pytest.approx(0.0)


def test_twice_too_high_everywhere() -> None:
    """Observed over predicted is a half: MG 1/2, ln VG = (ln 2)^2, FB = 2 (1 - 2) / 3, on the edge of FAC2."""
    found = score([1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
    assert found.mg == pytest.approx(0.5)
    assert found.vg == pytest.approx(math.exp(math.log(2) ** 2))
    assert found.fb == pytest.approx(-2.0 / 3.0)
    assert found.fac2 == 1.0
    assert score([1.0], [2.01]).fac2 == 0.0
    # NMSE by hand: mean((1, 2, 4)^2) / (7/3 x 14/3).
    assert found.nmse == pytest.approx(7.0 / (7.0 / 3.0 * 14.0 / 3.0))


@given(POSITIVE, st.floats(1e-3, 1e3))
def test_scores_have_no_unit(values: list[float], unit: float) -> None:
    predicted = [1.3 * value + 1e-7 for value in values]
    one, other = score(values, predicted), score([v * unit for v in values], [p * unit for p in predicted])
    assert other.fb == pytest.approx(one.fb, abs=1e-9)
    assert other.vg == pytest.approx(one.vg)


@pytest.mark.parametrize(
    ("observed", "predicted"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [math.nan])]
)
def test_what_cannot_be_scored_is_refused(observed: list[float], predicted: list[float]) -> None:
    with pytest.raises(ValueError, match="scores need"):
        score(observed, predicted)
