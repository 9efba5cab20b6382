"""The page on the whole real system: a release, its alarm and footprint as a person sees them, and what they do."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.park import RunningPark, eventually, running_park

pytestmark = pytest.mark.timeout(420)
SPEED = 6.0
RELEASE_WITHIN_MS = 90_000
SOON_MS = 30_000


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory, built_page: object) -> Iterator[RunningPark]:
    folder = tmp_path_factory.mktemp("browser") / "fenceline"
    with running_park(folder, speed=SPEED, FENCELINE_SIMULATOR_SEED="1") as running:
        yield running


@pytest.fixture(scope="module")
def page(park: RunningPark, browser: Browser) -> Iterator[Page]:
    """The page of the demo, which signs itself in on this machine; a script error fails the tests."""
    faults: list[str] = []
    with browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900}) as context:
        opened = context.new_page()
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto(park.base_url)
        yield opened
    assert not faults


def test_the_park_is_shown_live(park: RunningPark, page: Page) -> None:
    expect(page.get_by_text("FICTITIOUS")).to_be_visible()
    expect(page.locator(".marker > .station")).to_have_count(len(park.items("stations")))
    expect(page.locator(".marker .risk-source")).to_have_count(len(park.items("risk-sources")))
    expect(page.locator(".marker .receptor")).to_have_count(len(park.items("receptors")))
    expect(page.locator(".trust")).to_have_text("Live", timeout=30_000)
    expect(page.locator(".wind-rose")).to_contain_text("m/s", timeout=30_000)
    expect(page.locator(".marker > .station.data-ok").first).to_be_visible(timeout=30_000)


def test_the_alarm_climbs_to_red_and_its_footprint_appears_by_itself(park: RunningPark, page: Page) -> None:
    expect(page.locator(".banner-red")).to_be_visible(timeout=RELEASE_WITHIN_MS)
    expect(page.locator(".marker > .station.alarm-red").first).to_be_visible()
    expect(page.locator(".run-card.run-succeeded")).to_be_visible(timeout=60_000)
    expect(page.locator(".zone-legend")).to_contain_text("mg/m³")
    expect(page.locator(".suspect.chosen")).to_be_visible()
    assert any(run["trigger"] == "alarm" for run in park.items("runs"))


def test_the_alarm_is_acknowledged_at_the_page(park: RunningPark, page: Page) -> None:
    card = page.locator(".alarm-card:has(.acknowledge)").first
    alarm_id = card.get_attribute("data-alarm")
    card.get_by_role("textbox").fill("sent a crew")
    card.get_by_role("button", name="Acknowledge").click()
    acknowledged = eventually(
        lambda: (alarm := park.get(f"alarms/{alarm_id}"))["acknowledged_at"] and alarm, 10, "the acknowledgement"
    )
    assert acknowledged["comment"] == "sent a crew"
    expect(page.locator(f'[data-alarm="{alarm_id}"]')).to_contain_text("sent a crew")


def test_the_chart_of_the_alarming_station_is_drawn(page: Page) -> None:
    page.locator(".banner").click()
    detail = page.locator(".station-detail")
    expect(detail.locator(".uplot canvas")).to_be_visible()
    expect(detail.locator(".level-list")).to_contain_text("Red")
    expect(detail.locator(".values tbody tr").first).to_contain_text("mg/m³")


def test_its_station_goes_under_maintenance_and_back_into_service(park: RunningPark, page: Page) -> None:
    service = page.locator(".station-service")
    service.get_by_role("button", name="Take out of service…").click()
    service.get_by_label("Reason").fill("a new probe")
    service.get_by_label("Reason").press("Enter")
    expect(service.locator(".in-force")).to_contain_text("a new probe", timeout=SOON_MS)
    (kept,) = park.items("suppressions")
    assert (kept["kind"], kept["reason"], kept["datastream_id"]) == ("maintenance", "a new probe", None)
    service.get_by_role("button", name="End maintenance").click()
    expect(service.locator(".in-force")).to_have_count(0, timeout=SOON_MS)
    assert park.items("suppressions") == []


def test_the_incident_tells_what_happened(page: Page) -> None:
    page.get_by_role("tab", name="Incidents").click()
    page.get_by_role("button", name="With closed").click()
    incident = page.locator("[data-incident]:has-text('Chlorine')").first
    incident.locator(".alarm-head").click()
    expect(incident.locator(".journal .turn").first).to_contain_text("Opened", timeout=SOON_MS)
    expect(incident.locator(".journal")).to_contain_text("Raised")
    expect(incident.locator(".journal")).to_contain_text("Acknowledged")
    page.get_by_role("tab", name="Alarms").click()


def test_a_person_runs_the_model_for_a_source_of_their_own(park: RunningPark, page: Page) -> None:
    page.get_by_role("tab", name="Footprint").click()
    page.get_by_role("button", name="New run").click()
    page.get_by_label("Release at").select_option(park.items("risk-sources")[0]["id"])
    page.locator("input[name=rate]").fill("2")
    page.get_by_role("button", name="Run", exact=True).click()
    card = page.locator(".run-card.run-succeeded")
    expect(card).to_contain_text("By hand", timeout=60_000)
    expect(card).to_contain_text("2.00 kg/s")
    expect(page.locator("path.zone").first).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".player-time")).to_contain_text("after release")


def test_who_signs_out_gets_in_again_with_the_key(park: RunningPark, page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").fill(park.api_key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".marker > .station").first).to_be_visible()
    expect(page.locator(".banner")).not_to_have_text(re.compile("unknown"))
