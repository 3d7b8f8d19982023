"""Pages for everybody: axe-core finds nothing in light, in dark and from right to left; no phone scrolls sideways."""

import io

import pytest
from pypdf import PdfReader

from app.core.i18n import LANGUAGES, load_catalogue
from app.pages.public.verdict_texts import ALARM_TEXTS, VERDICT_TEXTS
from tests.pages.browsing import scrolls_sideways, violations
from tests.pages.pages import FAULT, addresses, every

CONTRAST = {"runOnly": ["color-contrast"]}


@pytest.mark.parametrize("place", range(len(every()) + 1))
def test_no_violations(site, tab, place):
    address = addresses(site)[place]
    page = tab()
    page.goto(address)
    assert violations(page) == []
    assert not scrolls_sideways(page)
    page.emulate_media(color_scheme="dark")
    assert violations(page, CONTRAST) == []
    page.goto(f"{address}{'&' if '?' in address else '?'}lang=fa")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert violations(page) == []
    assert not scrolls_sideways(page)
    if address == FAULT:
        tab.faults[:] = [fault for fault in tab.faults if "404" not in fault]


def test_long_words_stay_on_the_page(site, tab):
    page = tab()
    page.goto(f"{site.v('valid')}?holder={'ə' * 900}&product={'W' * 900}&lang=ru")
    assert not scrolls_sideways(page)
    page.locator(".what bdi").first.evaluate("each => { each.textContent = 'W'.repeat(900) }")
    assert not scrolls_sideways(page)
    page.goto(f"/verify?number={'9' * 900}")
    assert not scrolls_sideways(page)


def test_print_shows_the_answer_its_time_and_its_address_on_one_sheet(site, tab):
    page = tab()
    for verdict, language in (("valid", "en"), ("suspended", "ru"), ("revoked", "fa"), ("unknown", "de")):
        page.goto(site.v(verdict, f"?lang={language}"))
        page.emulate_media(media="print")
        assert page.locator("[data-verdict]").is_visible()
        assert page.locator("form:visible, nav:visible, button:visible").count() == 0
        printed = page.locator(".print-only").inner_text()
        assert site.v(verdict) in printed and "21:00" in printed
        sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        assert len(sheets.pages) == 1 and round(float(sheets.pages[0].mediabox.width)) == 595


def test_no_verdict_word_and_no_number_breaks_on_a_phone(site, tab):
    page = tab()
    words = [*(face.word for face in VERDICT_TEXTS.values()), *(word for word, _ in ALARM_TEXTS.values())]
    for language in LANGUAGES:
        page.goto(site.v("valid", f"?lang={language}"))
        heading = page.locator("#verdict")
        for word in map(load_catalogue("pages", language).gettext, words):
            heading.evaluate("(each, word) => { each.textContent = word }", word)
            assert heading.evaluate("each => each.scrollWidth <= each.clientWidth"), (language, word)
        assert page.locator(".verdict .number bdi").evaluate("each => each.getClientRects().length") == 1
        assert not scrolls_sideways(page)
