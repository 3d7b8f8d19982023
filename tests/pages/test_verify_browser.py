"""Checking a certificate as people do it: by typing, link, camera, picture, by keyboard, with the network cut."""

import re
from base64 import b64encode
from datetime import date

import pytest
import segno
from playwright.sync_api import expect

from app.core.i18n import LANGUAGES, load_catalogue
from tests.pages.browsing import PHONE, violations, write_film

WEIGHT = 60 * 1024
REQUESTS = 6
OWN_READER = """globalThis.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"] }
    async detect() { return [] }
}"""


def verdict(page):
    return page.locator("[data-verdict]").get_attribute("data-verdict")


def picture(folder, text, name="code.png", scale=6):
    path = folder / name
    segno.make_qr(text, error="m").save(str(path), scale=scale, border=4)
    return path


def shown(page, attribute):
    """Which of the texts of a kind is shown: `data-when`, `data-stamp-when`, `data-offline-when`."""
    return page.locator(f"[{attribute}]:visible").evaluate_all(
        f"all => all.map(each => each.getAttribute('{attribute}'))"
    )


def stranger(stamp):
    """The same under a key that nobody knows here."""
    header = b64encode(b'{"alg":"ES256","kid":"AAAAAAAA","typ":"stamp+jwt"}').decode().rstrip("=")
    return f"{header}.{stamp.partition('.')[2]}"


def choose(page, path):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture of the code").click()
    chooser.value.set_files(path)


def test_by_typing_with_the_keyboard_alone(site, tab):
    page = tab()
    page.goto("/verify")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "number":
            break
    page.keyboard.type(site.numbers["suspended"].lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/v/{site.numbers['suspended']}")
    assert verdict(page) == "suspended"
    # to the content at once, and to another language, without a mouse
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator(".languages summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=az")
    assert page.locator("h1").inner_text() == "Müvəqqəti dayandırılıb"


def test_without_javascript(site, tab):
    page = tab(java_script_enabled=False)
    page.goto("/verify")
    assert not page.get_by_role("button", name="Scan the code").is_visible()
    page.get_by_label("Certificate number or link").fill(f"{site.base_url}/v/{site.numbers['valid']}")
    page.get_by_role("button", name="Check").first.click()
    assert verdict(page) == "valid"
    assert "its stamp was not checked" in page.locator("noscript").inner_text()
    page.get_by_label("Holder").fill("somebody else")
    page.get_by_role("button", name="Compare").click()
    assert page.locator("#holder-result").inner_text() == "Differs"
    assert (verdict(page), page.locator("h1").inner_text()) == ("differs", "Does not match")
    page.locator(".languages summary").click()
    page.get_by_role("link", name="Русский").click()
    assert (verdict(page), page.locator("#holder-result").inner_text()) == ("differs", "Отличается")
    page.goto("/verify")
    page.locator("summary", has_text="Проверить файл сертификата").click()
    page.locator("#token").fill(site.tokens[site.numbers["revoked"]])
    page.locator("form[method=post] button").click()
    assert verdict(page) == "revoked"


def test_by_link_with_the_stamp_of_the_paper(site, tab):
    number = site.numbers["valid"]
    stamp = site.stamp(number)
    page = tab()
    for fragment, says in [
        (stamp, ["genuine"]),
        (site.stamp(number, hs6="999999"), ["other"]),
        (site.stamp(site.numbers["revoked"]), ["other"]),
        (stamp[:-6] + ("AAAAAA" if not stamp.endswith("AAAAAA") else "BBBBBB"), ["forged"]),
        (f"{stamp.split('.')[0]}.e30.{stamp.split('.')[2]}", ["forged"]),
        (stamp[:-6], ["cut"]),
        (stamp.rpartition(".")[0], ["cut"]),
        (stamp[:30], ["cut"]),
        (f"=.{stamp}", []),
        ("compare", []),
        ("<img src=x onerror=alert(1)>.x.y", ["cut"]),
    ]:
        page.goto("about:blank")
        page.goto(f"/v/{number}#{fragment}")
        if says:
            expect(page.locator("[data-stamp-when]:visible")).to_have_count(1)
        assert (shown(page, "data-stamp-when"), verdict(page)) == (says, "valid")
        if says in (["other"], ["forged"]):  # a false paper with a true number: nothing beside the warning
            warning, answer = page.locator("[data-stamp-when]:visible"), page.locator("[data-verdict]")
            assert not answer.is_visible()
            word = {"other": "Stamp does not match", "forged": "Possible counterfeit"}[says[0]]
            assert (page.locator("h1").inner_text(), page.title()) == (word, f"{word} · {number} · Made in Karabakh")
            assert "Do not rely on the document" in warning.inner_text()
            says_register = page.locator("[data-register-says]")
            assert "Valid" in says_register.inner_text() and page.locator(".good:visible").count() == 0
            assert violations(page) == []
        else:
            assert (page.locator("h1").inner_text(), page.title()) == ("Valid", f"Valid · {number} · Made in Karabakh")
    page.goto("about:blank")
    page.goto(f"/v/{site.numbers['unknown']}#{stamp}")
    expect(page.locator("[data-stamp-when=other]")).to_be_visible()
    # the stamp goes with the reader into another language
    page.goto(f"/v/{number}#{stamp}")
    page.locator(".languages summary").click()
    page.get_by_role("link", name="فارسی").click()
    page.wait_for_url("**lang=fa#ey**")
    expect(page.locator("[data-stamp-when=genuine]")).to_contain_text("مُهر اصل")


def test_by_a_picture_of_the_code(site, tab, tmp_path):
    number = site.numbers["valid"]
    page = tab()
    page.goto("/verify")
    blank = tmp_path / "blank.png"
    blank.write_bytes(page.screenshot(clip={"x": 0, "y": 700, "width": 60, "height": 60}))
    choose(page, blank)
    expect(page.locator("[data-when=nothing]")).to_be_visible()
    (tmp_path / "no-picture.png").write_text("not a picture")
    choose(page, tmp_path / "no-picture.png")
    expect(page.locator("[data-when=nothing]")).to_be_visible()
    for foreign in ("javascript:alert(1)", "<script>alert(1)</script>", "nothing of ours"):
        choose(page, picture(tmp_path, foreign))
        expect(page.locator("[data-when=foreign]")).to_be_visible()
        assert page.url.endswith("/verify")
    # a code that leads to another host: that first, whatever its number and stamp are worth
    choose(page, picture(tmp_path, f"https://evil.example/v/{number}#{site.stamp(number)}", scale=2))
    page.wait_for_url(f"{site.base_url}/verify?number=**")
    assert (verdict(page), page.locator("h1").inner_text()) == ("foreign", "Possible counterfeit")
    assert "evil.example" in page.locator(".verdict .says").inner_text()
    assert page.locator(".good:visible").count() == 0
    page.get_by_role("button", name="Report misuse").click()
    assert re.fullmatch(r"R-\w{5}-\w{5}", page.locator("[data-receipt]").inner_text())


def test_the_code_that_the_service_hands_out(site, tab, http, tmp_path):
    """The very picture that stands on papers: it leads here, and its stamp is found genuine."""
    number = site.numbers["valid"]
    code = tmp_path / "qr.png"
    code.write_bytes(http.get(f"/v1/certificates/{number}/qr.png", headers={"Accept": "image/png"}).content)
    page = tab()
    page.goto("/verify")
    choose(page, code)
    page.wait_for_url(f"{site.base_url}/v/{number}#ey**")
    expect(page.locator("[data-stamp-when=genuine]")).to_be_visible()


def test_by_the_camera(site, tab, film):
    number = site.numbers["revoked"]
    write_film(film, f"{site.base_url}/v/{number}#{site.stamp(number)}")
    page = tab()
    page.goto("/verify?lang=de")
    page.get_by_role("button", name="Code scannen").click()
    page.wait_for_url(f"**/v/{number}?lang=de#ey**")
    assert verdict(page) == "revoked"


def test_without_a_camera_a_picture_helps(site, tab):
    page = tab()
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no'))")
    page.goto("/verify")
    page.get_by_role("button", name="Scan the code").click()
    expect(page.locator("[data-when=camera]")).to_be_visible()
    assert not page.locator("dialog").is_visible()


def test_a_file_that_is_dropped_or_chosen(site, tab, tmp_path):
    number = site.numbers["revoked"]
    file = tmp_path / f"{number}.jwt"
    file.write_text(site.tokens[number])
    for js in (True, False):
        page = tab(java_script_enabled=js)
        page.goto("/verify")
        page.locator("summary", has_text="Check a certificate file").click()
        page.locator("#file").set_input_files(file)
        page.locator("form[enctype] button").click()
        assert verdict(page) == "revoked"
    page = tab()
    page.goto("/verify")
    page.evaluate(
        """token => {
            const carried = new DataTransfer();
            carried.items.add(new File([token], "x.jwt"));
            const drop = { dataTransfer: carried, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", drop));
        }""",
        site.tokens[number],
    )
    expect(page.locator("[data-verdict]")).to_be_visible()
    assert verdict(page) == "revoked"


def test_a_film_of_a_look_alike_code(site, tab, film):
    number = site.numbers["valid"]
    write_film(film, f"https://mik-az.example/v/{number}")
    page = tab()
    page.goto("/verify?lang=az")
    page.locator("[data-open]").click()
    page.wait_for_url("**/verify?number=**")
    assert (verdict(page), page.locator("h1").inner_text()) == ("foreign", "Saxta ola bilər")
    assert "mik-az.example" in page.locator(".verdict .says").inner_text()


def test_the_camera_can_be_closed(site, tab, film):
    write_film(film, "nothing of ours, but seen only after it was closed")
    page = tab()
    page.add_init_script(OWN_READER)
    page.goto("/verify")
    page.get_by_role("button", name="Scan the code").click()
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    assert shown(page, "data-when") == []
    page.wait_for_timeout(400)  # one look through the camera later
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_stamps_are_checked_with_the_network_cut(site, tab, film, tmp_path):
    """A page that is open checks paper where there is no network, and says what only the register knows."""
    number = site.numbers["valid"]

    def stamp(first, last):
        return site.stamp(number, valid_from=date(first, 1, 1), valid_until=date(last, 1, 1))

    long = stamp(2020, 2999)
    write_film(film, f"{site.base_url}/v/{number}#{long}")
    page = tab()
    with page.expect_response("**/jsqr.js"):  # without a tap: the first scan may come when the network is gone
        page.goto("/verify")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("[data-open]").click()
    expect(page.locator("[data-offline-when=genuine]")).to_be_visible()
    for said, says in [
        (f"{site.base_url}/v/{number}#{long}", "genuine"),
        (f"{site.base_url}/v/{number}#{stamp(2990, 2999)}", "early"),
        (f"{site.base_url}/v/{number}#{stamp(2020, 2023)}", "ended"),
        (f"{site.base_url}/v/{number}#{long[:-6]}AAAAAA", "forged"),
        (f"{site.base_url}/v/{number}#{long[:-6]}", "cut"),
        (f"{site.base_url}/v/{number}#{stranger(long)}", "unknown-key"),
        (number, "none"),
    ]:
        choose(page, picture(tmp_path, said))
        expect(page.locator(f"[data-offline-when={says}]")).to_be_visible()
        assert shown(page, "data-offline-when") == [says]
    choose(page, picture(tmp_path, f"{site.base_url}/v/{number}#{long}"))
    expect(page.locator("[data-member=p]")).to_have_text("Welded steel tube")
    assert violations(page) == []
    assert page.locator("[data-member=n]").inner_text() == number
    # and behind the # of a page that shows a certificate
    page.context.set_offline(False)
    page.goto(f"/v/{number}")
    page.context.set_offline(True)
    page.evaluate("stamp => { location.hash = stamp }", site.stamp(number))
    expect(page.locator("[data-stamp-when=genuine]")).to_be_visible()
    tab.faults[:] = [fault for fault in tab.faults if "ERR_INTERNET_DISCONNECTED" not in fault]


@pytest.mark.parametrize("verdict_", ["valid", "unknown"])
def test_weight_before_any_tap(site, tab, verdict_):
    page = tab()
    finished = []
    page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 (Playwright marks what it is given)
    page.goto(site.v(verdict_), wait_until="networkidle")
    sizes = [request.sizes() for request in finished]
    weight = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    assert len(finished) <= REQUESTS, [request.url for request in finished]
    assert weight <= WEIGHT, {request.url: request.sizes() for request in finished}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_glance_in_every_language(site, tab, language):
    page = tab()
    page.goto(f"{site.v('revoked')}?lang={language}")
    words = load_catalogue("pages", language).gettext
    assert page.locator("h1").inner_text() == words("Revoked")
    box = page.locator("[data-verdict]").bounding_box()
    assert box["y"] + box["height"] < PHONE["height"], "the verdict is not in the first glance"
    assert re.fullmatch(r"MIK-\d{4}-\d{6}-\w", page.locator(".number bdi").inner_text())
