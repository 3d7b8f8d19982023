"""What people hold in their hands, over HTTP: for certificates that hold today, made once, and never for others."""

import asyncio
import io
import json
import threading
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock, patch

import pypdf
import pytest
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import deserialize_compact
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from app.core.errors import NotFound
from app.documents import document_data, qr_codes, render_pool
from app.documents.pdf import signer
from app.documents.pdf.signing_certificate import PdfSigningIdentity
from app.documents.qr_token import MAX_CHARS
from tests.factories import certified_again, ok
from tests.helpers import execute, refused, supersede
from tests.readers import scan, text_of

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
KINDS = {
    "qr.svg": "image/svg+xml",
    "qr.png": "image/png",
    "label.svg": "image/svg+xml",
    "certificate.pdf": "application/pdf",
}


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


@pytest.fixture(scope="module")
def number(shared_app, company):
    return shared_app.certify(company)


def get(app, number, kind, **more):
    return app.anonymous.get(f"/v1/certificates/{number}/{kind}", **more)


def papers(app, number):
    return sorted(path.name for path in app.settings.artifacts_dir.rglob(f"{number}/paper-*"))


@pytest.mark.parametrize("kind", KINDS)
def test_handed_out_with_a_tag_and_asked_for_anew(shared_app, number, kind):
    answer = get(shared_app, number, kind, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200 and answer.headers["content-type"] == KINDS[kind]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    tag = answer.headers["etag"]
    for known in (tag, f'"x", {tag}', "*"):
        unchanged = get(shared_app, number, kind, headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    again = get(shared_app, number, kind, headers={"If-None-Match": '"x"'})
    assert again.content == answer.content
    head = shared_app.http.head(f"/v1/certificates/{number}/{kind}")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    typed = number.lower().replace("-", " ")
    assert get(shared_app, typed, kind).content == answer.content


@pytest.mark.parametrize("drawing", ["qr_svg", "qr_png", "label_svg"])
def test_pictures_are_drawn_once_and_beside_the_event_loop(shared_app, company, drawing):
    """Drawing takes some hundredths of a second, in which a worker would check nothing."""
    number, in_loop = shared_app.certify(company), []
    draw = getattr(qr_codes, drawing)

    def drawn(*args, **more):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            in_loop.append(False)
        else:
            in_loop.append(True)
        return draw(*args, **more)

    with patch.object(qr_codes, drawing, drawn):
        kind = drawing.replace("_", ".")
        first, second = get(shared_app, number, kind), get(shared_app, number, kind)
    assert in_loop == [False]
    assert first.status_code == 200 and first.content == second.content


def test_the_document_names_the_kinds(shared_app):
    paths = ok(shared_app.http.get("/openapi.json"))["paths"]
    for kind, media_type in KINDS.items():
        described = paths[f"/v1/certificates/{{number}}/{kind}"]["get"]["responses"]
        assert list(described["200"]["content"]) == [media_type]
        assert {"304", "404", "409", "503"} <= described.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["MIK-2026-999999-0", "MIK-2026-000001-0", "x", "%00", "x" * 300])
def test_what_was_never_issued(shared_app, kind, wrong):
    refused(get(shared_app, wrong, kind), 404, "not-found")


def test_the_stamp_is_checked_without_asking_us(shared_app, number, tmp_path):
    """The address comes from the picture on paper, the keys from the published list, the check from other code."""
    app = shared_app
    (url,) = scan(get(app, number, "certificate.pdf").content, tmp_path)
    page, _, stamp = url.partition("#")
    assert page == f"http://localhost:8000/v/{number}" and len(stamp) <= MAX_CHARS
    (jwk,) = ok(app.anonymous.get("/.well-known/jwks.json"))["keys"]
    said = deserialize_compact(stamp, ECKey.import_key(jwk), algorithms=["ES256"])
    assert said.headers() == {"alg": "ES256", "kid": jwk["kid"].partition("#")[2][:8], "typ": "stamp+jwt"}
    certificate = ok(app.anonymous.get(f"/v1/certificates/{number}"))
    claims = json.loads(said.payload)
    assert claims["n"] == number and claims["u"] == certificate["valid_until"]
    assert claims["h"] == certificate["holder"]["name"] and claims["p"] == certificate["product"]["name"]["en"]


def test_the_paper_carries_the_credential(shared_app, number):
    pdf = get(shared_app, number, "certificate.pdf", params={"lang": "zh"}).content
    ((name, (token,)),) = pypdf.PdfReader(io.BytesIO(pdf)).attachments.items()
    assert name == f"{number}.jwt" and token.decode() == shared_app.token(number)
    keys = KeySet.import_key_set(ok(shared_app.anonymous.get("/.well-known/jwks.json")))
    subject = json.loads(deserialize_compact(token, keys, algorithms=["ES256"]).payload)["credentialSubject"]
    assert subject["number"] == number


def test_the_paper_is_signed_by_the_organisation(shared_app, number):
    pdf = get(shared_app, number, "certificate.pdf").content
    root = signer._to_asn1(shared_app.container.documents.signing_identity.certificates[-1])
    (embedded,) = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
    trust = ValidationContext(trust_roots=[root], revocation_mode="soft-fail")
    assert validate_pdf_signature(embedded, signer_validation_context=trust).bottom_line


@pytest.mark.parametrize(
    ("lang", "tongues", "word"),
    [
        (None, "az, en", "İstehsal yeri"),
        ("az", "az, en", "Sertifikat sahibi"),
        ("en", "az, en", "This is not a customs certificate of origin."),
        ("ru", "az, en, ru", "Место производства"),
        ("fa", "az, en, fa", "محصول"),
        ("ar", "az, en, ar", "المنتج"),
        ("zh", "az, en, zh", "本证书并非海关原产地证书"),
        ("de", "az, en, de", "Produktionsort"),
    ],
)
def test_languages(shared_app, number, lang, tongues, word):
    answer = get(shared_app, number, "certificate.pdf", params={"lang": lang} if lang else {})
    assert answer.headers["content-language"] == tongues
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert answer.headers["content-disposition"] == f'inline; filename="{number}.pdf"'
    text = text_of(answer.content)
    for expected in (word, number, "Ağdam Sənaye Parkı", "Qaynaqlı polad boru", "Qarabağda istehsal olunub"):
        assert expected in text


@pytest.mark.parametrize("lang", ["xx", "", "RU", "../ru", "r" * 5_000, "\ud7ff", "%00"])
def test_other_languages(shared_app, number, lang):
    said = refused(get(shared_app, number, "certificate.pdf", params={"lang": lang}), 422, "invalid")
    assert said["errors"][0]["pointer"] == "query:lang"


def test_made_once_for_each_state_and_language(shared_app, company):
    app, number = shared_app, shared_app.certify(company)
    first = get(app, number, "certificate.pdf?lang=ru")
    assert get(app, number, "certificate.pdf?lang=ru").content == first.content
    get(app, number, "certificate.pdf")
    get(app, number, "certificate.pdf?lang=en")
    before = papers(app, number)
    assert [name.partition("~")[0] for name in before] == ["paper-en", "paper-ru"]
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    later = get(app, number, "certificate.pdf?lang=ru", headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200 and later.content != first.content
    after = papers(app, number)
    assert len(after) == 2 and before[0] in after and before[1] not in after


def test_many_at_once_get_one_and_the_same(shared_app, company):
    app, number = shared_app, shared_app.certify(company)
    got = []
    ask = [lambda: got.append(get(app, number, "certificate.pdf?lang=fa").content)] * 4
    ask += [lambda: got.append(get(app, number, "qr.png").content)] * 4
    threads = [threading.Thread(target=each) for each in ask]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len(set(got)) == 2
    assert len(papers(app, number)) == 1


def test_a_damaged_stamp_is_made_anew(shared_app, company):
    app, number = shared_app, shared_app.certify(company)
    good = get(app, number, "qr.svg")
    assert good.status_code == 200
    (kept,) = app.settings.artifacts_dir.rglob(f"{number}/stamp~*")
    for damage in (b"", kept.read_bytes()[:-9], "ə".encode(), b"\xff"):
        kept.write_bytes(damage)
        made = get(app, number, "qr.svg")
        assert made.status_code == 200 and made.content != good.content
        assert kept.read_bytes().count(b".") == 2


def keep(caller, number, deed, **body):
    caller.act(f"/v1/certificates/{number}/{deed}", body or None)


ENDS = {
    "suspended": lambda app, _, number: keep(app.owner, number, "suspend", cause="hearing"),
    "revoked": lambda app, _, number: app.revoke(number, "bankruptcy"),
    "surrendered": lambda _, company, number: keep(company, number, "surrender"),
    "superseded": lambda app, _, number: supersede(app, number),
    "expired": lambda app, *_: app.clock.advance(days=365 * 4),
    "not_yet_valid": lambda app, *_: app.clock.advance(days=-3),
}


@pytest.mark.parametrize("verdict", ENDS)
def test_nothing_is_handed_out_of_a_certificate_that_does_not_hold(shared_app, company, verdict):
    app = shared_app
    number, now = certified_again(app, company), app.clock.now
    good = {kind: get(app, number, kind).headers["etag"] for kind in KINDS}
    try:
        ENDS[verdict](app, company, number)
        for kind, tag in good.items():
            for headers in ({}, {"If-None-Match": tag}):  # a 304 must not hide it
                said = refused(get(app, number, kind, headers=headers), 409, "not-in-force")
                assert said["verdict"] == verdict == app.verify(number)["verdict"]
                assert said["as_of"] == app.verify(number)["as_of"]
        refused(get(app, number, "certificate.pdf?lang=xx"), 409, "not-in-force")  # 409 before 422
    finally:
        app.clock.now = now


def test_hostile_names_make_a_paper(shared_app, tmp_path):
    app = shared_app
    name = '#panic("x") <script>alert(1)</script> ' + "Wärmedämm" * 25
    other = app.set_up_company(legal_name_en=name[:250])
    product = other.add_product(
        names={"az": "شرکت 卡拉 Ж ქართული 😀" * 4, "en": "x\u0301\u0653" * 20, "ar": '"\\' * 40}
    )
    number = app.certify(other, product)
    pdf = get(app, number, "certificate.pdf?lang=ar").content
    assert '#panic("x") <script>alert(1)</script>' in text_of(pdf)
    assert scan(pdf, tmp_path)[0].startswith(f"http://localhost:8000/v/{number}#")
    for kind in KINDS:
        assert get(app, number, kind).status_code == 200


def test_without_an_organisation_there_is_no_paper_but_everything_else(shared_app, number):
    with shared_app.with_services(documents=replace(shared_app.container.documents, signing_identity=None)):
        refused(get(shared_app, number, "certificate.pdf"), 503, "papers-cannot-be-signed")
        pictures = [get(shared_app, number, kind).status_code for kind in ("qr.svg", "label.svg")]
    assert pictures == [200, 200]


def test_after_the_end_of_the_organisations_certificate(shared_app, company, monkeypatch):
    app, number = shared_app, certified_again(shared_app, company)
    real, later = PdfSigningIdentity.require_valid, app.clock() + timedelta(days=3_700)
    monkeypatch.setattr(PdfSigningIdentity, "require_valid", lambda self, _now: real(self, later))
    said = refused(get(app, number, "certificate.pdf"), 503, "papers-cannot-be-signed")
    assert "expired on" in said["detail"]


def test_nothing_is_made_of_a_damaged_credential(shared_app, company):
    app, number = shared_app, certified_again(shared_app, company)
    execute(app, "UPDATE certificates SET token = 'a.b.c' WHERE number = :number", number=number)
    for kind in KINDS:
        refused(get(app, number, kind), 503, "record-damaged")


def test_where_too_many_wait_they_are_told_to_come_back(shared_app, number, monkeypatch):
    monkeypatch.setattr(render_pool, "MAX_WAITING", 0)
    answer = get(shared_app, number, "certificate.pdf?lang=de")
    assert refused(answer, 503, "unavailable") and answer.headers["retry-after"]


def test_a_park_that_is_gone_is_named_by_its_code(shared_app, company, monkeypatch):
    app, number = shared_app, certified_again(shared_app, company)
    monkeypatch.setattr(document_data.parks, "get_park", Mock(side_effect=NotFound.of("park")))
    assert "AGDAM-SP, Ağdam" in text_of(get(app, number, "certificate.pdf").content)
    execute(app, "UPDATE certificates SET park_code = NULL WHERE number = :number", number=number)
    assert "AGDAM-SP, Ağdam" in text_of(get(app, number, "certificate.pdf").content)  # what was signed
