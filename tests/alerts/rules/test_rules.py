from itertools import product

import pytest

from services.alerts.rules import (
    RINGS,
    Delays,
    EffectiveRule,
    Origin,
    Override,
    Overrides,
    effective_rules,
    levels_at,
    set_points,
)
from shared.park_file import Rule, RuleNumbers
from shared.vocabulary import observed_properties
from tests.alerts.conditions.scripts import at, told

DELAYS = Delays()


def effective_rule(ring: str, property_id: str, said: list[Override], station_id: str | None = None) -> EffectiveRule:
    (rule,) = effective_rules(ring, property_id, Overrides(said), DELAYS, station_id)
    return rule


def override(property_id: str = "chlorine", station_id: str | None = None, **body: object) -> Override:
    rule = Rule.model_validate({"property": property_id, **body})
    return Override(property_id, rule.ring, station_id, rule)


@pytest.mark.parametrize(
    ("ring", "property_id", "thresholds"),
    [
        ("source", "chlorine", {"yellow": 1, "orange": 2, "red": 5.8}),
        ("boundary", "chlorine", {"yellow": 1.45, "orange": 5.8, "red": 58}),
        ("receptor", "ammonia", {"yellow": 20.9, "orange": 110, "red": 770}),
        ("receptor", "hydrogen-sulfide", {"yellow": 0.711, "orange": 38, "red": 70}),
        ("source", "sulfur-dioxide", {"yellow": 5, "orange": 10, "red": 79}),
        ("source", "benzene", {"yellow": 3, "orange": 6, "red": 2600}),
    ],
)
def test_set_points(ring: str, property_id: str, thresholds: dict[str, float]) -> None:
    assert {level.colour.value: level.threshold for level in levels_at(ring, property_id)} == thresholds


def test_every_set_point_names_its_source_and_climbs() -> None:
    known = observed_properties()
    for (property_id, _), levels in set_points().items():
        assert known[property_id].unit == "mg/m3"
        assert all(level.source for level in levels)
    for ring in RINGS:
        for property_id in known:
            for rule in effective_rules(ring, property_id, Overrides(), DELAYS):
                rule.condition()  # refuses levels that do not climb


def test_weather_has_no_rule() -> None:
    assert effective_rules("boundary", "wind-speed", Overrides(), DELAYS) == []


def test_a_source_reacts_faster_than_the_fence() -> None:
    source, fence = (effective_rule(ring, "chlorine", []) for ring in ("source", "boundary"))
    assert (source.on_delay_s, fence.on_delay_s) == (10, 30)


def test_the_nearest_override_wins_and_says_so() -> None:
    overrides = [
        override(station_id="p.s1", on_delay_s=5),
        override(on_delay_s=20, off_delay_s=300),
        override(ring="source", on_delay_s=15, levels=[{"colour": "red", "threshold": 3, "source": "our permit"}]),
    ]
    rule = effective_rule("source", "chlorine", overrides, "p.s1")
    assert (rule.on_delay_s, rule.off_delay_s, rule.deadband_fraction) == (5, 300, 0.1)
    assert [(level.colour, level.threshold, level.source) for level in rule.levels] == [("red", 3, "our permit")]
    assert rule.sources["on_delay_s"] == "park file, rule for chlorine at p.s1"
    assert "all rings" in rule.sources["off_delay_s"]
    elsewhere = effective_rule("boundary", "chlorine", overrides, "p.s2")
    assert elsewhere.on_delay_s == 20
    assert len(elsewhere.levels) == 3


def test_a_park_can_give_levels_where_there_is_no_default() -> None:
    given = override("tvoc", levels=[{"colour": "yellow", "threshold": 2, "source": "local rule"}])
    rule = effective_rule("boundary", "tvoc", [given])
    assert rule.rule_id == "level.tvoc"


def test_a_park_can_say_that_an_alarm_latches() -> None:
    plain, latching = (effective_rule("source", "chlorine", said) for said in ([], [override(latching=True)]))
    assert (plain.condition().latching, latching.condition().latching) == (False, True)
    assert plain.condition().fingerprint() == latching.condition().fingerprint()  # the evaluation goes on
    assert "park file" in latching.sources["latching"]


def test_a_slow_instrument_can_be_given_a_wider_gap() -> None:
    """A reading each ten minutes never proves an on-delay across the default gap of three."""
    plain, wider = (
        effective_rule("boundary", "chlorine", [override(on_delay_s=600, max_gap_s=gap)]) for gap in (None, 900)
    )
    assert (plain.max_gap_s, wider.max_gap_s) == (180, 900)
    assert "all rings" in wider.sources["max_gap_s"]
    every_ten_minutes = [at(second, 2.0) for second in range(0, 3600, 600)]
    assert told(plain.condition(), every_ten_minutes) == []
    assert told(wider.condition(), every_ten_minutes) == [(600, 0, 1)]


@pytest.mark.parametrize("value", [None, 0.1])
@pytest.mark.parametrize("measure", [None, {"kind": "mean", "window_s": 20}, {"kind": "n_of_m", "n": 2, "m": 3}])
def test_what_is_over_range_raises_the_highest_level_of_every_gas_rule(
    measure: dict[str, object] | None, value: float | None
) -> None:
    """Also where the instrument gives no value, or one that looks low."""
    for ring, gas in product(RINGS, observed_properties()):
        for rule in effective_rules(ring, gas, Overrides([override(gas, measure=measure)]), DELAYS):
            over_range = [at(second, value, over_range=True) for second in range(0, 61, 10)]
            edges = told(rule.condition(), over_range)
            assert [edge[1:] for edge in edges] == [(0, len(rule.levels))], rule.rule_id


def test_a_datastreams_own_word_counts_most_and_what_is_set_over_the_api_before_the_park_file() -> None:
    said = Origin("api", version=3, by="ann", reason="drift")
    number = RuleNumbers.model_validate
    overrides = Overrides(
        [
            Override("chlorine", None, None, number({"on_delay_s": 1, "off_delay_s": 1, "latching": True}), 7),
            Override("chlorine", None, "p.s1", number({"on_delay_s": 2, "off_delay_s": 2}), origin=said),
            override(station_id="p.s1", on_delay_s=3, off_delay_s=3, deadband_fraction=0.3),
            override(ring="source", on_delay_s=4),
            override(on_delay_s=5),
            override("ammonia", on_delay_s=99),
            Override("chlorine", None, None, number({"on_delay_s": 99}), 8),
        ]
    )
    (rule,) = effective_rules("source", "chlorine", overrides, DELAYS, "p.s1", 7)
    assert [each.value for each in rule.said["on_delay_s"]] == [10, 5, 4, 3, 2, 1]
    assert (rule.on_delay_s, rule.deadband_fraction, rule.latching) == (1, 0.3, True)
    assert "datastream 7" in rule.sources["on_delay_s"]
    (beside,) = effective_rules("source", "chlorine", overrides, DELAYS, "p.s1", 9)
    assert (beside.off_delay_s, beside.latching) == (2, False)
    assert beside.sources["off_delay_s"] == "rule for chlorine at p.s1, version 3 by ann: drift"


def test_a_draft_takes_the_place_of_what_was_set_over_the_api_about_the_same() -> None:
    number = RuleNumbers.model_validate
    stands = Override("chlorine", "source", None, number({"on_delay_s": 1, "off_delay_s": 1}), origin=Origin("api"))
    draft = Override("chlorine", "source", None, number({"on_delay_s": 2}), origin=Origin("draft"))
    overrides = Overrides([stands, override(ring="source", off_delay_s=77)]).with_draft(draft)
    (rule,) = effective_rules("source", "chlorine", overrides, DELAYS)
    assert (rule.on_delay_s, rule.off_delay_s) == (2, 77)
