"""The pages in Debian's Chromium: a browser for each file, a register with every verdict for each worker."""

import os
import shutil

import httpx2 as httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.pages.browsing import HTML, PHONE
from tests.pages.factories import open_site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Read only: a test that changes what is shown opens its own."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def http(site):
    """A browser without scripts: asks for HTML, keeps cookies."""
    with httpx.Client(base_url=site.base_url, headers=HTML, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """What the camera sees: a file to be written before it is opened (`write_film`)."""
    return tmp_path_factory.mktemp("camera") / "film.y4m"


@pytest.fixture(scope="module")
def browser(film):
    """One for each file and worker: while Playwright runs, its event loop stands in the way of `asyncio.run`, which
    other tests need."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        assert not os.environ.get("CI"), "CI needs a browser: set CHROMIUM"
        pytest.skip("no Chromium here: set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, site):
    """A function that opens a fresh tab: `tab()`, `tab(locale="fa-IR", color_scheme="dark")`.

    `tab.faults` collects what the page complained about, refusals by the CSP included; it must be empty at the end.
    """
    contexts = []

    def open_tab(**options):
        context = browser.new_context(**({"viewport": PHONE, "base_url": site.base_url, "locale": "en-GB"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and open_tab.faults.append(message.text))
        page.on("pageerror", lambda error: open_tab.faults.append(str(error)))
        return page

    open_tab.faults = []
    yield open_tab
    for context in contexts:
        context.close()
    assert open_tab.faults == []
