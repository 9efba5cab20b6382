import pytest

from services.alerts.rules import RINGS, Delays, Override, effective_rule, levels_at, set_points
from shared.park_file import Rule
from shared.vocabulary import observed_properties

DELAYS = Delays()


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
            rule = effective_rule(ring, property_id, [], DELAYS)
            if rule is not None:
                rule.condition()  # refuses levels that do not climb


def test_weather_has_no_rule() -> None:
    assert effective_rule("boundary", "wind-speed", [], DELAYS) is None


def test_a_source_reacts_faster_than_the_fence() -> None:
    source, fence = (effective_rule(ring, "chlorine", [], DELAYS) for ring in ("source", "boundary"))
    assert source is not None
    assert fence is not None
    assert (source.on_delay_s, fence.on_delay_s) == (10, 30)


def test_the_nearest_override_wins_and_says_so() -> None:
    overrides = [
        override(station_id="p.s1", on_delay_s=5),
        override(on_delay_s=20, off_delay_s=300),
        override(ring="source", on_delay_s=15, levels=[{"colour": "red", "threshold": 3, "source": "our permit"}]),
    ]
    rule = effective_rule("source", "chlorine", overrides, DELAYS, "p.s1")
    assert rule is not None
    assert (rule.on_delay_s, rule.off_delay_s, rule.deadband_fraction) == (5, 300, 0.1)
    assert [(level.colour, level.threshold, level.source) for level in rule.levels] == [("red", 3, "our permit")]
    assert rule.sources["on_delay_s"] == "park file, rule for chlorine at p.s1"
    assert "all rings" in rule.sources["off_delay_s"]
    elsewhere = effective_rule("boundary", "chlorine", overrides, DELAYS, "p.s2")
    assert elsewhere is not None
    assert elsewhere.on_delay_s == 20
    assert len(elsewhere.levels) == 3


def test_a_park_can_give_levels_where_there_is_no_default() -> None:
    given = override("tvoc", levels=[{"colour": "yellow", "threshold": 2, "source": "local rule"}])
    rule = effective_rule("boundary", "tvoc", [given], DELAYS)
    assert rule is not None
    assert rule.rule_id == "level.tvoc"


def test_a_park_can_say_that_an_alarm_latches() -> None:
    plain, latching = (effective_rule("source", "chlorine", said, DELAYS) for said in ([], [override(latching=True)]))
    assert plain is not None
    assert latching is not None
    assert (plain.condition().latching, latching.condition().latching) == (False, True)
    assert plain.condition().fingerprint() == latching.condition().fingerprint()  # the evaluation goes on
    assert "park file" in latching.sources["latching"]
