"""What a correction changes, and what it refuses to."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.corrections.changes import Change, Content, CorrectionError, Key, changes, keys_of
from services.ingest.schemas import CorrectedValue, JudgedSpan
from shared.quality import Quality

T0 = datetime(2026, 3, 1, tzinfo=UTC)
STORED: dict[Key, Content] = {
    (stream, T0 + timedelta(minutes=step)): Content(float(step), Quality.NORMAL, None, None)
    for stream in (1, 2)
    for step in range(4)
}


def at(step: int) -> datetime:
    return T0 + timedelta(minutes=step)


def span(stream: int, start: int, end: int, quality: Quality = Quality.REJECTED) -> JudgedSpan:
    return JudgedSpan(datastream_id=stream, start=at(start), end=at(end), quality=quality)


def value(stream: int, step: int, number: float | None, quality: Quality = Quality.NORMAL) -> CorrectedValue:
    return CorrectedValue(datastream_id=stream, time=at(step), value=number, quality=quality)


def test_a_span_takes_its_start_and_leaves_its_end_and_keeps_the_values() -> None:
    made = changes(STORED, [span(1, 1, 3)], [])
    assert [(change.key, change.after) for change in made] == [
        ((1, at(step)), Content(float(step), Quality.REJECTED, None, None)) for step in (1, 2)
    ]


def test_a_value_stands_over_a_span() -> None:
    made = changes(STORED, [span(2, 0, 2)], [value(2, 1, 7.5)])
    assert [change.after for change in made] == [
        Content(0.0, Quality.REJECTED, None, None),
        Content(7.5, Quality.NORMAL, None, None),
    ]


def test_what_already_says_so_does_not_change() -> None:
    assert changes(STORED, [span(1, 0, 4, Quality.NORMAL)], [value(2, 1, 1.0)]) == []


def test_a_correction_invents_no_observation() -> None:
    with pytest.raises(CorrectionError, match="datastream 1 has no observation at 2026-03-01T00:09"):
        changes(STORED, [], [value(1, 9, 1.0)])


def test_a_normal_value_that_is_none_is_missing() -> None:
    assert changes(STORED, [], [value(1, 1, None)]) == [
        Change((1, at(1)), STORED[1, at(1)], Content(None, Quality.MISSING, None, None))
    ]


def test_one_observation_has_one_new_value() -> None:
    with pytest.raises(CorrectionError, match="given twice"):
        keys_of([value(1, 1, 1.0), value(2, 1, 1.0), value(1, 1, 2.0)])
