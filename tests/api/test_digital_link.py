"""From the GTIN on a product to its certificates, over HTTP."""

import jsonschema_rs
import pytest

from app.verification.service import VerificationService
from tests.certificates import linkset_schemas
from tests.factories import ok

pytestmark = pytest.mark.pg_sampled

PLAIN, TWICE, NONE, REVOKED = "4006381333931", "96385074", "9520000000011", "036000291452"
LINKSET = "application/linkset+json"


@pytest.fixture(scope="module")
def numbers(shared_app):
    """One certificate; two of one product; one that was revoked. A product with a GTIN that is not certified."""
    company = shared_app.set_up_company()
    numbers = {PLAIN: [shared_app.certify(company, company.add_product(gtin=PLAIN))]}
    twice = company.add_product(gtin=TWICE)
    numbers[TWICE] = [shared_app.certify(company, twice), shared_app.certify(company, twice, scheme="MIA")]
    numbers[REVOKED] = [shared_app.certify(company, company.add_product(gtin=REVOKED))]
    shared_app.revoke(numbers[REVOKED][0], "court-order")
    company.add_product(gtin=NONE)
    return numbers


def get(app, path, **headers):
    return app.http.get(path, headers=headers, follow_redirects=False)


def base(app):
    return app.container.settings.base_url


@pytest.mark.parametrize(
    "path",
    [
        f"/01/{PLAIN.zfill(14)}",
        f"/01/{PLAIN}",
        f"/01/{PLAIN}?17=261231",
        f"/01/{PLAIN}?linkType=gs1:certificationInfo",
        f"/01/{PLAIN}?linkType=https%3A%2F%2Fref.gs1.org%2Fvoc%2FcertificationInfo",
        f"/01/{PLAIN}?linkType=gs1:defaultLink",
        f"/01/{PLAIN}/10/A1",
        f"/01/{PLAIN}/22/B/10/A%2F1/21/7%3F",
    ],
)
@pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "*/*", "application/pdf", None])
def test_to_the_page_of_the_valid_certificate(shared_app, numbers, path, accept):
    headers = {"Accept": accept} if accept else {}
    answer = get(shared_app, path, **headers)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{base(shared_app)}/v/{numbers[PLAIN][0]}"
    anchor = f"{base(shared_app)}/01/{PLAIN.zfill(14)}"
    assert answer.headers["link"] == f'<{anchor}?linkType=linkset>; rel="linkset"; type="{LINKSET}"'
    assert answer.headers["cache-control"] == "no-cache"
    assert "Accept" in answer.headers["vary"].split(", ")


def test_to_the_list_where_there_are_several(shared_app, numbers):
    answer = get(shared_app, f"/01/{TWICE}")
    listed = f"/register/gtins/{TWICE.zfill(14)}"
    assert (answer.status_code, answer.headers["location"]) == (307, base(shared_app) + listed)
    for written in (listed, f"/register/gtins/{TWICE}"):
        page = shared_app.http.get(written)
        assert page.status_code == 200
        assert all(number in page.text for number in numbers[TWICE])
        assert numbers[PLAIN][0] not in page.text


def test_a_revoked_certificate_leads_to_the_page_that_says_so(shared_app, numbers):
    answer = get(shared_app, f"/01/{REVOKED}")
    assert answer.headers["location"] == f"{base(shared_app)}/v/{numbers[REVOKED][0]}"
    (context,) = ok(get(shared_app, f"/01/{REVOKED}?linkType=linkset"))["linkset"]
    assert "(revoked)" in context["https://ref.gs1.org/voc/certificationInfo"][0]["title"]


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("?linkType=linkset", "*/*"),
        ("?linkType=all", "text/html"),
        ("", LINKSET),
        ("", f"text/html;q=0.5, {LINKSET}"),
    ],
)
def test_the_linkset(shared_app, numbers, query, accept):
    answer = get(shared_app, f"/01/{TWICE}/10/A1{query}", Accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, LINKSET)
    for schema in (linkset_schemas.GS1, linkset_schemas.UNTP):
        assert [str(error) for error in jsonschema_rs.Draft7Validator(schema).iter_errors(answer.json())] == []
    (context,) = answer.json()["linkset"]
    assert context["anchor"] == f"{base(shared_app)}/01/{TWICE.zfill(14)}"
    newest_first = numbers[TWICE][::-1]
    assert [each["href"].split("/")[-2] for each in context["dcc"]] == newest_first
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in answer.headers["link"]
    again = get(shared_app, f"/01/{TWICE}/10/A1{query}", Accept=accept, **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Accept" in again.headers["vary"].split(", ")


def test_every_address_in_a_linkset_answers(shared_app, numbers):
    for gtin in numbers:
        (context,) = ok(get(shared_app, f"/01/{gtin}?linkType=linkset"))["linkset"]
        for relation, found in context.items():
            for link in found if relation != "anchor" else ():
                answer = get(shared_app, link["href"].removeprefix(base(shared_app)))
                assert answer.status_code == 200
                assert answer.headers["content-type"].partition(";")[0] == link["type"]


def test_the_signed_credential(shared_app, numbers):
    (number,) = numbers[PLAIN]
    answer = get(shared_app, f"/01/{PLAIN}?linkType=dcc")
    path = f"/v1/certificates/{number}/credential.jwt"
    assert (answer.status_code, answer.headers["location"]) == (307, base(shared_app) + path)
    token = get(shared_app, path, Accept="application/json")
    assert (token.text, token.headers["content-type"]) == (shared_app.token(number), "application/vc+jwt")
    assert get(shared_app, path, **{"If-None-Match": token.headers["etag"]}).status_code == 304
    assert get(shared_app, path.replace(number, "MIK-2026-999999-X")).status_code == 404


def test_several_credentials_to_choose_from(shared_app, numbers):
    answer = get(shared_app, f"/01/{TWICE}?linkType=dcc")
    assert (answer.status_code, answer.headers["content-type"]) == (300, LINKSET)
    assert len(answer.json()["linkset"][0]["dcc"]) == len(numbers[TWICE])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/01/{NONE}", 404, "not-found"),
        (f"/01/{NONE}?linkType=linkset", 404, "not-found"),
        ("/01/14006381333938", 404, "not-found"),
        (f"/01/{PLAIN}?linkType=gs1:pip", 404, "not-found"),
        (f"/01/{PLAIN}?linkType=", 404, "not-found"),
        ("/01/4006381333932", 422, "invalid"),
        ("/01/4006381333932?linkType=linkset", 422, "invalid"),
        ("/01/abc", 422, "invalid"),
        (f"/01/{PLAIN}/21/7/10/A1", 422, "invalid"),
        (f"/01/{PLAIN}/10/", 422, "invalid"),
        (f"/register/gtins/{NONE}", 404, None),
        ("/register/gtins/4006381333932", 422, None),
        ("/register/gtins/a%2Fb", 404, None),
    ],
)
def test_refusals(shared_app, numbers, path, status, code):
    answer = get(shared_app, path)
    assert answer.status_code == status
    if code:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code


@pytest.mark.parametrize("query", ["", "?linkType=linkset", "?linkType=dcc"])
def test_what_is_not_in_the_log_is_not_shown(shared_app, numbers, monkeypatch, query):
    """No link leads to a certificate that token and log do not prove."""
    assert get(shared_app, f"/01/{PLAIN}{query}").status_code in {200, 307}
    monkeypatch.setattr(VerificationService, "read_many", lambda *_: {})
    assert get(shared_app, f"/01/{PLAIN}{query}").status_code == 404
    assert numbers[PLAIN]


def test_the_description_of_the_resolver(shared_app):
    described = ok(shared_app.http.get("/.well-known/gs1resolver"))
    assert jsonschema_rs.Draft7Validator(linkset_schemas.DESCRIPTION_FILE).is_valid(described)
    assert described["resolverRoot"] == base(shared_app)


def test_the_render_template(shared_app):
    answer = shared_app.http.get("/v1/render-templates/certificate-3")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    for earlier in ("certificate-1", "certificate-2", "nothing"):
        assert shared_app.http.get(f"/v1/render-templates/{earlier}").status_code == 404
