from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.alerts.conditions import RAW
from services.alerts.conditions import Measure as Computed
from services.alerts.conditions.measures import (
    BaselineDeviation,
    Deviation,
    Implausible,
    Maximum,
    Mean,
    NOfM,
    Percentile,
    RateOfChange,
    Stuck,
)
from services.alerts.rules import Delays, Override, Overrides, effective_rules
from services.alerts.rules.measures import measure_of
from shared.measures import Measure
from shared.park_file import RuleNumbers

S = 1_000_000
LEVELS = [{"colour": "yellow", "threshold": 2, "source": "permit"}]
DOCUMENTS: TypeAdapter[Measure] = TypeAdapter(Measure)


@pytest.mark.parametrize(
    ("document", "measure"),
    [
        ({"kind": "raw"}, RAW),
        ({"kind": "mean", "window_s": 900}, Mean(900 * S)),
        ({"kind": "maximum", "window_s": 60}, Maximum(60 * S)),
        ({"kind": "percentile", "window_s": 600, "percent": 95}, Percentile(600 * S, 95.0)),
        ({"kind": "n_of_m", "n": 3, "m": 5}, NOfM(3, 5)),
        ({"kind": "rate_of_change", "window_s": 300}, RateOfChange(300 * S)),
        ({"kind": "deviation", "window_s": 3600, "least": 0.05}, Deviation(3600 * S, 0.05)),
        ({"kind": "baseline_deviation", "least": 0.05}, BaselineDeviation(14, 7, 0.05)),
        (
            {"kind": "baseline_deviation", "over_days": 30, "least_days": 10, "least": 0.01},
            BaselineDeviation(30, 10, 0.01),
        ),
        ({"kind": "stuck"}, Stuck(7200 * S, 0.0, 0.0)),
        ({"kind": "stuck", "window_s": 900, "tolerance": 0.01, "above": 0.1}, Stuck(900 * S, 0.01, 0.1)),
        ({"kind": "implausible", "low": -0.5, "high": 500}, Implausible(-0.5, 500.0)),
    ],
)
def test_each_document_is_computed_and_told_again(document: dict[str, Any], measure: Computed) -> None:
    parsed = DOCUMENTS.validate_python(document)
    assert measure_of(parsed) == measure
    assert DOCUMENTS.validate_python(measure.told()) == parsed
    assert DOCUMENTS.validate_json(DOCUMENTS.dump_json(parsed)) == parsed


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"kind": "median"}, "median"),
        ({"kind": "mean"}, "window_s"),
        ({"kind": "mean", "window_s": 0}, "window_s"),
        ({"kind": "mean", "window_s": 90_000}, "28800"),
        ({"kind": "mean", "window_s": 60, "percent": 5}, "percent"),
        ({"kind": "n_of_m", "n": 5, "m": 3}, "5 of 3"),
        ({"kind": "percentile", "window_s": 60, "percent": 101}, "percent"),
        ({"kind": "deviation", "window_s": 60, "least": 0}, "least"),
        ({"kind": "implausible", "low": 1, "high": 1}, "low end"),
        ({"kind": "baseline_deviation", "over_days": 3, "least": 1}, "of 3 days 7"),
        ({"kind": "baseline_deviation", "over_days": 90, "least": 1}, "over_days"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(document: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        DOCUMENTS.validate_python(document)


def test_the_nearest_word_about_the_measure_counts_and_brings_its_unit() -> None:
    def said(name: str, ring: str | None, **body: object) -> Override:
        return Override("chlorine", ring, None, RuleNumbers.model_validate(body), name=name)

    overrides = Overrides(
        [
            said("rise", None, levels=LEVELS, measure={"kind": "rate_of_change", "window_s": 300}),
            said("rise", "boundary", measure={"kind": "mean", "window_s": 60}),
        ]
    )
    at_source, at_boundary = (
        {rule.rule_id: rule for rule in effective_rules(ring, "chlorine", overrides, Delays())}
        for ring in ("source", "boundary")
    )
    assert at_source["level.chlorine"].condition().measure == RAW
    assert at_source["rise.chlorine"].condition().measure == RateOfChange(300 * S)
    assert at_source["rise.chlorine"].unit == "mg/m3/min"
    assert at_boundary["rise.chlorine"].condition().measure == Mean(60 * S)
    assert at_boundary["rise.chlorine"].unit == "mg/m3"
    assert "rise" in at_boundary["rise.chlorine"].sources["measure"]
