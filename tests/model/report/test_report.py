"""The map and the page: read back, not compared with a picture."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from services.model.report import fonts, map_png, report_html
from services.model.report.words import area, distance, duration, nice_length, number, percent
from services.model.runs.compute import compute
from services.model.runs.result import RunResult
from shared.text import BilingualText
from tests.model.runs.plans import CHLORINE, plan_of

HOSTILE = "<script>alert(1)</script>\"'&$x^2$ {{ 7*7 }} 🙂"
VOID = {"meta", "img", "br"}


@cache
def result() -> RunResult:
    return compute(plan_of(rate_interval=(0.001, 13.0), members=20))


class Strict(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Strict:
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def hostile() -> RunResult:
    name = BilingualText(zh=HOSTILE, en=HOSTILE)
    base = result()
    assert base.source
    assert base.chemical
    return base.model_copy(
        update={
            "source": base.source.model_copy(update={"name": name}),
            "chemical": base.chemical.model_copy(update={"name": name}),
            "receptors": [receptor.model_copy(update={"name": name}) for receptor in base.receptors],
        }
    )


def test_the_map_has_its_size_and_its_colours() -> None:
    picture = imread(io.BytesIO(map_png(result(), width_px=800, height_px=600)))
    assert picture.shape[:2] == (600, 800)
    assert picture[..., :3].std() > 0.05
    red, green, blue = (picture[..., channel] for channel in range(3))
    assert np.count_nonzero((red > 0.75) & (green < 0.3) & (blue < 0.35)) > 20
    assert np.count_nonzero((red > 0.85) & (green > 0.35) & (green < 0.85) & (blue < 0.75)) > 100


def test_a_map_of_hostile_names_is_a_map() -> None:
    assert map_png(hostile(), width_px=600, height_px=400).startswith(b"\x89PNG")


def test_without_a_chinese_font_the_map_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    with_chinese = map_png(result(), width_px=600, height_px=400)
    for module in ("figure", "legend", "layers"):
        monkeypatch.setattr(f"services.model.report.{module}.families", lambda: ("DejaVu Sans",))
    for module in ("figure", "legend"):
        monkeypatch.setattr(f"services.model.report.{module}.writes_chinese", lambda: False)
    english = map_png(result(), width_px=600, height_px=400)
    assert english.startswith(b"\x89PNG")
    if fonts.writes_chinese():
        assert english != with_chinese


def test_the_report_is_whole_and_says_it_twice() -> None:
    page = parsed(report_html(result(), run_id="run-7", park="示范园区 Demo park"))
    assert {"html", "head", "title", "body", "table", "img", "footer"} <= set(page.tags)
    for word in (
        "影响区",
        "Zones",
        "敏感目标",
        "Receptors",
        "警告",
        "Warnings",
        "小学",
        "School",
        "run-7",
        "Demo park",
    ):
        assert word in page.text
    for remark in (*result().warnings, *result().assumptions):
        assert remark.zh in page.text
        assert remark.en in page.text


def test_the_report_fetches_nothing() -> None:
    page = report_html(result())
    parser = parsed(page)
    assert "script" not in parser.tags
    assert "link" not in parser.tags
    assert all(link.startswith("data:image/png;base64,") for link in parser.links)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    assert "url(" not in page
    picture = base64.b64decode(parser.links[0].removeprefix("data:image/png;base64,"))
    assert imread(io.BytesIO(picture)).shape[1] > 1000


def test_hostile_names_stay_text() -> None:
    page = report_html(hostile(), run_id=HOSTILE, park=HOSTILE)
    parser = parsed(page)
    assert "script" not in parser.tags
    assert "<script>alert(1)</script>" in parser.text
    assert "{{ 7*7 }}" in parser.text


def test_a_result_that_does_not_tell_its_source_is_refused() -> None:
    with pytest.raises(ValueError, match="source"):
        map_png(result().model_copy(update={"source": None}))


@pytest.mark.browser
def test_the_report_prints_on_one_sheet() -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import chromium

    many = replace(plan_of(CHLORINE, named=("aegl-1", "aegl-2", "aegl-3")), rate_interval=(0.001, 13.0), members=20)
    crowd = [replace(place, id=f"{place.id}-{n}") for n in range(4) for place in many.receptors]
    busy = compute(replace(many, receptors=crowd, inventory_kg=10.0))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        sheets = []
        for one in (result(), busy):
            page.set_content(report_html(one))
            printed = page.pdf(prefer_css_page_size=True)
            sheets.append(len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)))
        browser.close()
    assert sheets == [1, 1]


def test_numbers_as_people_read_them() -> None:
    assert [number(v) for v in (0.0, 0.01234, 5.8, 770.0, 12_345.0, None)] == [
        "0",
        "0.0123",
        "5.8",
        "770",
        "12,300",
        "–",
    ]
    assert [distance(v) for v in (63.4, 999.0, 1234.0, None)] == ["63 m", "1,000 m", "1.2 km", "–"]
    assert [area(v) for v in (120.0, 45_000.0, 1_500_000.0)] == ["120 m²", "4.5 ha", "1.5 km²"]
    assert [duration(v) for v in (45.0, 720.0, 12_000.0, None)] == ["45 s", "12 min", "3 h 20 min", "–"]
    assert [percent(v) for v in (0.0, 1e-5, 0.034, 0.5, None)] == ["0 %", "< 0.1 %", "3.4 %", "50 %", "–"]
    assert [nice_length(v) for v in (1.0, 4.9, 730.0)] == [1.0, 2.0, 500.0]
