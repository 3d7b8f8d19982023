"""Pictures of the pages for the README: `make screenshots` writes docs/screenshots/*.png.

A service with a small invented register is started for it, and shown in Chromium as a phone and as a desk see it.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.factories import product
from tests.pages.factories import open_site
from tests.pages.pages import TRIED

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1280, "height": 860}}


@dataclass(frozen=True)
class Shot:
    name: str
    address: str
    screen: dict
    language: str = "en"
    dark: bool = False
    stamped: str = ""  # the verdict whose stamp stands behind the #


SHOTS = (
    Shot("verify-valid-phone", "/v/{valid}", PHONE, stamped="valid"),
    Shot("verify-revoked-phone-fa-dark", "/v/{revoked}", PHONE, language="fa", dark=True),
    Shot("verify-suspended-desk-az", "/v/{suspended}", DESK, language="az"),
    Shot("verify-ask-phone-ru", "/verify", PHONE, language="ru"),
    Shot(
        "verify-compare-phone-de", "/v/{valid}?holder=Sample+Tube&product=Rug&hs6=730630#compare", PHONE, language="de"
    ),
    Shot("register-desk", "/register", DESK),
    Shot("start-phone-az", "/", PHONE, language="az"),
    Shot("try-the-rules-desk", f"/apply/check?{TRIED}", DESK),
)


def fill(app, site):
    company = app.set_up_company(legal_name_az="“Nümunə Boru” MMC", legal_name_en="Sample Tube LLC (fictional)")
    names = {"en": "Welded steel tube, circular", "az": "Qaynaqlı polad boru, dairəvi", "ru": "Труба стальная сварная"}
    for verdict in ("valid", "suspended", "revoked"):
        wanted = product(company.site_id, names=names)
        site.numbers[verdict] = app.certify(company, company.add_product(**wanted))
    app.owner.act(f"/v1/certificates/{site.numbers['suspended']}/suspend", {"cause": "hearing"})
    app.owner.act(f"/v1/certificates/{site.numbers['revoked']}/revoke", {"reason": "mark-on-uncertified-goods"})
    site.signer = app.container.keys.active_signer()


def take(browser, site, shot):
    look = {"locale": shot.language, "color_scheme": "dark" if shot.dark else "light", "base_url": site.base_url}
    with browser.new_context(**shot.screen, **look) as context:
        page = context.new_page()
        stamp = f"#{site.stamp(site.numbers[shot.stamped])}" if shot.stamped else ""
        page.goto(shot.address.format(**site.numbers) + stamp, wait_until="networkidle")
        page.screenshot(path=FOLDER / f"{shot.name}.png")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_site(Path(folder), fill) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for shot in SHOTS:
            take(browser, site, shot)
        browser.close()


if __name__ == "__main__":
    main()
