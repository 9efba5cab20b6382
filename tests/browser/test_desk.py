"""The operator's desk: what is done to alarms and stations, incidents, floods, who was called."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Screen
from tests.browser.stub_alarms import stamp
from tests.browser.stub_park import StubPark


def tell(park: StubPark, kind: str = "alarm") -> None:
    """The bell rings; the page asks what for."""
    park.send(kind, {})


def opened(page: Page, place: str = "[data-alarm]") -> Locator:
    """The first alarm or incident, opened with the keyboard."""
    head = page.locator(place).first.locator(".alarm-head")
    expect(head).to_have_attribute("aria-expanded", "false")
    head.focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    return page.locator(place).first


def sent(park: StubPark, ending: str) -> dict[str, Any]:
    """The body of the last request to such a path."""
    bodies = [body for method, path, body in park.requests if method == "POST" and path.endswith(ending)]
    assert bodies
    assert bodies[-1] is not None
    return bodies[-1]


def test_an_alarm_is_shelved_for_a_time_and_a_reason_with_the_keyboard_alone(screen: Screen, park: StubPark) -> None:
    page, keys = screen.page, screen.page.keyboard
    park.alarm("s01", "yellow")
    tell(park)
    card = opened(page)
    card.get_by_role("button", name="搁置…").focus()
    keys.press("Enter")
    form = card.get_by_role("form", name="搁置…")
    expect(form.get_by_label("搁置时长")).to_be_focused()
    keys.press("Escape")
    expect(form).to_have_count(0)
    expect(card.get_by_role("button", name="搁置…")).to_be_focused()
    keys.press("Enter")
    form.get_by_label("搁置时长").select_option("7200")
    keys.press("Tab")
    keys.press("Space")
    keys.press("Tab")
    expect(form.get_by_role("button", name="搁置", exact=True)).to_be_disabled()
    keys.type("校准分析仪")
    keys.press("Enter")
    expect(card).to_contain_text("已搁置")
    expect(card).to_contain_text("至恢复为止")
    assert sent(park, "/shelve") == {"for_s": 7200, "once": True, "reason": "校准分析仪"}
    card.get_by_role("button", name="取消搁置").click()
    expect(card).to_contain_text("未确认")


def test_what_the_state_forbids_is_said_in_words_and_the_truth_is_fetched(screen: Screen, park: StubPark) -> None:
    page = screen.page
    alarm = park.alarm("s01", "red", state="latched", active=False, acknowledged_by="demo")
    tell(park)
    card = page.locator("[data-alarm]")
    expect(card).to_contain_text("已锁存，待复位")
    park.alerts.overtaken[alarm["id"]] = {"state": "shelved"}
    card.get_by_role("button", name="复位").click()
    expect(card.get_by_role("alert")).to_have_text("现为“已搁置”，不能这样操作；可以：指派、备注、搁置、取消搁置。")
    expect(card.get_by_role("button", name="复位")).to_have_count(0)
    expect(card.get_by_role("alert")).to_be_visible()


def test_a_latched_alarm_is_acknowledged_and_reset(screen: Screen, park: StubPark) -> None:
    page = screen.page
    park.alarm("s01", "red", state="latched_unacknowledged", active=False)
    tell(park)
    card = page.locator("[data-alarm]")
    expect(card.get_by_role("button", name="复位")).to_have_count(0)
    card.get_by_role("button", name="确认").click()
    card.get_by_role("textbox", name="复位说明").fill("已查明并处理")
    card.get_by_role("button", name="复位").click()
    expect(page.get_by_text("没有未结警报。")).to_be_visible()
    assert sent(park, "/reset") == {"comment": "已查明并处理"}


def test_who_was_called_and_who_is_next_is_shown_until_somebody_takes_it(screen: Screen, park: StubPark) -> None:
    page = screen.page
    waits = {"since": stamp(-320), "called": ["operator", "shift_leader"], "next_role": "duty_manager"}
    park.alarm("s01", "orange", escalation={**waits, "next_at": stamp(280)})
    tell(park, "notification")
    card = opened(page)
    expect(card.locator(".escalation")).to_contain_text("已通知：操作员 → 值班长")
    expect(card.locator(".escalation")).to_contain_text("后通知值班经理")
    card.get_by_role("button", name="指派…").click()
    card.get_by_role("button", name="本人").click()
    card.get_by_role("button", name="指派", exact=True).click()
    expect(card).to_contain_text("负责人：demo")
    expect(card.locator(".journal")).to_contain_text("指派")
    card.get_by_role("button", name="确认").click()
    expect(card.locator(".escalation")).to_have_count(0)


def test_a_station_is_taken_out_of_service_and_put_back(screen: Screen, park: StubPark) -> None:
    page = screen.page
    page.locator(".station-list").get_by_role("button", name="液氯储罐东侧").click()
    service = page.locator(".station-service")
    expect(service).to_contain_text("正常使用")
    service.get_by_role("button", name="停用或维护…").click()
    service.get_by_label("方式").select_option("out_of_service")
    service.get_by_label("原因").fill("更换探头")
    service.get_by_label("原因").press("Enter")
    expect(service.locator(".in-force")).to_contain_text("更换探头")
    expect(service.locator(".in-force")).to_contain_text("直至人工恢复")
    station = next(one for one in park.stations if one["code"] == "s01")
    body = {"kind": "out_of_service", "station_id": station["id"], "datastream_id": None, "for_s": None}
    assert sent(park, "/suppressions") == {**body, "reason": "更换探头"}
    page.get_by_role("button", name="全部站点").click()
    row = page.locator(".station-list").get_by_role("button", name="液氯储罐东侧")
    expect(row).to_contain_text("停用")
    row.click()
    service.get_by_role("button", name="恢复使用").click()
    expect(service).to_contain_text("正常使用")


def test_an_incident_shows_its_time_line_and_is_closed_with_a_reason(screen: Screen, park: StubPark) -> None:
    page = screen.page
    alarms = [park.alarm("s01", "red"), park.alarm("s02", "yellow")]
    incident = park.alerts.incident(*alarms)
    tell(park, "incident")
    tab = page.get_by_role("tab", name="警报 2")
    tab.focus()
    page.keyboard.press("ArrowRight")
    card = opened(page, "[data-incident]")
    expect(card).to_contain_text("2 条警报 · 2 个站点")
    expect(card).to_contain_text("所有警报恢复后方可关闭")
    expect(card.locator(".journal li")).to_have_count(3)
    expect(card.locator(".journal")).to_contain_text("事件开始")
    expect(card.get_by_role("form")).to_have_count(0)

    incident |= {"state": "settled", "active": 0, "unacknowledged": 0}
    tell(park, "incident")
    form = card.get_by_role("form", name="关闭事件")
    go = form.get_by_role("button", name="关闭事件")
    form.get_by_label("原因").fill("P-201 法兰泄漏，已紧固")
    expect(go).to_be_disabled()
    form.get_by_label("性质").select_option("release")
    go.click()
    expect(page.get_by_text("没有未结事件。")).to_be_visible()
    assert sent(park, "/close") == {"kind": "release", "reason": "P-201 法兰泄漏，已紧固"}
    page.get_by_role("button", name="含已结").click()
    expect(page.locator("[data-incident]")).to_contain_text("demo 关闭：泄漏")


def test_an_alarm_of_many_stations_tells_which_and_how_much(screen: Screen, park: StubPark) -> None:
    page, stream = screen.page, park.stream_of("s01")
    name = {"zh": "ring-2-of-9", "en": "ring-2-of-9"}
    whole = {"station_id": park.file.park.id, "station_name": name, "ring": "park", "datastream_id": None}
    alarm = park.alarm("s01", "orange", rule_id="across.ring-2-of-9", **whole)
    read = {"station_id": park.stations[0]["id"], "datastream_id": stream["id"], "value": 33.3, "over_range": True}
    park.alerts.put(alarm, {"stations": [read]})
    tell(park)
    page.locator(".banner").click()
    card = page.locator("[data-alarm]")
    expect(card).to_contain_text("ring-2-of-9")
    expect(card).to_contain_text("多站判据")
    expect(card.locator(".contributions")).to_contain_text("> 33.3 mg/m³")
    expect(card.get_by_role("button", name="查看站点")).to_have_count(0)


def test_a_key_that_may_only_look_is_offered_nothing_to_do(
    park: StubPark, many: list[dict[str, Any]], screen: Screen
) -> None:
    page = screen.page
    expect(page.get_by_role("button", name="确认", exact=True)).to_have_count(12)
    park.scopes = ["read"]
    page.reload()
    card = opened(page)
    expect(card).to_contain_text("此密钥只能查看")
    expect(page.get_by_role("button", name="确认", exact=True)).to_have_count(0)
    expect(card.get_by_role("button", name="搁置…")).to_have_count(0)
    assert many


@pytest.fixture
def many(park: StubPark) -> list[dict[str, Any]]:
    """Twelve alarms of two incidents, in no flood yet."""
    codes = [station["code"] for station in park.stations if station["ring"] != "meteorology"][:12]
    alarms = [park.alarm(code, "red" if code == codes[8] else "yellow") for code in codes]
    park.alerts.incident(*alarms[:8])
    park.alerts.incident(*alarms[8:])
    return alarms


def test_a_flood_is_told_and_grouped_and_hides_nothing(
    park: StubPark, many: list[dict[str, Any]], screen: Screen
) -> None:
    page = screen.page
    cards, heads = page.locator("[data-alarm]"), page.locator(".group-head button")
    expect(cards).to_have_count(12)
    typed = page.locator(f"[data-alarm='{many[3]['id']}']").get_by_role("textbox")
    typed.fill("正在核查")
    park.alerts.flood |= {"in_flood": True, "began_at": stamp(), "alarms": {"red": 1, "yellow": 11}}
    tell(park, "flood")
    notice = page.locator(".notice-flood")
    expect(notice).to_contain_text("10 分钟内 12 条警报（界限 10），按 2 起事件分组列出，没有隐藏任何一条。")
    expect(notice.get_by_label("红色：1")).to_be_visible()
    expect(heads).to_have_count(2)
    expect(cards).to_have_count(12)
    expect(cards.first).to_have_attribute("data-alarm", many[8]["id"])
    expect(typed).to_have_value("正在核查")
    heads.last.click()
    expect(page.locator("[data-alarm]:visible")).to_have_count(4)
    expect(heads.last).to_contain_text("8 条未确认")
    heads.last.click()
    expect(page.locator("[data-alarm]:visible")).to_have_count(12)
    park.alerts.flood |= {"in_flood": False}
    tell(park, "flood")
    expect(heads).to_have_count(0)
    expect(typed).to_have_value("正在核查")
