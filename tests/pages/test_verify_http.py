"""Checking a certificate without a script: every verdict in every language, and what people type."""

import html
import io
import json
import re

import pypdf
import pytest

from app.core.i18n import LANGUAGES, load_catalogue
from app.pages.public.verdict_texts import ALARM_TEXTS, VERDICT_TEXTS
from app.verification.verdict import Verdict
from tests.factories import product
from tests.pages.browsing import HTML
from tests.pages.forged import forged_codes, mangled

pytestmark = pytest.mark.short
DEMO = "This is a demonstration. Certificates, companies and contacts are invented; nothing here is valid."
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE certificates; --",
    "{{ 7 * 7 }} {% raw %} %(x)s %s",
    "\u202eevil\u202c \u2066x",
    "👩‍👩‍👧‍👦" * 50,
    "ə" * 2_000,
    "a\x00b",
    "../../etc/passwd",
    "%ff%fe",
    "//evil.example/x",
]


def shown(answer):
    """The verdict of a page."""
    found = re.search(r'data-verdict="(\w+)"', answer.text)
    return found and found[1]


def text_of(answer):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text)))


@pytest.mark.parametrize(
    "verdict",
    [verdict for verdict in Verdict if verdict not in {Verdict.FORGED, Verdict.UNREADABLE, Verdict.KEY_COMPROMISED}],
)
def test_every_verdict_in_every_language(site, http, verdict):
    number = site.numbers[verdict]
    told = http.get(f"/v1/verify/{number}", headers={"Accept": "application/json"}).json()
    for language in LANGUAGES:
        answer = http.get(f"/v/{number}", params={"lang": language})
        words, page = load_catalogue("pages", language).gettext, text_of(answer)
        assert (answer.status_code, shown(answer)) == (200, told["verdict"]) == (200, verdict)
        assert all(
            words(text) in page
            for text in (VERDICT_TEXTS[verdict].word, VERDICT_TEXTS[verdict].says, VERDICT_TEXTS[verdict].advice)
        )
        for name, fact in (told["certificate"] or {}).items():
            if name in {"number", "valid_from", "valid_until"}:
                assert fact in page
        assert words(DEMO) in page
        # Every verdict leads on: to the register, to the owner of the mark, to a report.
        assert told["demo"] is True
        for address in ("/register", "/report", "mailto:mark@azpromo.example"):
            assert f'href="{address}' in answer.text
        if told["certificate"]:
            assert told["certificate"]["holder"]["name"] in page and "Welded steel tube" in page
            assert words("What this certificate does not replace") in page


def test_forged_is_shown_without_a_certificate(site, http):
    good = site.tokens[site.numbers["valid"]]
    forged = good[:-10] + ("AAAAAAAAAA" if not good.endswith("AAAAAAAAAA") else "BBBBBBBBBB")
    for language in LANGUAGES:
        answer = http.post("/verify", params={"lang": language}, data={"token": forged})
        assert (answer.status_code, shown(answer)) == (200, "forged")
        assert load_catalogue("pages", language).gettext("Possible counterfeit") in text_of(answer)
        assert "Welded steel tube" not in answer.text and forged not in answer.text


def test_a_whole_certificate_is_checked(site, http):
    for verdict in ("valid", "revoked", "expired"):
        answer = http.post("/verify", data={"token": f"\r\n {site.tokens[site.numbers[verdict]]}\n"})
        assert shown(answer) == verdict and site.numbers[verdict] in answer.text
    assert shown(http.get("/verify", params={"number": site.tokens[site.numbers["valid"]]})) == "valid"
    for nonsense in ("", "x", "eyJ.a.b", "ə" * 10_000):
        assert shown(http.post("/verify", data={"token": nonsense})) == "unreadable"


def test_what_is_typed_leads_to_the_permanent_address(site, http):
    number, stamp = site.numbers["valid"], site.stamp(site.numbers["valid"])
    for typed, to in [
        (number, f"/v/{number}"),
        (f" {number.lower().replace('-', ' ')} ", f"/v/{number}"),
        (f"№ {number}.", f"/v/{number}"),
        (f"{site.base_url}/v/{number}?lang=ru#{stamp}", f"/v/{number}#{stamp}"),
        (f"{site.base_url}/v/{number}#{stamp[:-5]}", f"/v/{number}#{stamp[:-5]}"),
        ("“Nümunə Boru” MMC", "/register?q=%E2%80%9CN%C3%BCmun%C9%99+Boru%E2%80%9D+MMC"),
        ("۴۷۶۰۰۰۰۰۰۰۰۱۶", "/register?q=4760000000016"),
        (stamp, f"/v/{number}#{stamp}"),
    ]:
        answer = http.get("/verify", params={"number": typed})
        assert (answer.status_code, answer.headers["Location"]) == (303, to)
    persian = http.get("/verify", params={"number": number, "lang": "fa"})
    assert persian.headers["Location"] == f"/v/{number}?lang=fa"


def test_the_paper_is_offered_only_where_there_is_one(site, http):
    for verdict in ("valid", "suspended", "revoked", "unknown"):
        path = f"/v1/certificates/{site.numbers[verdict]}/certificate.pdf?lang=fa"
        page = http.get(f"/v/{site.numbers[verdict]}?lang=fa").text
        assert (path in page) == (verdict == "valid")


def test_a_mistyped_number_can_be_corrected(site, http):
    answer = http.get("/verify", params={"number": "MIK-2026-000042-A"})
    assert shown(answer) == "mistyped" and 'value="MIK-2026-000042-A"' in answer.text
    assert 'aria-invalid="true"' in answer.text and "0 and O" in answer.text
    assert shown(http.get("/v/MIK/2026/000042")) == "mistyped"
    for nothing in ("/verify", "/verify?number=", "/verify?number=%20"):
        assert shown(http.get(nothing)) is None


def test_programs_are_led_to_the_answer_of_the_api(site, http):
    number = site.numbers["valid"]
    led = http.get(f"/v/{number}", headers={"Accept": "application/json"})
    assert (led.status_code, led.headers["Location"]) == (302, f"/v1/verify/{number}")
    strange = http.get("/v/a%2F..%2Fb%0d", headers={"Accept": "application/json"})
    assert strange.headers["Location"] == "/v1/verify/a%2F..%2Fb%0D"
    assert http.get(f"/v/{number}", headers={"Accept": "*/*"}).headers["Content-Type"].startswith("text/html")
    refused = http.get(f"/v/{number}", headers={"Accept": "image/png"})
    assert refused.status_code == 406


def test_comparing_with_the_paper(site, http):
    path = f"/v/{site.numbers['valid']}"
    told = http.get(f"/v1/verify/{site.numbers['valid']}").json()["certificate"]

    def compared(**fields):
        answer = http.get(path, params=fields)
        found = re.findall(r'id="(\w+)-result"><span class="chip (\w+)">', answer.text)
        wrong = re.findall(r'<p class="mistake" id="(\w+)-wrong">', answer.text)
        return answer.status_code, dict(found) | dict.fromkeys(wrong, "wrong")

    holder = f"«{told['holder']['name'].upper()}» MMC"
    assert compared(holder=holder, product="qaynaqlı POLAD boru") == (200, {"holder": "good", "product": "good"})
    assert compared(holder="Other", hs6="7306.30") == (200, {"holder": "bad", "hs6": "good"})
    assert compared(valid_until=told["valid_until"]) == (200, {"valid_until": "good"})
    assert compared(valid_until="2029-01-01", product="Rug") == (200, {"valid_until": "bad", "product": "bad"})
    assert compared(hs6="73", valid_until="soon", holder="x" * 1_001) == (
        422,
        {"hs6": "wrong", "valid_until": "wrong", "holder": "wrong"},
    )
    assert compared(holder=" ", product="") == (200, {})
    assert shown(http.get(f"/v/{site.numbers['unknown']}", params={"holder": "x"})) == "unknown"


def test_the_keys_for_the_stamp_come_with_the_page(site, http):
    keys = http.get("/.well-known/jwks.json").json()["keys"]
    data = re.search(r'id="for-scripts">(.*?)</script>', http.get(f"/v/{site.numbers['valid']}").text)[1]
    told = json.loads(data)
    assert [key["kid"] for key in told["keys"]] == [key["kid"].split("#")[1][:8] for key in keys]
    assert [(key["x"], key["y"]) for key in told["keys"]] == [(key["x"], key["y"]) for key in keys]
    assert told["registered"]["n"] == site.numbers["valid"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(site, http, text):
    number = site.numbers["valid"]
    for answer in (
        http.get("/verify", params={"number": text}),
        http.post("/verify", data={"token": text}),
        http.get("/v/x", params={"lang": text, "holder": text}),
        http.get(f"/v/{number}", params=dict.fromkeys(("holder", "product", "hs6", "valid_until", "lang"), text)),
        http.get("/nothing", params={"x": text}, headers={"Cookie": "lang=x"}),
    ):
        assert answer.status_code in {200, 404, 422}
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not re.search(r"<script>|<img src=x|onerror=alert\(1\)>|[>\"]49 ", answer.text.replace("&lt;", ""))
        assert len(answer.content) < 100_000


def test_refusals_of_the_form(site, http):
    assert http.post("/verify", data={"token": "x" * 200_000}).status_code == 413
    assert http.post("/verify", json={"token": "x"}).status_code == 415
    assert http.post("/verify", data={f"f{n}": "x" for n in range(50)}).status_code == 422
    assert (
        http.post(
            "/verify", content=b"\xff\xfe%zz=&&&;", headers={"Content-Type": "application/x-www-form-urlencoded"}
        ).status_code
        == 200
    )


def test_a_form_that_breaks_off_is_refused(shared_app):
    """Nobody reads the refusal; that it is one, and no fault of ours, is for the log."""
    messages, sent = [{"type": "http.request", "body": b"token=eyJ", "more_body": True}], []

    async def receive():
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"text/html")]
    scope = {"type": "http", "method": "POST", "path": "/verify", "query_string": b"", "headers": headers}
    shared_app.http.portal.call(shared_app.asgi, scope | {"app": shared_app.fastapi}, receive, send)
    assert sent[0]["status"] == 422


def test_hostile_names_are_only_names(shared_app):
    """A name that was certified is shown as it is, and neither runs nor turns the line around."""
    company = shared_app.set_up_company(legal_name_en="<b onclick=alert(1)>“Ağdam” & 'Co'</b>")
    wanted = product(company.site_id, names={"en": "<script>alert('{{x}}')</script>", "az": "%(az)s %d </script><!--"})
    number = shared_app.certify(company, company.add_product(**wanted))
    page = shared_app.http.get(f"/v/{number}", headers=HTML)
    assert shown(page) == "valid"
    assert "<script>alert" not in page.text and "<b onclick" not in page.text and "<!--" not in page.text
    assert "&lt;script&gt;alert(&#39;{{x}}&#39;)&lt;/script&gt;" in page.text


def test_a_revocation_shows_in_the_very_next_look(shared_app):
    number = shared_app.certify()
    first = shared_app.http.get(f"/v/{number}", headers=HTML)
    shared_app.revoke(number, "court-order")
    second = shared_app.http.get(f"/v/{number}", headers=HTML | {"If-None-Match": first.headers["ETag"]})
    assert (shown(first), shown(second)) == ("valid", "revoked") and "a court order" in second.text


def test_the_page_needs_no_database_session(shared_app, monkeypatch):
    number, keeper = shared_app.certify(), shared_app.container.keys
    keeper.reload()
    monkeypatch.setattr(keeper, "_clock", lambda: keeper._loaded_at)  # the keys are reloaded once in a second at most
    for way in ("session", "read_session"):
        monkeypatch.setattr(type(shared_app.database), way, lambda *_: pytest.fail("a session was opened"))
    assert shown(shared_app.http.get(f"/v/{number}", headers=HTML)) == "valid"


def test_a_code_that_leads_elsewhere(site, http):
    """Red and first in every language; what the register says of the number stands below it and is neutral."""
    number = site.numbers["valid"]
    text = f"https://mik-az.example/v/{number}#{site.stamp(number)}"
    for language in LANGUAGES:
        words = load_catalogue("pages", language).gettext
        said = words("This code leads to %(host)s, which is not ours. The document is probably forged.")
        for answer in (
            http.get("/verify", params={"number": text, "lang": language}),
            http.post("/verify", params={"lang": language}, data={"token": text}),
        ):
            page = text_of(answer)
            assert (answer.status_code, shown(answer)) == (200, "foreign")
            assert said % {"host": "mik-az.example"} in page
            assert page.index(words("Possible counterfeit")) < page.index(words("Register entry for this number"))
            assert words("This certificate is genuine and valid.") in page
            assert 'class="verdict good"' not in answer.text
            assert answer.text.count("<h1") == 1 and f"<title>{words('Possible counterfeit')} · {number}" in answer.text
    nothing = http.get("/verify", params={"number": "https://e-afsa.example/abc"})
    assert shown(nothing) == "foreign" and "data-register-says" not in nothing.text


def test_a_file_is_shown_as_a_text_or_link_would_be(site, http):
    number = site.numbers["valid"]
    code = http.get(f"/v1/certificates/{number}/qr.png", headers={"Accept": "image/png"}).content
    for content, verdict in [
        (site.tokens[number].encode(), "valid"),
        (site.tokens[number][:-9].encode(), "unreadable"),
        (site.tokens[site.numbers["revoked"]].encode(), "revoked"),
        (code, "valid"),
        (f"https://mik-az.example/v/{number}".encode(), "foreign"),
    ]:
        answer = http.post("/verify", files={"file": ("x", content)})
        assert (answer.status_code, shown(answer)) == (200, verdict)
        for_scripts = answer.text.count('stamp-when="genuine"') + answer.text.count('offline-when="genuine"')
        assert answer.text.count("Genuine stamp</span>") == for_scripts + (content is code)
        assert (
            shown(http.post("/verify", files={"file": ("", b"")}, data={"token": content})) == verdict
            or content is code
        )
    writer, unsigned = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.add_attachment(f"{number}.jwt", site.tokens[number].encode())
    writer.write(unsigned)
    answer = http.post("/verify", files={"file": ("x", unsigned.getvalue())})
    assert shown(answer) == "valid" and "This PDF carries no signature." in answer.text
    for language in LANGUAGES:
        wrong = http.post("/verify", params={"lang": language}, files={"file": ("x", bytes(9))})
        words = load_catalogue("pages", language).gettext
        assert wrong.status_code == 422 and shown(wrong) is None
        assert words("This file cannot be read. Send a .jwt file, a PDF, or a picture of the code.") in text_of(wrong)


def test_one_click_reports_it(site, http):
    answer = http.post("/report", data={"address": "https://mik-az.example/v/x", "number": site.numbers["valid"]})
    assert answer.status_code == 200
    assert re.search(r"data-receipt>R-\w{5}-\w{5}<", answer.text)


def test_the_form_of_a_report(http):
    assert http.get("/report", params={"number": "x"}).status_code == 200
    for wrong in ({"number": " "}, {"number": "x", "email": "nobody"}, {"number": "x", "text": "\0"}):
        answer = http.post("/report", data=wrong)
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    files = {"photo": ("x.pdf", b"%PDF-1.7", "application/pdf")}
    assert http.post("/report", data={"number": "x"}, files=files).status_code == 422
    files = {"photo": ("x.png", b"\x89PNG\r\n\x1a\n....", "image/png")}
    assert "data-receipt" in http.post("/report", data={"number": "x"}, files=files).text


def test_a_paper_that_differs_is_the_only_verdict(site, http):
    number = site.numbers["valid"]
    for language in LANGUAGES:
        words = load_catalogue("pages", language).gettext
        answer = http.get(f"/v/{number}", params={"hs6": "999999", "lang": language})
        assert (answer.status_code, shown(answer)) == (200, "differs")
        assert f"<title>{words('Does not match')} · {number}" in answer.text
        assert answer.text.count("<h1") == 1 and 'class="verdict good"' not in answer.text
    assert shown(http.get(f"/v/{number}", params={"hs6": "7306.30"})) == "valid"


def test_whatever_a_stranger_hands_in_the_right_words_come_first(site, http):
    """The cases of the sheets of `forged.py`, as far as the service answers them alone: stamps are for the scripts."""
    cases = [*mangled(site.tokens[site.numbers["valid"]]).values(), forged_codes(site)["look-alike"]]
    for language in LANGUAGES:
        words = load_catalogue("pages", language).gettext
        for text, verdict in cases:
            answer = http.post("/verify", params={"lang": language}, data={"token": text})
            word = words(ALARM_TEXTS[verdict][0] if verdict in ALARM_TEXTS else VERDICT_TEXTS[Verdict(verdict)].word)
            assert shown(answer) == verdict, text[:40]
            assert re.search(r"<h1[^>]*>(.*?)</h1>", answer.text)[1] == html.escape(word)
            assert f"<title>{html.escape(word)} ·" in answer.text
