"""Times as senders write them."""

from services.ingest.intake.times import Times
from shared.time import from_microseconds, iso


def test_each_text_has_its_own_time_or_reason() -> None:
    times = Times()
    texts = ["2026-03-01T08:00:00+08:00", "yesterday", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00", "yesterday"]
    found, reasons = times.microseconds(texts)
    assert [iso(from_microseconds(found[index])) for index in (0, 2)] == ["2026-03-01T00:00:00Z"] * 2
    assert sorted(reasons) == [1, 3, 4]
    assert "offset" in reasons[3]
    # What is known does not hide what is not.
    found, reasons = times.microseconds([texts[0], "tomorrow"])
    assert found[0]
    assert list(reasons) == [1]


def test_a_time_is_exact_to_the_microsecond() -> None:
    found, _ = Times().microseconds(["2026-03-01T00:00:00.123457+00:00"])
    assert found[0] % 1_000_000 == 123_457
