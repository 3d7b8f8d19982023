"""The pages in Debian's Chromium: one browser for each worker, one register with every verdict."""

import os
import shutil
from pathlib import Path

import httpx2 as httpx
import pytest
import segno
from playwright.sync_api import sync_playwright
from world import open_site

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text()
PHONE = {"width": 390, "height": 844}
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


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


@pytest.fixture(scope="session")
def browser(film):
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


def violations(page, options=None):
    """What axe-core finds on the page as it is now; a script tag would be stopped by our CSP."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE)
    found = page.evaluate("options => axe.run(options)", options or {})["violations"]
    return [(each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"]) for each in found]


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def write_film(path, text):
    """Two frames of 640 × 480 with a QR code in their middle."""
    rows = [
        [255 if cell in {0, None} else 16 for cell in row]
        for row in segno.make_qr(text, error="m").matrix_iter(border=4)
    ]
    scale = 460 // len(rows)
    left, top = (640 - scale * len(rows)) // 2, (480 - scale * len(rows)) // 2
    luma = bytearray(b"\xc8" * (640 * 480))
    for y, row in enumerate(rows):
        line = b"".join(bytes([value]) * scale for value in row)
        for each in range(scale):
            start = (top + y * scale + each) * 640 + left
            luma[start : start + len(line)] = line
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 2)
