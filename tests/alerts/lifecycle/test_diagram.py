import pytest

from services.alerts.lifecycle.__main__ import PAGE
from services.alerts.lifecycle.diagram import BEGIN, END, diagram, renewed, table
from services.alerts.lifecycle.transitions import TRANSITIONS
from shared.messages import AlarmState


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "run python -m services.alerts.lifecycle"


def test_the_page_names_every_state() -> None:
    described = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    assert all(f"`{state}`" in described for state in AlarmState)


def test_the_diagram_shows_ways_and_no_loops() -> None:
    lines = diagram().splitlines()
    assert "    latched --> normal: withdraw, reset" in lines
    assert "    shelved --> unacknowledged: unshelve [the condition stands]" in lines
    ways = [line.split(":")[0].split(" --> ") for line in lines if " --> " in line]
    assert all(before.strip() != after.strip() for before, after in ways)


def test_the_table_has_a_row_for_each_transition() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(set(rows)) == len(TRANSITIONS)
    assert "| `latched` | reset | `normal` |" in rows


def test_a_page_without_a_place_is_refused() -> None:
    assert renewed(f"a {BEGIN} old {END} z").startswith(f"a {BEGIN}\n\n```mermaid")
    with pytest.raises(ValueError, match="no place"):
        renewed("nothing here")
