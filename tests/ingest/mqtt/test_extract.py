import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.mqtt.extract import MAX_ROWS, Extractor, UnreadableMessage
from services.ingest.mqtt.subscriber import subscriptions
from services.ingest.mqtt.templates import Template, TemplateError, read_templates
from shared.quality import Quality

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE: dict[str, Any] = {
    "topic": "works/{device}/gas",
    "park": "test-park",
    "station": "{device}",
    "time": "$.ts",
    "readings": [{"value": "$.v", "property": "chlorine"}],
}


def rows(template: dict[str, Any], message: Any, topic: str = "works/s1/gas") -> list[dict[str, Any]]:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Extractor(Template.model_validate(template)).rows(topic, payload, NOW)


def test_one_reading_by_topic_and_paths() -> None:
    assert rows(ONE, {"ts": "2026-03-01T08:00:00+08:00", "v": 1.5}) == [
        {"station": "s1", "time": NOW, "property": "chlorine", "value": 1.5, "cadence": "realtime"}
    ]


def test_many_records_with_tables_units_and_flags() -> None:
    template = {
        "topic": "gw/#",
        "park": "test-park",
        "records": "$.data[*]",
        "station": {"from": "@.id", "map": {"17": "s1"}},
        "time": "$.at",
        "time_format": "unix_ms",
        "readings": [
            {
                "value": "@.val",
                "property": {"from": "@.gas", "map": {"CL2": "chlorine"}, "otherwise": "ammonia"},
                "unit": "@.unit",
                "quality": {"from": "@.st", "map": {"0": "N", "4": "T"}},
            }
        ],
    }
    data = [
        {"id": 17, "gas": "CL2", "val": 1, "unit": "ppm", "st": 0},
        {"id": 17, "gas": "NH3", "val": 2, "unit": "ppm", "st": 4},
        {"id": 18, "gas": "NH3", "val": 3, "unit": "ppm", "st": 99},
        {"id": 17, "gas": "NH3", "val": None, "unit": "ppm"},
        {"id": 17, "gas": "NH3"},
    ]
    found = rows(template, {"at": 1772323200000, "data": data}, "gw/a/b")
    told = [(row["station"], row["property"], row["value"], row["unit"], row.get("quality")) for row in found]
    assert told == [
        ("s1", "chlorine", 1, "ppm", Quality.NORMAL),
        ("s1", "ammonia", 2, "ppm", Quality.OVER_RANGE),
        (None, "ammonia", 3, "ppm", Quality.FAULT),  # a flag that is not known is a fault
        ("s1", "ammonia", None, "ppm", None),
    ]
    assert {row["time"] for row in found} == {NOW}


@pytest.mark.parametrize(
    ("form", "zone", "told"),
    [
        ("iso8601", None, "2026-03-01T00:00:00Z"),
        ("iso8601", "Asia/Shanghai", "2026-03-01T08:00:00"),
        ("%Y%m%d%H%M%S", "Asia/Shanghai", "20260301080000"),
        ("%Y%m%d%H%M%S", "Asia/Shanghai", 20260301080000),
        ("unix_s", None, 1772323200),
        ("unix_s", None, "1772323200.0"),
        ("unix_ms", None, 1772323200000),
    ],
)
def test_times(form: str, zone: str | None, told: Any) -> None:
    (row,) = rows(ONE | {"time_format": form, "timezone": zone}, {"ts": told, "v": 1})
    assert row["time"] == NOW


@pytest.mark.parametrize("told", ["soon", 1e300, None, [], "2026-03-01T08:00:00 and more"])
def test_a_time_that_cannot_be_read_stays_what_it_is(told: Any) -> None:
    (row,) = rows(ONE | {"time_format": "unix_s"}, {"ts": told, "v": 1})
    assert row["time"] == told


def test_without_a_path_the_time_is_that_of_arrival() -> None:
    (row,) = rows({name: value for name, value in ONE.items() if name != "time"}, {"v": 1})
    assert row["time"] == NOW


def test_a_bare_number_is_a_message() -> None:
    (row,) = rows(ONE | {"time": None, "readings": [{"value": "$", "property": "chlorine"}]}, b"1.25")
    assert row["value"] == 1.25


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "too deep"),
        (b"[" * 1_000_000, "too deep"),
        ({"other": 1}, "no reading"),
        ([], "no reading"),
        ("$.v", "no reading"),
    ],
)
def test_messages_without_readings(message: Any, why: str) -> None:
    with pytest.raises(UnreadableMessage, match=why):
        rows(ONE, message)


def test_a_message_of_too_many_readings() -> None:
    template = ONE | {"records": "$[*]", "readings": [{"value": "@", "property": "chlorine"}]}
    assert len(rows(template, [1] * MAX_ROWS)) == MAX_ROWS
    with pytest.raises(UnreadableMessage, match="several messages"):
        rows(template, [1] * (MAX_ROWS + 1))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["ts", "v", "x"]) | st.text(), inner),
    max_leaves=20,
)


@given(_JSON | st.binary())
def test_no_message_raises_anything_else(message: Any) -> None:
    template = ONE | {"records": "$..x", "time": "@.ts", "readings": [{"value": "@.v", "property": "@.p"}]}
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    with contextlib.suppress(UnreadableMessage):
        Extractor(Template.model_validate(template)).rows("works/s1/gas", payload, NOW)


@pytest.mark.parametrize(
    ("topic", "matching", "others"),
    [
        ("a/{x}/c", ["a/1/c"], ["a//c", "a/1/2/c", "a/1", "a/1/c/", "b/1/c"]),
        ("a/+/c", ["a/1/c", "a//c"], ["a/1/2/c"]),
        ("a/#", ["a", "a/", "a/b/c"], ["b", "ab"]),
        ("#", ["a", "a/b"], []),
        ("a.b/{x}", ["a.b/1"], ["aXb/1"]),
    ],
)
def test_topics(topic: str, matching: list[str], others: list[str]) -> None:
    pattern = Template.model_validate(ONE | {"topic": topic, "station": "s1"}).pattern
    assert [name for name in [*matching, *others] if pattern.fullmatch(name)] == matching


def test_filters_are_subscribed_to_once_and_by_the_group() -> None:
    templates = [Template.model_validate(ONE | {"topic": topic, "station": "s"}) for topic in ("a/{x}", "a/{y}", "b/#")]
    assert subscriptions(templates, None) == ["a/+", "b/#"]
    assert subscriptions(templates, "fenceline") == ["$share/fenceline/a/+", "$share/fenceline/b/#"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"topic": "a/#/b"}, "last level"),
        ({"topic": "a/b+/c"}, "mixture"),
        ({"topic": "{x}/{x}"}, "two levels"),
        ({"topic": "$share/g/a"}, "FENCELINE_INGEST_MQTT_SHARE"),
        ({"station": "{nowhere}"}, "no level of the topic"),
        ({"time": "ts"}, r"begins with \$"),
        ({"time": "$.a["}, "no JSON path"),
        ({"time_format": "seconds"}, "time_format"),
        ({"timezone": "Mars/Base"}, "time zone"),
        ({"readings": []}, "at least 1"),
        ({"surprise": 1}, "Extra"),
    ],
)
def test_templates_that_cannot_be_used(change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Template.model_validate(ONE | change)


@pytest.mark.parametrize(
    ("text", "what"),
    [("templates: [", "not YAML"), ("templates: []", "at least 1"), ("- 1", "file: "), (None, "cannot be read")],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str | None, what: str) -> None:
    path = tmp_path / "templates.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TemplateError, match=what):
        read_templates(path)
