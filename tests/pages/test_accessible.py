"""Pages for everybody: axe-core finds nothing in light, in dark and from right to left; no phone scrolls sideways."""

import pytest

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


def test_print_shows_the_answer_and_no_forms(site, tab):
    page = tab()
    page.goto(site.v("valid"))
    page.emulate_media(media="print")
    assert page.locator("[data-verdict]").is_visible() and page.locator("#facts").is_visible()
    assert page.locator("form:visible, nav:visible, button:visible").count() == 0
