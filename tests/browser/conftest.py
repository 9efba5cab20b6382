"""A real Chromium, the page as built, and the stand-in for the gateway that a test steers."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.stub_park import StubPark
from tests.browser.stub_server import DIST, StubServer

expect.set_options(timeout=20_000)  # what is waited for comes at once, but not on a machine that has much else to do
WEB = DIST.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str:
    """The browser's program. A machine without one fails the tests: the page would go untested."""
    named = os.environ.get("FENCELINE_CHROMIUM")
    found = named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None or not Path(found).exists():
        pytest.fail("No Chromium found: install one (apt-get install chromium) or name it in FENCELINE_CHROMIUM.")
    return found


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The built page; built now if there is none or the sources are newer."""
    sources = [WEB / "index.html", WEB / "package-lock.json", *(WEB / "src").rglob("*"), *(WEB / "public").rglob("*")]
    newest = max(path.stat().st_mtime for path in sources)
    index = DIST / "index.html"
    if not index.exists() or index.stat().st_mtime < newest:
        npm = shutil.which("npm")
        assert npm, "npm was not found: install Node.js 20 or newer"
        if not (WEB / "node_modules").exists():
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True, capture_output=True)
        subprocess.run([npm, "run", "build"], cwd=WEB, check=True, capture_output=True)
    return DIST


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: as long as it is open, no asynchronous test can run in the same process."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile that speaks Chinese."""
    opened = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield opened
    opened.close()


@pytest.fixture
def park() -> StubPark:
    """A calm park with somebody signed in."""
    calm = StubPark()
    calm.signed_in = True
    return calm


@dataclass
class Screen:
    """The page on the stub, and the live values that keep it alive."""

    page: Page
    park: StubPark
    url: str
    alive: threading.Event
    faults: list[str]

    def silence(self) -> None:
        """Nothing more comes from the park, though the connection stands."""
        self.alive.clear()


@pytest.fixture
def server(park: StubPark, built_page: Path) -> Iterator[StubServer]:
    assert (built_page / "index.html").is_file()
    with StubServer(park) as running:
        yield running


@pytest.fixture
def screen(server: StubServer, context: BrowserContext) -> Iterator[Screen]:
    """The page, open on the stub, with live values twice a second; a script error fails the test."""
    alive, ended = threading.Event(), threading.Event()
    alive.set()

    def live() -> None:
        while not ended.wait(0.5):
            if alive.is_set():
                server.park.refresh()
                server.park.send_observations()

    feeder = threading.Thread(target=live)
    feeder.start()
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(server.url)
    yield Screen(page, server.park, server.url, alive, faults)
    ended.set()
    feeder.join()
    assert not faults
