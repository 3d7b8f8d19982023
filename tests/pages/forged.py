"""Pictures of what a stranger may hand in, in every language: `python -m tests.pages.forged FOLDER`.

Forged codes (look-alike host, other stamp, other holder) by text, link, picture and camera, and genuine certificates
mangled on their way. One sheet for each case and width, with all languages side by side, to be looked at: are the right
words first? What the service answers without a browser is checked in test_verify_http.py for each of them.
"""

import base64
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

import segno
from PIL import Image
from playwright.sync_api import sync_playwright

from app.core.i18n import LANGUAGES
from tests.pages.browsing import write_film
from tests.pages.factories import open_site

WIDTHS = {"phone": (390, 844), "desk": (1280, 860)}


def mangled(token):
    """Genuine certificates as mail programs, chats and hasty hands leave them; the verdict that each deserves."""
    head, body, signature = token.split(".")
    other_head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return {
        "wrapped": ("\n".join(token[at : at + 76] for at in range(0, len(token), 76)), "valid"),
        "quoted": ("\n".join("> " + token[at : at + 70] for at in range(0, len(token), 70)), "valid"),
        "in-quotes": (f"“{token}”", "valid"),
        "with-a-name": (f"certificate.jwt {token}", "valid"),
        "cut": (token[:-9], "unreadable"),
        "half": (token[: len(token) // 2], "unreadable"),
        "two-parts": (f"{head}.{body}", "unreadable"),
        "other-header": (f"{other_head}.{body}.{signature}", "unreadable"),
        "changed-content": (f"{head}.{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}.{signature}", "forged"),
        "other-signature": (f"{head}.{body}.{'A' * 86}", "forged"),
    }


def forged_codes(site):
    """What a code says, and the verdict of the page: the paper gives itself away, whatever the register says."""
    number = site.numbers["valid"]
    ours, stamp = f"{site.base_url}/v/{number}", site.stamp(number)
    return {
        "look-alike": (f"https://mik-az.example/v/{number}#{stamp}", "foreign"),
        "other-stamp": (f"{ours}#{stamp[:-6]}AAAAAA", "forged"),
        "other-holder": (f"{ours}#{site.stamp(number, holder_name='Somebody Else LLC')}", "other"),
    }


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / "film.y4m"
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    options = ["--no-sandbox", "--disable-dev-shm-usage", *camera, f"--use-file-for-fake-video-capture={film}"]
    with (
        tempfile.TemporaryDirectory() as data,
        open_site(Path(data)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        for width, size in WIDTHS.items():
            for name, (text, verdict) in mangled(site.tokens[site.numbers["valid"]]).items():
                ask(browser, site, folder / f"token-{name}-{width}.png", size, text, verdict, "text")
            for name, (text, verdict) in forged_codes(site).items():
                for way in ("text", "link", "picture", "camera"):
                    write_film(film, text)
                    ask(browser, site, folder / f"code-{name}-{way}-{width}.png", size, text, verdict, way)
        browser.close()


def ask(browser, site, path, size, text, verdict, way):
    pictures = []
    for language in LANGUAGES:
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=site.base_url)
        page = context.new_page()
        if way == "link" and text.startswith(site.base_url):
            address, _, stamp = text.partition("#")
            page.goto(f"{address}?lang={language}#{stamp}")
        else:
            page.goto(f"/verify?lang={language}")
            hand_in(page, text, way, path.parent)
        page.locator("[data-verdict]:visible, [data-stamp-when]:visible").first.wait_for()
        page.wait_for_timeout(200)  # for the check of the stamp
        first = page.locator(".verdict:visible").first
        found = first.get_attribute("data-verdict") or first.get_attribute("data-stamp-when")
        if found != verdict:
            print(f"{path.name} {language}: {found}, not {verdict}")  # noqa: T201 (its only purpose)
        pictures.append(Image.open(io.BytesIO(page.screenshot())))
        context.close()
    sheet = Image.new("RGB", (sum(each.width for each in pictures), size[1]), "white")
    for place, each in enumerate(pictures):
        sheet.paste(each, (place * size[0], 0))
    sheet.thumbnail((2730, 2730))
    sheet.save(path)


def hand_in(page, text, way, folder):
    if way == "camera":
        page.locator("[data-open]").click()
    elif way == "picture":
        segno.make_qr(text, error="m").save(str(folder / "code.png"), scale=6, border=4)
        page.locator("[data-picture]").set_input_files(folder / "code.png")
    elif way == "link":
        page.locator("#number").render(text)
        page.locator(".check button").click()
    else:
        page.locator("details.more summary").click()
        page.locator("#token").render(text)
        page.locator("[data-drop] button").click()
    page.locator("[data-verdict]").first.wait_for(state="attached")


if __name__ == "__main__":
    main()
