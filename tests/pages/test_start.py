"""The start page, how to apply, and the form to try the rules, without a script."""

import html
import re

import pytest

from app.core.i18n import LANGUAGES, load_catalogue
from app.schemes.closed_lists import load_lists
from app.schemes.scheme_loader import load_schemes
from tests.pages.browsing import HTML
from tests.pages.pages import TRIED


def test_the_start_page_leads_on(site, http):
    page = http.get("/").text
    assert 'action="/verify"' in page and 'name="number"' in page
    assert "Valid certificates today: <bdi>2</bdi>." in page
    for code, scheme in load_schemes().items():
        assert f'href="/apply/{code}"' in page and html.escape(scheme.names["en"]) in page
    answer = http.get("/verify", params={"number": site.numbers["revoked"]})
    assert answer.headers["Location"] == f"/v/{site.numbers['revoked']}"


def test_how_to_apply_tells_the_times_of_the_house(http):
    page = re.sub("</?bdi>", "", http.get("/apply").text)
    for times in ("60 working days", "5 working days", "10 working days", "30 working days"):
        assert times in page
    assert "36 months" in page and "not yet confirmed by the owner of the mark" in page


@pytest.mark.parametrize("code", ["MIK", "MIA", "URVA"])
def test_the_rules_of_a_mark(http, code):
    scheme = load_schemes()[code]
    for language, side in (("az", "az"), ("en", "en"), ("ru", "en")):
        page = html.unescape(http.get(f"/apply/{code}", params={"lang": language}).text)
        for rule in scheme.ruleset.rules:
            assert f'id="{rule.id}"' in page and getattr(rule.title, side) in page
            assert getattr(rule.clause, side) in page
        asked = {"MIK": ("K-06", "40 %"), "MIA": ("A-05", "40 %"), "URVA": ("U-04", "80 %")}[code]
        told = re.search(rf'id="{asked[0]}">.*?<details', page, re.DOTALL)[0]
        assert asked[1] in told and load_catalogue("pages", language).gettext("How to prove it:") in told
        assert ('<span lang="en" dir="ltr">' in page) == (language == "ru")


@pytest.mark.parametrize("code", ["XXX", "mik", "%00", "x" * 500])
def test_there_is_no_such_mark(http, code):
    assert http.get(f"/apply/{code}").status_code == 404


def test_the_form_answers_with_arithmetic_and_reasons(http):
    page = html.unescape(http.get(f"/apply/check?{TRIED}").text)
    assert "RVC = (1450 − 830) / 1450 × 100 = 42.8 %" in page
    assert "7208 → 7306, 7306 = 7306" in page or "7306 = 7306, 7208 → 7306" in page
    assert "A reviewer would have to decide" in page
    assert "Karabakh share of manufacturing cost is 35.0 %: below 40 %" in page
    assert 'value="1450"' in page and '<option value="here" selected>' in page  # what was typed stays


GOOD = (
    "scheme=MIA&name=Tube&hs6=730630&ex_works=1450&foreign=830&headings=7208&karabakh=45&azerbaijan=56"
    "&district=Ağdam&residence=resident&work=tube_welding&step=here"
)


def test_nothing_is_green_as_long_as_rules_are_unchecked(http):
    for language in LANGUAGES:
        page = html.unescape(http.get(f"/apply/check?{GOOD}&lang={language}").text)
        assert re.search(r'<h2 id="outcome">.*?<bdi>15</bdi>.*?</h2>', page)
        assert page.index('id="unchecked"') < page.index('id="answers"')
        assert load_catalogue("pages", language).gettext("No obstacle in what was checked") in page
        assert 'class="card outcome good"' not in page and 'class="chip good"' not in page


def test_how_to_apply_leads_to_the_closed_lists(http):
    page = http.get("/apply").text
    for name in ("operations", "units", "flags", "headings"):
        assert f'href="/v1/{name}"' in page and http.get(f"/v1/{name}").status_code == 200


def test_the_form_speaks_the_language_of_the_reader(http):
    for language in LANGUAGES:
        page = html.unescape(http.get(f"/apply/check?{TRIED}&lang={language}").text)
        assert load_catalogue("pages", language).gettext("A reviewer would have to decide") in page
        said = "İstehsal xərclərində Qarabağın payı" if language == "az" else "Karabakh share of manufacturing cost is"
        assert said in page
        step = load_lists().operations["tube_welding"].name("az" if language == "az" else "en")
        assert f"“{step}”" in page


def test_an_empty_form_says_nothing_and_a_wrong_one_says_where(http):
    empty = http.get("/apply/check?scheme=MIA")
    assert empty.status_code == 200 and "Result of each rule" not in empty.text
    wrong = http.get("/apply/check?hs6=73&ex_works=abc&karabakh=200&scheme=MIK")
    assert wrong.status_code == 422 and wrong.text.count('aria-invalid="true"') == 3
    assert "Result of each rule" not in wrong.text and 'value="abc"' in wrong.text
    assert http.get("/apply/check?scheme=XXX&hs6=730630").status_code == 422


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x>', "\x00", "\u202e", "9" * 10_000, "{{ 7*7 }}"]
)
def test_hostile_text_is_only_text(http, text):
    for name in ("scheme", "name", "hs6", "ex_works", "headings", "district", "work"):
        answer = http.get("/apply/check", params={"hs6": "730630", name: text})
        assert answer.status_code in {200, 422}
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text and ">49<" not in answer.text


def test_nothing_is_kept(app):
    before = app.http.get("/", headers=HTML).text
    assert app.http.get(f"/apply/check?{TRIED}", headers=HTML).status_code == 200
    assert app.http.get("/", headers=HTML).text == before
    assert not re.search(r"Set-Cookie", str(app.http.get(f"/apply/check?{TRIED}", headers=HTML).headers), re.IGNORECASE)
