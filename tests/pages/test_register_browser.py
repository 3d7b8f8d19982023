"""The register and the rules in a browser: by keyboard alone, without scripts, and with words too long for a phone."""

from tests.pages.browsing import scrolls_sideways, violations
from tests.pages.pages import TRIED


def test_the_keyboard_alone_finds_a_certificate(site, tab):
    page = tab()
    page.goto("/register")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")  # over the frame, to the content
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("ağdam boru")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    assert "7" in page.locator("#result").inner_text()
    page.locator(".filter a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**status=active*")
    page.locator(".found a").first.focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # where one is can be seen
    page.keyboard.press("Enter")
    page.wait_for_url("**/v/*")
    assert page.locator("[data-verdict]").is_visible()


def test_all_works_without_scripts(site, tab):
    page = tab(java_script_enabled=False, locale="az-AZ")
    page.goto("/")
    page.locator("#number").fill(site.numbers["revoked"])
    page.locator("main form button").first.click()
    assert page.locator("[data-verdict=revoked]").is_visible()
    page.goto("/register")
    page.locator("summary").nth(1).click()
    page.locator("#hs").fill("7306")
    page.locator("form.search button").click()
    assert "hs=7306" in page.url and page.locator(".found > li").count() == 7
    page.goto("/apply/check")
    page.locator("#scheme").select_option("MIK")
    page.locator("#hs6").fill("730630")
    page.locator("#ex_works").fill("100")
    page.locator("#foreign").fill("10")
    page.locator("#headings").fill("7208")
    page.locator("form .actions button").click()
    assert "RVC = (100 − 10) / 100 × 100 = 90.0 %" in page.locator("#origin ~ dl").inner_text()
    page.go_back()
    page.goto("/apply/MIK")
    page.locator("#K-06 summary").click()
    assert "40 %" in page.locator("#K-06 .says").inner_text()


def test_long_words_stay_on_the_page(site, tab):
    page = tab()
    for address in (
        f"/register?q={'W' * 190}",
        f"/register?holder={'ə' * 900}&lang=ru",
        f"/apply/check?{TRIED}&name={'W' * 190}&lang=de",
        f"/apply/check?headings={'9' * 900}&lang=az",
    ):
        page.goto(address)
        assert not scrolls_sideways(page)
    tab.faults[:] = [fault for fault in tab.faults if "422" not in fault]


def test_what_is_wrong_in_a_form_is_listed_first_and_leads_to_its_field(site, tab):
    page = tab()
    for address, fields in (
        ("/register?hs=abc", ["hs"]),
        ("/apply/check?hs6=12&ex_works=abc&lang=ar", ["hs6", "ex_works"]),
        ("/report", ["number"]),
    ):
        page.goto(address)
        if address == "/report":
            page.locator("main form button").click()
        page.locator(".summary:focus").wait_for()
        assert page.locator("[aria-invalid]").evaluate_all("all => all.map(each => each.id)") == fields
        for field in fields:
            page.locator(f'.summary a[href="#{field}"]').click()
            found = page.locator(f"#{field}:focus")
            assert found.evaluate("each => getComputedStyle(each).borderTopWidth") == "2px"
            message = page.locator(f"#{found.get_attribute('aria-describedby').split()[0]}")
            assert message.inner_text() in page.locator(".summary").inner_text()
        assert violations(page) == []
        assert not scrolls_sideways(page)
    page.goto("/verify?number=MIK-2026-000042-A")
    assert page.locator("#number:focus").get_attribute("aria-describedby").startswith("number-wrong")
    page.goto(site.v("valid", "?hs6=12"))
    assert page.locator(".summary a").get_attribute("href") == "#hs6"
    assert violations(page) == []
    tab.faults[:] = [fault for fault in tab.faults if "422" not in fault]
