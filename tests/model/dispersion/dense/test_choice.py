"""Which engines a Richardson number leads to."""

from dataclasses import replace

import pytest

from services.model.dispersion import ENGINE_NAME
from services.model.dispersion.dense.choice import NEAR_FACTOR, engines_for
from services.model.dispersion.richardson import CONTINUOUS_CUT_OFF, DenseGasDecision

BOTH = ("slabx", "degadisx")
NEUTRAL = (ENGINE_NAME,)


def decision(ratio: float | None) -> DenseGasDecision:
    value = None if ratio is None else ratio * CONTINUOUS_CUT_OFF
    dense = ratio is not None and ratio >= 1.0
    return DenseGasDecision("continuous", value, CONTINUOUS_CUT_OFF, dense, 3.6 if value else 0.7, 1.2, 1.0)


@pytest.mark.parametrize(
    ("ratio", "primary", "others"),
    [
        (None, NEUTRAL, ()),
        (0.9 / NEAR_FACTOR, NEUTRAL, ()),
        (1.1 / NEAR_FACTOR, NEUTRAL, BOTH),
        (1.0, BOTH, NEUTRAL),
        (0.9 * NEAR_FACTOR, BOTH, NEUTRAL),
        (1.1 * NEAR_FACTOR, BOTH, ()),
    ],
)
def test_far_from_the_cut_off_one_kind_and_near_it_both(
    ratio: float | None, primary: tuple[str, ...], others: tuple[str, ...]
) -> None:
    choice = engines_for(decision(ratio), BOTH)
    assert (choice.primary, choice.others) == (primary, others)
    assert not choice.dense_missing
    assert "HJ 169" in choice.reason.zh
    assert "HJ 169" in choice.reason.en


def test_the_reason_near_the_cut_off_gives_the_number_and_the_factor() -> None:
    said = engines_for(decision(1.2), BOTH).reason
    assert "0.2" in said.en
    assert "factor 2" in said.en
    assert "2 倍" in said.zh


def test_one_engine_alone_is_enough() -> None:
    assert engines_for(decision(5.0), ["degadisx"]).primary == ("degadisx",)


def test_without_any_the_neutral_engine_answers_and_the_result_says_what_is_missing() -> None:
    choice = engines_for(decision(5.0), [])
    assert choice.primary == NEUTRAL
    assert choice.dense_missing
    assert "No dense-gas engine is installed" in choice.reason.en
    assert "未安装重气模型" in choice.reason.zh
    assert not engines_for(replace(decision(0.1)), []).dense_missing


def test_what_is_installed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines_for(decision(5.0)).primary == BOTH
    monkeypatch.setattr("services.model.dispersion.dense.isolation.library_version", lambda _: None)
    assert engines_for(decision(5.0)).dense_missing
