"""The Python examples of docs/model.md run, and give what the page says they give."""

from __future__ import annotations

import doctest
import re

from tests.support.databases import ROOT

PAGE = ROOT / "docs" / "model.md"
EXAMPLE = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) >= 5
    known: dict[str, object] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for number, example in enumerate(examples, start=1):
        # One after the other in one namespace, as a reader would type them.
        test = doctest.DocTestParser().get_doctest(example, known, f"example {number}", str(PAGE), 0)
        runner.run(test, out=said.append, clear_globs=False)
        known = test.globs
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_every_module_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(services/model/[\w/]+\.py|docs/[\w/.-]+|bench/[\w/.-]+)`", PAGE.read_text("utf-8")))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
