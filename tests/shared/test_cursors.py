import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import cursors
from shared.problems import BadRequest


@given(st.lists(st.text().filter(lambda part: "|" not in part and part.isprintable()), min_size=1))
def test_a_cursor_gives_back_what_was_written(parts: list[str]) -> None:
    cursor = cursors.write(*parts)
    assert cursors.read(cursor, list) == parts
    assert cursor.isascii()
    assert not set(cursor) & set("=/+&?%")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        cursors.read(text, lambda parts: cursors.count(parts[1]) if len(parts) > 1 else int("none"))


@pytest.mark.parametrize(("text", "bits"), [("-1", 63), (str(2**31), 31), (str(2**63), 63), ("x", 63), ("", 63)])
def test_what_is_no_count(text: str, bits: int) -> None:
    with pytest.raises(ValueError):
        cursors.count(text, bits)
