"""The page alone: what it must say in states that the real gateway cannot be forced into."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from shared.park_file import ParkFile
from tests.browser.conftest import Screen
from tests.browser.stub_park import API_KEY, StubPark
from tests.browser.stub_server import StubServer

STALE_WITHIN_MS = 25_000


def test_chinese_first_and_english_on_request_and_remembered(screen: Screen) -> None:
    page = screen.page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("tab", name="警报")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("tab", name="Alarms")).to_be_visible()
    expect(page.get_by_role("heading", name="Bohai Bay Demo Chemical Park")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tab", name="Alarms")).to_be_visible()


def test_a_browser_that_speaks_english_gets_english(screen: Screen) -> None:
    browser = screen.page.context.browser
    assert browser
    with browser.new_context(locale="en-GB") as english:
        page = english.new_page()
        page.goto(screen.url)
        expect(page.get_by_role("tab", name="Alarms")).to_be_visible()


def test_a_park_that_does_not_exist_says_so(screen: Screen) -> None:
    expect(screen.page.get_by_text("虚构 FICTITIOUS")).to_be_visible()


def test_calm_shows_no_colour_and_counts_the_stations(screen: Screen) -> None:
    page, count = screen.page, len(screen.park.stations)
    expect(page.locator(".banner-calm")).to_contain_text("当前无未结警报")
    expect(page.locator(".banner-reporting")).to_contain_text(f"{count} / {count}")
    expect(page.locator(".marker > .station")).to_have_count(count)
    expect(page.locator(".marker > .station.alarm")).to_have_count(0)


def test_when_nothing_comes_the_page_never_looks_safe(screen: Screen) -> None:
    page = screen.page
    expect(page.locator(".marker > .station.data-ok")).to_have_count(len(screen.park.stations))
    screen.silence()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("不得视为安全", timeout=STALE_WITHIN_MS)
    expect(notice).to_contain_text("数据已过期")
    expect(page.locator(".marker > .station.data-ok")).to_have_count(0)
    expect(page.locator(".banner-calm")).not_to_contain_text("无未结警报")
    expect(page.locator(".panel.alarms")).not_to_contain_text("没有未结警报")
    expect(page.locator(".wind-rose")).to_contain_text("无风数据")
    expect(page.locator(".trust")).to_have_text("数据已过期")
    screen.alive.set()
    expect(notice).to_have_count(0)
    expect(page.locator(".marker > .station.data-ok")).to_have_count(len(screen.park.stations))


def test_a_lost_connection_is_told_and_what_was_missed_is_fetched(screen: Screen) -> None:
    page = screen.page
    expect(page.locator(".trust")).to_have_text("实时")
    screen.park.alarm("s01", "red")
    screen.park.drop_listeners()
    expect(page.locator(".banner-red")).to_contain_text("红色")
    expect(page.locator(".trust")).to_have_text("实时")


def test_alarms_that_cannot_be_fetched_are_not_no_alarms(park: StubPark, screen: Screen) -> None:
    park.refused[f"/parks/{park.file.park.id}/alarms"] = 503
    screen.page.reload()
    expect(screen.page.get_by_role("alert")).to_contain_text("不得视为安全")
    expect(screen.page.locator(".banner-calm")).to_contain_text("警报状态未知")
    expect(screen.page.locator(".panel.alarms")).not_to_contain_text("没有未结警报")


def test_a_silent_station_and_a_faulty_one_stand_out(screen: Screen, park: StubPark) -> None:
    page = screen.page
    expect(page.locator(".marker > .station.data-ok")).to_have_count(len(park.stations))
    faulty = park.stream_of("b05")["id"]
    park.read(faulty, None, quality="D")
    expect(page.locator(".marker > .station.data-partial")).to_have_count(1)
    expect(page.locator(".station-list li").first).to_contain_text("故障")


def test_an_old_reading_at_one_station_is_silence(park: StubPark, server: StubServer, context: BrowserContext) -> None:
    silent = frozenset(stream["id"] for one in park.stations if one["code"] == "r03" for stream in one["datastreams"])
    for stream_id in silent:
        park.read(stream_id, 0.01, age_s=600)
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator(".trust")).to_have_text("连接中")
    expect(page.locator(".marker > .station.data-unknown")).to_have_count(len(park.stations))
    _until_it_listens(page, park)
    park.refresh(without=silent)
    park.send_observations()
    expect(page.locator(".marker > .station.data-silent")).to_have_count(1)
    expect(page.locator(".station-list li").first).to_contain_text("无数据")


def _until_it_listens(page: Page, park: StubPark) -> None:
    for _ in range(1500):
        if park.listening:
            return
        page.wait_for_timeout(20)
    raise AssertionError("the page did not listen within 30 s")


def test_an_alarm_shows_its_colour_value_and_threshold_and_is_acknowledged(screen: Screen, park: StubPark) -> None:
    page = screen.page
    alarm = park.alarm("s01", "red", value=86.3, threshold=58.0)
    park.read(alarm["datastream_id"], 86.3)
    park.send("alarm", {"alarm_id": alarm["id"]}, "alarms:1")
    expect(page.locator(".banner-red")).to_contain_text("86.3 mg/m³")
    card = page.locator(".alarm-card")
    expect(card).to_contain_text("阈值 58.0")
    expect(card).to_contain_text("未确认")
    expect(page.locator(".marker > .station.alarm-red")).to_have_count(1)
    card.get_by_role("textbox").fill("已派人")
    card.get_by_role("button", name="确认").click()
    expect(card).to_contain_text("demo 已确认")
    expect(card).to_contain_text("已派人")
    assert (
        "POST",
        f"/parks/{park.file.park.id}/alarms/{alarm['id']}/acknowledge",
        {"comment": "已派人"},
    ) in park.requests


def test_a_hidden_alarm_is_told_quietly_and_below_what_stands(screen: Screen, park: StubPark) -> None:
    page = screen.page
    park.alarm("s01", "red", state="shelved", shelved_until="2026-06-01T08:00:00Z", chattering=True)
    park.send("alarm", {})
    card = page.locator(".alarm-card")
    expect(card).to_contain_text("已搁置")
    expect(card).to_contain_text("抖动报警")
    expect(card.get_by_role("textbox")).to_have_count(0)
    expect(page.locator(".banner")).to_contain_text("已搁置")
    expect(page.locator(".banner-red")).to_have_count(0)
    expect(page.locator(".marker > .station.alarm")).to_have_count(0)

    park.alarm("s02", "yellow", state="latched_unacknowledged", active=False)
    park.send("alarm", {})
    expect(page.locator(".banner")).to_contain_text("已恢复并锁存，未确认")
    expect(card.first).to_contain_text("已恢复并锁存，未确认")
    expect(card.first.get_by_role("textbox")).to_have_count(1)


def test_what_is_typed_survives_the_live_values(screen: Screen, park: StubPark) -> None:
    park.alarm("s01", "yellow")
    park.send("alarm", {})
    box = screen.page.locator(".alarm-card").get_by_role("textbox")
    box.fill("正在核查")
    screen.page.wait_for_timeout(2500)
    expect(box).to_have_value("正在核查")
    expect(box).to_be_focused()


def test_the_journal_opens_on_a_click(screen: Screen, park: StubPark) -> None:
    park.alarm("s01", "orange")
    park.send("alarm", {})
    screen.page.locator(".alarm-head").click()
    expect(screen.page.locator(".journal")).to_contain_text("触发")


def test_a_station_shows_its_values_and_a_chart(screen: Screen, park: StubPark) -> None:
    page = screen.page
    park.read(park.stream_of("s01")["id"], 999.0, quality="T")
    page.locator(".station-list").get_by_role("button", name="液氯储罐东侧").click()
    detail = page.locator(".station-detail")
    expect(detail.get_by_role("heading", name="液氯储罐东侧")).to_be_visible()
    expect(detail).to_contain_text("> 999")
    expect(detail).to_contain_text("超量程")
    expect(detail.locator(".uplot canvas")).to_be_visible()
    detail.get_by_role("button", name="60 分钟").click()
    expect(detail.locator(".uplot canvas")).to_be_visible()


def test_a_run_is_asked_for_from_a_place_picked_on_the_map(screen: Screen, park: StubPark) -> None:
    page = screen.page
    page.get_by_role("tab", name="扩散推演").click()
    page.get_by_role("button", name="地图选点").click()
    expect(page.get_by_text("点击地图或风险源以选定泄漏位置")).to_be_visible()
    page.locator(".map").click(position={"x": 200, "y": 650})
    page.get_by_label("物质").select_option("7664-41-7")
    page.locator("input[name=rate]").fill("1.5")
    page.get_by_role("button", name="开始推演").click()
    expect(page.locator(".run-card")).to_contain_text("排队中")
    [body] = [body for method, path, body in park.requests if method == "POST" and path.endswith("/runs")]
    assert body is not None
    assert body["chemical"] == "7664-41-7"
    assert body["rate_kg_s"] == 1.5
    assert body["duration_s"] == 600
    west, south = 118.9, 37.0
    assert west < body["source"]["longitude"] < west + 0.2
    assert south < body["source"]["latitude"] < south + 0.2


def test_a_risk_source_brings_its_chemical_and_a_blank_rate_is_estimated(screen: Screen, park: StubPark) -> None:
    page = screen.page
    page.get_by_role("tab", name="扩散推演").click()
    page.get_by_label("泄漏位置").select_option(f"{park.file.park.id}.cl2-tank-1")
    page.get_by_role("button", name="开始推演").click()
    expect(page.locator(".run-card")).to_be_visible()
    [body] = [body for method, path, body in park.requests if method == "POST" and path.endswith("/runs")]
    assert body is not None
    assert body["source"] == {"risk_source_id": f"{park.file.park.id}.cl2-tank-1"}
    assert body["chemical"] == "7782-50-5"
    assert body["rate_kg_s"] is None


HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'


@pytest.fixture
def hostile_park() -> StubPark:
    """A park whose every name is markup."""
    document = StubPark().file.model_dump()
    name = {"zh": HOSTILE, "en": HOSTILE}
    document["park"]["name"] = name
    for kind in ("enterprises", "stations", "risk_sources", "receptors"):
        for entry in document[kind]:
            entry["name"] = name
    park = StubPark(ParkFile.model_validate(document))
    park.signed_in = True
    park.alarm("s01", "red", comment=HOSTILE, acknowledged_by=HOSTILE)
    return park


def test_names_from_the_api_are_text_and_never_markup(
    hostile_park: StubPark, built_page: object, context: BrowserContext
) -> None:
    with StubServer(hostile_park) as server:
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator(".alarm-card")).to_contain_text("<img src=x")
        expect(page.locator(".plot-name").first).to_have_text(HOSTILE)
        _hover_everything(page)
        page.locator(".station-list button").first.click()
        expect(page.locator(".station-detail h2")).to_have_text(HOSTILE)
        assert page.locator("img, #page script").count() == 0
        assert page.evaluate("document.title") != "owned"
        page.close()


def _hover_everything(page: Page) -> None:
    for marker in (".station", ".receptor", ".risk-source"):
        page.locator(f".marker:has({marker})").first.hover(force=True)
        page.wait_for_timeout(100)


def test_without_a_session_there_is_a_form_and_a_key_opens_the_park(
    park: StubPark, server: StubServer, context: BrowserContext
) -> None:
    park.signed_in = False
    page = context.new_page()
    page.goto(server.url)
    key = page.get_by_label("API 密钥")
    key.fill("fl_wrong_key")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("密钥无效")
    key.fill(API_KEY)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".map")).to_be_visible()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert API_KEY not in stored, "the page keeps no key"
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("API 密钥")).to_be_visible()


def test_a_session_that_ends_leads_back_to_the_form(screen: Screen, park: StubPark) -> None:
    expect(screen.page.locator(".map")).to_be_visible()
    park.signed_in = False
    park.drop_listeners()
    expect(screen.page.get_by_label("API 密钥")).to_be_visible()


def test_nothing_is_fetched_from_elsewhere(server: StubServer, context: BrowserContext) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator(".marker > .station").first).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


def test_a_phone_shows_one_part_at_a_time_without_sideways_scrolling(screen: Screen) -> None:
    page = screen.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".view-switch").get_by_role("button", name=re.compile("警报")).click()
    expect(page.get_by_text("没有未结警报。")).to_be_visible()
    page.locator(".view-switch").get_by_role("button", name="详情").click()
    expect(page.locator(".station-list")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_reading_of_the_plant_does_not_stand_for_the_air(
    park: StubPark, built_page: object, context: BrowserContext
) -> None:
    station = next(one for one in park.stations if one["code"] == "s01")
    gas = station["datastreams"][0]
    furnace = {**gas, "id": 9001, "property_id": "furnace-temperature", "property_kind": "process"}
    furnace["property_name"] = {"zh": "炉膛温度", "en": "Furnace temperature"}
    station["datastreams"].insert(0, furnace)
    park.latest[9001] = {**park.latest[gas["id"]], "datastream_id": 9001, "value": 850.0}
    with StubServer(park) as server:
        page = context.new_page()
        page.goto(server.url)
        marker = page.locator(f'.marker[aria-label*="{station["name"]["zh"]}"]').first
        expect(marker).to_have_attribute("aria-label", re.compile(gas["property_name"]["zh"]))


def test_the_keyboard_reaches_stations_on_the_map(screen: Screen) -> None:
    marker = screen.page.locator(".marker:has(.station)").first
    expect(marker).to_have_attribute("aria-label", re.compile("数据正常|无数据|未知"))
    marker.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator(".station-detail")).to_be_visible()
