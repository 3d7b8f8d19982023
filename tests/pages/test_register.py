"""The pages of the register, without a script: what they find, count, refuse, and whither their links lead."""

import html
import re
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest

from app.core.i18n import LANGUAGES, load_catalogue
from app.pages.public import register_view
from tests.factories import product
from tests.pages.browsing import HTML

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }} %s", "\u202eevil", "a\x00b"]
HOSTILE += ["👩‍👩‍👧" * 40, "ə" * 10_000, "%", "_", "'", "\\"]


def numbers_in(page):
    return re.findall(r'href="/v/([A-Z0-9-]+)', page)


def found(answer):
    return int(re.search(r"<bdi>(\d+)</bdi> certificates? found", answer.text)[1])


def links(page, part):
    return [html.unescape(each) for each in re.findall(r'href="([^"]+)"', page) if part in each]


@pytest.mark.parametrize(
    "query", ["q=Агдам", "q=AĞDAM", "holder=sample", "product=polad boru", "hs=HS 7306.30", "hs=73"]
)
def test_it_is_found_however_it_is_written(site, http, query):
    page = http.get(f"/register?{query}")
    assert page.status_code == 200 and found(page) == len(numbers_in(page.text)) >= 7


def test_a_row_says_what_a_check_would_say(site, http):
    """A certificate that is not yet valid is counted with the valid ones, and shown as what it is."""
    page = http.get("/register?status=active").text
    assert {site.numbers["valid"], site.numbers["not_yet_valid"]} == set(numbers_in(page))
    assert "Not yet valid" in page
    for verdict in ("suspended", "expired", "revoked", "surrendered", "superseded"):
        assert numbers_in(http.get(f"/register?status={verdict}").text) == [site.numbers[verdict]]


def test_every_filter_link_shows_as_many_as_it_says(site, http):
    start = http.get("/register?q=tube").text
    offered = re.findall(r'<a href="(/register\?[^"]*status=[^"]+)"[^>]*>.*?<bdi class="many">(\d+)</bdi>', start)
    assert len(offered) == 6
    for address, count in offered:
        page = http.get(html.unescape(address))
        assert found(page) == int(count) and "q=tube" in address
        back = re.search(r'<a href="([^"]+)" aria-current="true">', page.text)[1]
        assert html.unescape(back) == "/register?q=tube"  # a chosen filter leads to where it is not chosen


def turn(page, rel):
    """Where the button of the list leads; None where there is none."""
    button = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return button and html.unescape(button[1])


def test_pages_turn_and_can_be_kept(site, http):
    with patch.object(register_view, "PAGE_SIZE", 2):
        seen, address, newest = [], "/register?q=tube", True
        for _page in range(4):
            page = http.get(address).text
            seen += numbers_in(page)
            assert newest == (turn(page, "prev") is None)
            address, newest = turn(page, "next"), False
            assert address is None or "q=tube" in address
        assert address is None and len(seen) == len(set(seen)) == 7
        newer = http.get(turn(page, "prev")).text
        assert numbers_in(newer) == seen[4:6]
        assert turn(newer, "next") is not None
        newest = http.get(turn(http.get(turn(newer, "prev")).text, "prev")).text
        assert numbers_in(newest) == seen[:2] and turn(newest, "prev") is None


@pytest.mark.parametrize("cursor", ["x", "%00", "AAAA", "é", "0" * 200])
def test_a_cursor_that_is_not_ours(http, cursor):
    answer = http.get(f"/register?before={cursor}")
    assert answer.status_code == 422 and "<h1>" in answer.text


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("hs=7", register_view.INVALID_HS),
        ("hs=7306300", register_view.INVALID_HS),
        ("hs=abc", register_view.INVALID_HS),
        ("hs=٧٣", register_view.INVALID_HS),
        ("q=" + "x" * 201, register_view.TOO_LONG),
        ("status=approved", register_view.INVALID_CHOICE),
        ("park=NOWHERE", register_view.INVALID_CHOICE),
        ("scheme=%00", register_view.INVALID_CHOICE),
    ],
)
def test_what_cannot_be_read_is_said_at_its_place(http, query, why):
    answer = http.get(f"/register?{query}")
    assert answer.status_code == 422 and why in html.unescape(answer.text)
    assert "certificates found" not in answer.text and 'action="/register"' in answer.text


def test_nothing_found_and_nothing_there(http, shared_app):
    empty = http.get("/register?q=nothing-like-it").text
    assert "No certificates match this search." in empty and 'href="/register"' in empty
    with patch(
        "app.pages.public.register.load",
        return_value=register_view.RegisterView([], register_view.FacetCounts({}), 0, None, None),
    ):
        fresh = shared_app.http.get("/register", headers=HTML).text
    assert "There is no certificate in the register yet." in fresh


def test_the_page_of_a_holder(site, http):
    page = http.get(f"/register/holders/{site.holder}")
    assert page.status_code == 200 and len(numbers_in(page.text)) == 7
    assert re.search(r"VÖEN\): <bdi class=\"code\">\d{9}1<", page.text) and "***" not in page.text
    for unknown in ("x", "%00", "00000000-0000-0000-0000-000000000000"):
        assert http.get(f"/register/holders/{unknown}").status_code == 404


def test_a_company_without_a_certificate_has_no_page(app):
    company = app.set_up_company()
    assert app.http.get(f"/register/holders/{company.organisation_id}", headers=HTML).status_code == 404


def test_the_page_of_a_park(site, http):
    page = http.get("/register/parks/AGDAM-SP", params={"lang": "az"}).text
    assert "Ağdam Sənaye Parkı" in page and len(numbers_in(page)) == 7 and "190" in page
    assert http.get("/register/parks/ALAT-AIZ").status_code == 200
    for unknown in ("x", "%00", "agdam-sp"):
        assert http.get(f"/register/parks/{unknown}").status_code == 404


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_questions_are_only_text(http, text):
    for name in ("q", "holder", "product", "hs", "status", "scheme", "park"):
        answer = http.get("/register", params={name: text})
        assert answer.status_code in {200, 422}
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text and ">49" not in answer.text


def test_hostile_names_are_only_text(app):
    company = app.set_up_company(legal_name_en="<b>&amp; “{{ 7*7 }}”", legal_name_az="<script>x</script>")
    names = {"az": "</a><script>1</script>", "en": '"><img src=x onerror=1>'}
    number = app.certify(company, company.add_product(**product(company.site_id, names=names)))
    for path in ("/register", f"/register/holders/{company.organisation_id}", "/register/parks/AGDAM-SP"):
        for language in ("en", "az"):
            page = app.http.get(path, params={"lang": language}, headers=HTML).text
            assert number in numbers_in(page)
            assert "<script>" not in page and "<img" not in page and "<b>" not in page and "“49”" not in page


def test_every_language_has_its_words(http):
    for language in LANGUAGES:
        page = html.unescape(http.get("/register", params={"lang": language}).text)
        words = load_catalogue("pages", language).gettext
        for text in ("Register of certificates", "More search options", "Open data", "Revoked"):
            assert words(text) in page
        if language != "en":
            assert "More search options" not in page


def test_links_of_the_page_lead_somewhere(site, http):
    seen = set()
    for page in ("/", "/register", "/apply", "/apply/MIK", f"/register/holders/{site.holder}"):
        for address in re.findall(r'href="(/[^"]*)"', http.get(page).text):
            path = html.unescape(address)
            if path not in seen and not path.startswith("/static"):
                seen.add(path)
                assert http.get(path).status_code == 200, path
    assert any(urlsplit(each).path == "/v1/certificates.csv" for each in seen)
