"""The badge tells the verdict of the moment in every language, stands alone, and may be shown anywhere."""

import hashlib
from xml.etree import ElementTree as ET

import pytest

from app.core.i18n import LANGUAGES, load_catalogue
from app.pages.public.badge import text_width
from app.pages.public.verdict_texts import VERDICT_TEXTS
from app.verification.verdict import Verdict

SHOWN = [verdict for verdict in Verdict if verdict not in {Verdict.FORGED, Verdict.UNREADABLE, Verdict.KEY_COMPROMISED}]
SVG = "{http://www.w3.org/2000/svg}"


def address(number):
    return f"/v1/certificates/{number}/badge.svg"


@pytest.mark.parametrize("verdict", SHOWN)
def test_every_verdict_in_every_language(site, http, verdict):
    fills = set()
    for language in LANGUAGES:
        answer = http.get(address(site.numbers[verdict]), params={"lang": language})
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("image/svg+xml")
        picture = ET.fromstring(answer.text)
        word = load_catalogue("pages", language).gettext(VERDICT_TEXTS[verdict].word)
        assert word in [each.text for each in picture.iter(f"{SVG}text")]
        title = picture.find(f"{SVG}title").text
        assert title.endswith(f": {word}") and picture.get("role") == "img"
        assert (site.numbers[verdict] in title) == (verdict not in {Verdict.UNKNOWN, Verdict.MISTYPED})
        fills.add(picture.findall(f".//{SVG}rect")[2].get("fill"))
    grey = verdict in {Verdict.UNKNOWN, Verdict.MISTYPED}
    assert len(fills) == 1 and ("#46545b" in fills) == grey


def test_it_stands_alone(site, http):
    text = http.get(address(site.numbers["valid"])).text
    for foreign in ("<script", "href", "url(http", "@import", "style=", "<image", "<foreignObject", "onload"):
        assert foreign not in text
    assert text.count("http") == 1  # the name of SVG itself


def test_it_may_be_shown_anywhere_and_is_asked_for_each_time(site, http):
    path = address(site.numbers["valid"])
    answer = http.get(path, headers={"Origin": "https://shop.example"})
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    assert http.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    other = http.get(path, params={"lang": "az"}, headers={"If-None-Match": answer.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("language", ["", "xx", "<script>", "AZ", "x" * 1_000])
def test_a_language_that_we_do_not_speak_is_english(site, http, language):
    path = address(site.numbers["valid"])
    assert http.get(path, params={"lang": language}).content == http.get(path).content


@pytest.mark.parametrize("number", ["x", "%3Cscript%3E", "%00", "%E2%80%AE", "M" * 5_000, "MIK-2026-000042-A"])
def test_whatever_the_number_there_is_a_picture(http, number):
    answer = http.get(address(number))
    assert answer.status_code == 200
    assert VERDICT_TEXTS[Verdict.MISTYPED].word in ET.fromstring(answer.text).find(f"{SVG}title").text


def test_a_change_shows_at_once(app):
    number = app.certify()
    before = app.http.get(address(number))
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    after = app.http.get(address(number), headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and "Suspended" in after.text and "Valid" in before.text
    app.clock.advance(days=2000)
    assert "Expired" in app.http.get(address(number)).text


def test_the_text_to_copy_shows_the_badge(site, http):
    number = site.numbers["valid"]
    page = http.get(f"/v/{number}?lang=de").text
    base = site.base_url
    wanted = f'<a href="{base}/v/{number}"><img src="{base}/v1/certificates/{number}/badge.svg?lang=de" height="28"'
    escaped = wanted.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
    assert escaped in page
    assert "badge_snippet" not in page and "/badge.svg" not in http.get(f"/v/{site.numbers['unknown']}").text


def test_wide_letters_get_more_room():
    assert text_width("有效") == 26 and text_width("ab") < text_width("有效") and text_width("") == 0
