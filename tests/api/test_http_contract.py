"""How the API behaves to whoever calls: refusals, pages, representations, headers, its own description."""

import itertools
import json
import re
from unittest.mock import patch
from urllib.parse import quote

import jsonschema_rs
import pytest
import sqlalchemy as sa
from joserfc import jws as joserfc_jws
from joserfc.jwk import KeySet

from tests.factories import in_state, ok, product
from tests.helpers import execute, refused

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
SPACE = "https://example.org"


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


@pytest.fixture(scope="module")
def number(shared_app, company):
    return shared_app.certify(company)


@pytest.fixture(scope="module")
def document(shared_app):
    return ok(shared_app.http.get("/openapi.json"))


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


# Refusals


@pytest.mark.parametrize(
    "path", ["/nothing", "/nothing/", "/v1", "/v1/", "/v1/products/", "//v1/products", "/v1/verify/../x", "/%00"]
)
def test_nothing_at_this_address(shared_app, path):
    for method in ("GET", "POST", "DELETE"):
        refused(shared_app.http.request(method, path), 404, "not-found")


def leads(path, address):
    """`/v1/verify/batch` is a place of its own, and has the form of a number as well."""
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), address)


def test_another_method_is_told_which_there_are(shared_app, document, number):
    """Every method of the address, whatever the route that was met first."""
    for path in document["paths"]:
        address = re.sub(r"{\w+}", number, path)
        allowed = {
            method.upper() for other, there in document["paths"].items() for method in there if leads(other, address)
        }
        allowed |= {"HEAD"} if "GET" in allowed else set()
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "BREW"} - allowed:
            answer = shared_app.http.request(method, address)
            refused(answer, 405, "method-not-allowed")
            assert set(answer.headers["Allow"].split(", ")) == allowed, f"{method} {path}"


def test_refusals_name_each_place(company):
    body = product(company.site_id) | {"hs6": 730630, "ex_works": True, "unit": ""}
    document = refused(company.post("/v1/products", json=body), 422, "invalid")
    assert {error["pointer"] for error in document["errors"]} == {"/hs6", "/ex_works", "/unit"}
    assert all(error["detail"] for error in document["errors"])


def test_what_was_sent_is_not_echoed(shared_app):
    secret = "hunter2hunter2hunter2"
    for body in ({"number": 1, "password": secret}, {"token": [secret]}, {secret: 1}):
        assert secret not in shared_app.http.post("/v1/verify", json=body).text
    assert secret not in shared_app.http.post("/v1/registrations/confirm", json={"member": {"password": [secret]}}).text


def test_what_nobody_foresaw_is_a_problem_too(shared_app, company):
    with patch(
        "app.api.company.products.company_products.list_products", side_effect=RuntimeError("secret of the service")
    ):
        answer = company.get("/v1/products")
    body = refused(answer, 500, "internal")
    assert "secret of the service" not in answer.text
    assert body["reference"] == answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("error", [sa.exc.OperationalError("x", {}, Exception("x")), sa.exc.TimeoutError("x")])
def test_a_database_that_is_away_says_so(shared_app, company, error):
    with patch("app.api.company.products.company_products.list_products", side_effect=error):
        answer = company.get("/v1/products")
    refused(answer, 503, "unavailable")
    assert answer.headers["Retry-After"]


# Pages


@pytest.fixture(scope="module")
def shelf(shared_app):
    """A company with fourteen products."""
    company = shared_app.set_up_company()
    return company, [company.add_product(reference=f"R{i}") for i in range(14)]


def next_of(answer):
    link = answer.headers.get("Link")
    if link is None:
        return None
    address, relation = re.fullmatch(r'<([^>]*)>; rel="(\w+)"', link).groups()
    assert relation == "next"
    assert address.startswith("/v1/")
    return address


def walk(caller, path):
    pages = []
    while path:
        answer = caller.get(path)
        pages.append([each.get("id") or each["number"] for each in ok(answer)["items"]])
        path = next_of(answer)
        assert len(pages) < 50
    return pages


@pytest.mark.parametrize("limit", [1, 3, 7, 13, 14, 15, 100])
def test_pages_hold_everything_once(shelf, limit):
    company, ids = shelf
    pages = walk(company, f"/v1/products?limit={limit}")
    assert [each for page in pages for each in page] == ids
    assert all(len(page) == limit for page in pages[:-1])
    assert len(pages) == -(-len(ids) // limit)


def test_pages_hold_while_rows_are_added(shelf):
    company, ids = shelf
    seen, path, added = [], "/v1/products?limit=4", []
    while path:
        answer = company.get(path)
        seen += [each["id"] for each in ok(answer)["items"]]
        if len(added) < 3:
            added.append(company.add_product())
        path = next_of(answer)
    assert seen == ids + added
    for each in added:
        company.act(f"/v1/products/{each}/retire")


def test_the_register_is_read_newest_first_while_it_grows(app):
    company = app.set_up_company()
    numbers = [app.certify(company) for _ in range(5)]
    answer = app.anonymous.get("/v1/certificates?limit=2")
    seen = [each["number"] for each in ok(answer)["items"]]
    late = app.certify(company)
    seen += [each for page in walk(app.anonymous, next_of(answer)) for each in page]
    assert seen == numbers[::-1]
    assert ok(app.anonymous.get("/v1/certificates?limit=1"))["items"][0]["number"] == late


def test_the_next_page_keeps_the_filters(shared_app, company):
    app = shared_app
    for _ in range(3):
        in_state(app, company, "submitted")
        in_state(app, company, "withdrawn")
    for path, caller in (
        ("/v1/applications?state=withdrawn&limit=2", company),
        ("/v1/applications?state=withdrawn&scheme=MIK&limit=2", app.reviewer),
    ):
        answer = caller.get(path)
        following = next_of(answer)
        assert "state=withdrawn" in following and "limit=2" in following
        items = ok(answer)["items"] + ok(caller.get(following))["items"]
        assert len(items) >= 3
        assert {each["state"] for each in items} == {"withdrawn"}
    odd = quote("ə & %_\0?", safe="")
    for i in range(2):
        ok(
            company.post(
                "/v1/applications",
                json={"scheme": "MIK", "product_ids": [company.add_product()], "reference": f"%_{i}"},
            )
        )
    assert ok(company.get(f"/v1/applications?reference={odd}"))["items"] == []
    assert len(ok(company.get("/v1/applications?reference=%25_1"))["items"]) == 1


PAGED = [
    ("/v1/members", "company"),
    ("/v1/invitations", "company"),
    ("/v1/products", "company"),
    ("/v1/sites", "company"),
    ("/v1/applications", "company"),
    ("/v1/api-clients", "company"),
    ("/v1/my/certificates", "company"),
    ("/v1/verify/manifests", "company"),
    ("/v1/events", "company"),
    ("/v1/inbox", "company"),
    ("/v1/webhooks", "company"),
    ("/v1/residencies", "company"),
    ("/v1/applications", "reviewer"),
    ("/v1/users", "owner"),
    ("/v1/proposals", "owner"),
    ("/v1/matters", "owner"),
    ("/v1/reports", "owner"),
    ("/v1/audit", "auditor"),
    ("/v1/jobs", "owner"),
    ("/v1/mail-deliveries", "owner"),
    ("/v1/organisations", "registrar"),
    ("/v1/claims", "registrar"),
    ("/v1/residencies", "registrar"),
    ("/v1/certificates", "anonymous"),
    ("/v1/headings", "anonymous"),
]
OF_ONE_CASE = {
    "/v1/applications/{application_id}/notes",
    "/v1/applications/{application_id}/earlier-decisions",
    "/v1/webhooks/{webhook_id}/deliveries",
}  # tests/applications and tests/webhooks ask these


def test_every_list_is_here(document):
    paged = {
        route.split()[1]
        for route, operation in operations(document)
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", []))
    }
    assert paged == {path for path, _ in PAGED} | OF_ONE_CASE


@pytest.mark.parametrize(("path", "who"), PAGED)
def test_limits_and_cursors(shared_app, company, path, who):
    caller = company if who == "company" else getattr(shared_app, who)
    for limit in ("0", "-1", "101", "1e9", "9" * 30, "x", "", "1.5", "NaN", "%00", "true"):
        refused(caller.get(f"{path}?limit={limit}"), 422, "invalid")
    cursors = ("x", "!!!", "A" * 21, "A" * 23, "A" * 200, "%00", "%ED%A0%80", "%C9%99" * 22, "../", "A" * 22 + "==", "")
    for cursor in cursors:
        refused(caller.get(f"{path}?cursor={cursor}"), 422, "invalid")
    refused(caller.get(f"{path}?limit=1&limit=0"), 422, "invalid")
    ok(caller.get(f"{path}?limit=1&cursor=" + "A" * 22))  # one of ours in form: the first or the last page
    if path in {"/v1/audit", "/v1/events", "/v1/inbox"}:  # their cursor is a row's number; there never are as many
        refused(caller.get(f"{path}?limit=100&cursor=" + "_" * 21 + "w"), 422, "invalid")
    else:
        ok(caller.get(f"{path}?limit=100&cursor=" + "_" * 21 + "w"))


HOSTILE = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF%FE",
    "x" * 10_000,
    "%25",
    "_",
    "%25_%25",
    "'%20OR%201=1--",
    "\\",
    "%5C",
    "%5C%25",
]
HOSTILE += ["%E2%80%AE", "%F0%9F%92%A9", "a%0D%0AX-Evil:%201", "%C4%B0%C4%B1", "&&==", "[]", "{}", "%", "%zz", "+"]


@pytest.mark.parametrize(("path", "who"), [*PAGED, ("/v1/schemes", "anonymous"), ("/v1/parks", "anonymous")])
def test_hostile_queries(shared_app, company, document, path, who):
    caller = company if who == "company" else getattr(shared_app, who)
    names = {p["name"] for p in document["paths"][path]["get"].get("parameters", []) if p["in"] == "query"}
    for name, value in itertools.product([*sorted(names), "unknown", "%00"], HOSTILE):
        answer = caller.get(f"{path}?{name}={value}")
        assert answer.status_code in {200, 404, 422}, (
            f"{path}?{name}={value[:50]}: {answer.status_code} {answer.text[:300]}"
        )
        assert "x-evil" not in answer.headers
        if answer.status_code != 200:
            refused(answer, answer.status_code)


def test_wildcards_are_letters_like_others(shared_app, number):
    search = shared_app.anonymous
    assert ok(search.get("/v1/certificates?q=welded"))["items"]
    for q in ("z_lded", "w%25z", "%25%25z", "zz_", "welded%25zz", "z%5C%25", "%25", "_", "_elded"):
        assert ok(search.get(f"/v1/certificates?q={q}"))["items"] == [], q
    for holder in ("_xample", "sam%25x", "x%25"):
        assert ok(search.get(f"/v1/certificates?holder={holder}"))["items"] == [], holder
    for hs6 in ("73%25", "7_", "x", "7", "7306301", "٧٣"):
        refused(search.get(f"/v1/certificates?hs6={hs6}"), 422)
    for hs6 in ("73", "7306", "730630"):
        assert ok(search.get(f"/v1/certificates?hs6={hs6}"))["items"]


def test_paths_that_nobody_means(shared_app):
    for part in (
        "%00",
        "%ED%A0%80",
        "x" * 10_000,
        "..%2F..",
        "%E2%80%AE",
        "a%0D%0Ab",
        "%25",
        "'",
        "*",
        ";",
        "{}",
        "%2F",
    ):
        for path in ("/v1/certificates/", "/v1/schemes/", "/v1/parks/", "/docs/assets/", "/v1/organisations/"):
            answer = shared_app.http.get(path + part)
            assert answer.status_code in {200, 401, 404, 405}, f"{path}{part[:40]}: {answer.status_code}"
        answer = shared_app.http.get("/v1/verify/" + part)
        if answer.status_code != 404:
            assert ok(answer)["verdict"] == "mistyped", part[:40]


# The description


def test_every_operation_says_what_it_is(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    for route, operation in operations(document):
        assert operation["summary"], route
        assert not operation["summary"].endswith("."), route
        assert len(operation["tags"]) == 1 and operation["tags"][0] in tags, route
    assert {operation["tags"][0] for _, operation in operations(document)} == tags


def test_every_list_says_what_its_items_are(document):
    """So that generated clients have typed lists."""
    schemas = document["components"]["schemas"]
    lists = set()
    for route, operation in operations(document):
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        assert not (answer.get("type") == "object" and "properties" not in answer), route
        for each in answer.get("anyOf", [answer]):
            shape = schemas[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            if "items" in shape.get("properties", {}):
                lists.add(route.split()[1])
                assert "$ref" in shape["properties"]["items"]["items"], route
                assert "items" in shape["required"], route
    assert {path for path, _ in PAGED} | OF_ONE_CASE <= lists


def test_every_operation_declares_its_refusals(document):
    for route, operation in operations(document):
        declared = set(operation["responses"])
        headers = {p["name"].lower() for p in operation.get("parameters", []) if p["in"] == "header"}
        if operation.get("security"):
            assert "401" in declared, route
        if operation.get("security") and not route.endswith("/v1/me"):
            assert "403" in declared, route
        if "{" in route and "/v1/verify/" not in route and not route.endswith("/badge.svg"):
            assert "404" in declared, route
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= declared, route
        if "if-match" in headers:
            assert {"409", "412", "428"} <= declared, route
        for status, answer in operation["responses"].items():
            by_its_own_standard = (  # RFC 6749, RFC 7009, OpenID Connect Back-Channel Logout
                route.endswith(("/auth/token", "/auth/revoke", "/backchannel-logout")) and status == "400"
            )
            if int(status) >= 400 and "/auth/token" not in route and not by_its_own_standard:
                assert list(answer["content"]) == ["application/problem+json"], f"{route} {status}"


def test_nothing_of_the_framework_shows_through(document):
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    assert "ValidationError" not in text
    for reference in re.findall(r'"\$ref": "([^"]+)"', text):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    used = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text))
    assert set(document["components"]["schemas"]) == used


def test_examples_fit_their_schemas(document):
    """Those of single members, and those of whole answers."""
    found = 0

    def look(schema, where):
        nonlocal found
        if not isinstance(schema, dict):
            for item in schema if isinstance(schema, list) else ():
                look(item, where)
            return
        examples = schema.get("examples", [])
        for example in examples if isinstance(examples, list) else []:
            whole = schema | {"components": document["components"]}
            jsonschema_rs.validate(whole, example)
            found += 1
        if "schema" in schema and "example" in schema:
            jsonschema_rs.validate(schema["schema"] | {"components": document["components"]}, schema["example"])
            found += 1
        for key, value in schema.items():
            look(value, f"{where}/{key}")

    look(document["components"], "")
    look(document["paths"], "")
    assert found > 40


def test_answers_fit_their_schemas(shared_app, company, number, document):
    """What the API says it answers is what it answers."""
    draft = company.draft()
    for caller, path, route in (
        (company, f"/v1/applications/{draft}", "/v1/applications/{application_id}"),
        (company, "/v1/products?limit=2", "/v1/products"),
        (company, "/v1/sites", "/v1/sites"),
        (company, "/v1/me", "/v1/me"),
        (company, "/v1/applications?limit=3", "/v1/applications"),
        (shared_app.reviewer, "/v1/applications?limit=3", "/v1/applications"),
        (company, f"/v1/applications/{draft}/earlier-decisions", "/v1/applications/{application_id}/earlier-decisions"),
        (
            shared_app.reviewer,
            f"/v1/applications/{draft}/earlier-decisions",
            "/v1/applications/{application_id}/earlier-decisions",
        ),
        (shared_app.reviewer, f"/v1/applications/{draft}/timeline", "/v1/applications/{application_id}/timeline"),
        (shared_app.registrar, "/v1/organisations?limit=2", "/v1/organisations"),
        (shared_app.anonymous, f"/v1/certificates/{number}", "/v1/certificates/{number}"),
        (shared_app.anonymous, f"/v1/verify/{number}", "/v1/verify/{number}"),
        (shared_app.anonymous, "/v1/verify/x", "/v1/verify/{number}"),
        (shared_app.anonymous, "/v1/schemes/MIK/rulesets", "/v1/schemes/{code}/rulesets"),
        (shared_app.anonymous, "/v1/parks", "/v1/parks"),
        (shared_app.anonymous, "/health/ready", "/health/ready"),
    ):
        schema = document["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(schema | {"components": document["components"]}, ok(caller.get(path)))
    problem = document["components"]["schemas"]["Problem"] | {"components": document["components"]}
    for answer in (company.get("/v1/users"), company.get("/v1/products?limit=0"), shared_app.http.get("/nothing")):
        jsonschema_rs.validate(problem, answer.json())


def test_a_body_made_of_the_examples_is_taken(app, document):
    """What /docs puts into its form is a good beginning."""
    schemas = document["components"]["schemas"]

    def example(name):
        body = {}
        for member, schema in schemas[name]["properties"].items():
            if "$ref" in schema:
                body[member] = example(schema["$ref"].rsplit("/", 1)[1])
            elif schema.get("examples"):
                body[member] = schema["examples"][0]
        return body

    ok(app.anonymous.post("/v1/registrations", json=example("RegistrationRequest")))
    registration = example("RegistrationConfirmRequest") | {"token": app.code(example("RegistrationRequest")["email"])}
    made = ok(app.anonymous.post("/v1/registrations/confirm", json=registration))
    company = app.register()
    site = ok(company.post("/v1/sites", json=example("SiteRequest")))
    whole = example("ProductRequest") | {"site_id": site["id"]}
    ok(company.post("/v1/products", json=whole))
    assert made["status"] == "unconfirmed"


def test_the_reference_loads_only_own_files(shared_app):
    page = shared_app.http.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith("/") and not address.startswith("//")
        answer = shared_app.http.get(address)
        assert answer.status_code == 200, address
        assert len(answer.content) > 50
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "https://" not in page.text and "http://" not in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
    assert "<script>" not in page.text
    assert "/openapi.json" in shared_app.http.get("/docs/start.js").text


# Methods, headers, other origins


def test_head_is_get_without_its_body(shared_app, company, number, document):
    draft = company.draft()
    things = {"number": number, "application_id": draft, "product_id": company.add_product(), "code": "MIK"}
    for route, operation in operations(document):
        method, path = route.split()
        if method != "GET" or set(re.findall(r"{(\w+)}", path)) - things.keys():
            continue
        caller = company if operation.get("security") else shared_app.anonymous
        address = path.format(**(things | ({"code": "AGDAM-SP"} if "parks" in path else {})))
        get, head = caller.get(address), caller.request("HEAD", address)
        assert head.status_code == get.status_code, address
        assert head.content == b""
        for name in ("etag", "content-type", "content-length", "link", "cache-control"):
            assert head.headers.get(name) == get.headers.get(name), f"{address} {name}"
    for address in ("/docs", "/openapi.json", "/docs/assets/swagger-ui.css", "/docs/start.js"):
        assert shared_app.http.head(address).status_code == 200, address
        assert shared_app.http.head(address).content == b""
    assert shared_app.http.head("/nothing").status_code == 404
    answer = shared_app.http.head("/v1/verify")
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"


def test_head_on_verify_answers_like_get(shared_app, number):
    get = shared_app.http.get(f"/v1/verify/{number}")
    head = shared_app.http.head(f"/v1/verify/{number}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == get.headers["etag"]
    again = shared_app.http.head(f"/v1/verify/{number}", headers={"If-None-Match": get.headers["etag"]})
    assert again.status_code == 304


PUBLIC_PATHS = ["/v1/verify", "/v1/verify/x", "/v1/certificates", "/v1/certificates/x", "/v1/schemes", "/v1/parks"]
PUBLIC_PATHS += ["/v1/certificates.csv", "/v1/certificates.jsonl", "/v1/certificates/x/badge.svg"]
PUBLIC_PATHS += [
    "/v1/schemes/MIK",
    "/v1/schemes/MIK/rulesets",
    "/v1/certificates/x/log-proof",
    "/v1/certificates/x/credential.jwt",
    "/v1/render-templates/certificate-3",
    "/01/04006381333931",
    "/01/04006381333931/10/A1",
    "/.well-known/gs1resolver",
    "/log/checkpoint",
    "/log/vkey",
    "/log/tile/0/000.p/1",
    "/log/consistency?first=1&second=2",
    "/.well-known/jwks.json",
    "/.well-known/did.json",
    "/openapi.json",
    "/health/live",
]
PRIVATE_PATHS = ["/v1/me", "/v1/products", "/v1/applications", "/v1/auth/token", "/v1/registrations"]
PRIVATE_PATHS += ["/v1/certificates/x/revoke", "/v1/schemes/MIK/assessments", "/v1/api-clients", "/docs"]


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_every_page_may_read_what_is_public(shared_app, path):
    method = "POST" if path == "/v1/verify" else "GET"
    asked = {"Origin": SPACE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"}
    preflight = shared_app.http.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert method in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    assert int(preflight.headers["access-control-max-age"]) > 0
    answer = shared_app.http.request(method, path, headers={"Origin": SPACE})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "ETag" in answer.headers["access-control-expose-headers"]
    token = asked | {"Access-Control-Request-Headers": "authorization"}
    assert shared_app.http.options(path, headers=token).status_code == 400
    for forbidden in ("DELETE", "PUT"):
        wrong = shared_app.http.options(path, headers=asked | {"Access-Control-Request-Method": forbidden})
        assert wrong.status_code == 400


@pytest.mark.parametrize("path", PRIVATE_PATHS)
def test_no_page_of_others_reads_what_is_private(shared_app, company, path):
    for headers in ({"Access-Control-Request-Method": "GET"}, {"Access-Control-Request-Method": "POST"}):
        preflight = shared_app.http.options(path, headers={"Origin": SPACE} | headers)
        assert preflight.status_code == 405
        assert not [name for name in preflight.headers if name.startswith("access-control")]
    for method in ("GET", "POST"):
        answer = company.request(method, path, headers={"Origin": SPACE})
        assert not [name for name in answer.headers if name.startswith("access-control")], f"{method} {path}"


def test_headers_of_every_answer(shared_app, company, number):
    http = shared_app.http
    answers = [
        http.get("/v1/certificates"),
        http.get(f"/v1/verify/{number}"),
        http.get("/nothing"),
        http.post("/v1/verify", content=b"{"),
        http.get("/docs"),
        http.get("/v1/me"),
        company.get("/v1/me"),
        http.options("/v1/products"),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"]
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers  # plain http here
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{16}", each) for each in ids)
    chosen = http.get("/health/live", headers={"X-Request-Id": "chosen-by-a-stranger"})
    assert chosen.headers["x-request-id"] != "chosen-by-a-stranger"


def test_private_answers_are_kept_by_nobody(shared_app, company, number):
    for path in ("/v1/me", "/v1/products", f"/v1/certificates/{number}"):
        assert company.get(path).headers["cache-control"] == "private, no-store"
    assert "no-store" not in shared_app.http.get(f"/v1/certificates/{number}").headers["cache-control"]


# Representations


def test_a_certificate_in_both_forms(shared_app, number):
    http, path = shared_app.http, f"/v1/certificates/{number}"
    for accept in (None, "", "*/*", "application/json", "application/*", "text/html, */*;q=0.1", "APPLICATION/JSON"):
        answer = http.get(path, headers={"Accept": accept} if accept is not None else {})
        assert answer.headers["content-type"] == "application/json", accept
        assert answer.json()["number"] == number
        assert "Accept" in answer.headers["vary"]
    for accept in ("application/vc+jwt", "application/json;q=0.1, application/vc+jwt", "application/json;q=0, */*"):
        answer = http.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/vc+jwt", accept
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", answer.text, re.ASCII)
    for accept in (
        "text/html",
        "application/xml",
        "application/vc+jwt;q=0",
        "nonsense",
        "application/json;q=x",
        "image/*",
    ):
        answer = http.get(path, headers={"Accept": accept})
        refused(answer, 406, "not-acceptable")
        assert "Accept" in answer.headers["vary"]
    assert http.get(path, headers={"Accept": ",".join(["text/html"] * 3_000)}).status_code == 406


def test_the_number_is_read_forgivingly(shared_app, number):
    for typed in (number.lower(), number.replace("-", ""), number.replace("-", " "), f" {number} ".replace("I", "ı")):
        assert ok(shared_app.http.get(f"/v1/certificates/{quote(typed)}"))["number"] == number


def test_unchanged_is_said_without_a_body(app):
    number = app.certify()
    path = f"/v1/certificates/{number}"
    tags = {}
    for accept in ("application/json", "application/vc+jwt"):
        answer = app.http.get(path, headers={"Accept": accept})
        tags[accept] = tag = answer.headers["etag"]
        for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            same = app.http.get(path, headers={"Accept": accept, "If-None-Match": condition})
            assert (same.status_code, same.content) == (304, b""), condition
            assert same.headers["etag"] == tag
        for condition in ('"other"', tag.strip('"'), "", 'W/"other"'):
            assert app.http.get(path, headers={"Accept": accept, "If-None-Match": condition}).status_code == 200
    assert len(set(tags.values())) == 2
    app.owner.act(f"{path}/suspend", {"cause": "hearing"})
    changed = app.http.get(path, headers={"If-None-Match": tags["application/json"]})
    assert changed.status_code == 200 and changed.json()["status"] == "suspended"


def test_unchanged_never_hides_an_expiry(app):
    number = app.certify()
    verify, register = f"/v1/verify/{number}", f"/v1/certificates/{number}"
    tags = {path: app.http.get(path).headers["etag"] for path in (verify, register)}
    app.clock.advance(days=10)
    for path, tag in tags.items():
        assert app.http.get(path, headers={"If-None-Match": tag}).status_code == 304
    app.clock.advance(days=3 * 366)
    answer = app.http.get(verify, headers={"If-None-Match": tags[verify]})
    assert answer.status_code == 200 and answer.json()["verdict"] == "expired"
    assert app.http.get(register, headers={"If-None-Match": tags[register]}).status_code == 200
    assert [c["number"] for c in ok(app.http.get("/v1/certificates?status=expired"))["items"]] == [number]
    assert ok(app.http.get("/v1/certificates?status=active"))["items"] == []


def test_a_token_is_checked_by_the_published_keys_alone(shared_app, number):
    """joserfc knows nothing of us but the JWKS."""
    answer = shared_app.http.get("/.well-known/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert "max-age" in answer.headers["cache-control"]
    assert all("d" not in key for key in answer.json()["keys"])
    checked = joserfc_jws.deserialize_compact(
        shared_app.token(number), KeySet.import_key_set(answer.json()), algorithms=["ES256"]
    )
    credential = json.loads(checked.payload)
    assert credential["credentialSubject"]["number"] == number
    assert checked.headers()["typ"] == "vc+jwt"
    assert checked.headers()["kid"].startswith(credential["issuer"]["id"] + "#")


def test_no_secret_of_a_company_is_public(shared_app, company, number):
    """The register and the credential show the names and the VÖEN; no person, no cost, no bill of materials."""
    public = [
        shared_app.http.get("/v1/certificates?limit=100").text,
        shared_app.http.get(f"/v1/certificates/{number}").text,
        shared_app.http.get(f"/v1/verify/{number}").text,
    ]
    for text in public:
        for secret in ("Aysel", f"member@{company.voen}", "1450", "Hot-rolled", company.organisation_id):
            assert secret not in text


# Health


def test_health(shared_app):
    http = shared_app.http
    assert ok(http.get("/health/live")) == {"status": "ok"}
    assert ok(http.get("/health/ready")) == {"status": "ok"}
    broken = sa.exc.OperationalError("SELECT 1", {}, Exception("postgresql://user:secret@host"))
    with patch.object(shared_app.database, "read_session", side_effect=broken):
        answer = http.get("/health/ready")
        refused(answer, 503, "unavailable")
        assert "secret" not in answer.text
        assert ok(http.get("/health/live")) == {"status": "ok"}
    with shared_app.with_services(is_migrated=lambda _database: False):
        refused(http.get("/health/ready"), 503, "unavailable")


def test_the_searches_look_through_what_is_stored(app):
    """Another tongue's letters find the same thing; a status filters; the newest is first."""
    company = app.set_up_company(legal_name_en="Şuşa Xalçaları", legal_name_az="“Şuşa Xalçaları” MMC")
    number = app.certify(company)
    other = app.certify(company)
    app.revoke(other, "bankruptcy")

    def found(query):
        return [each["number"] for each in ok(app.http.get(f"/v1/certificates?{query}"))["items"]]

    for q in ("q=susa", "q=ŞUŞA", "q=xalcalari", "q=tube", "holder=susa%20xalcalari", f"q={number}"):
        assert number in found(q), q
    assert found("status=revoked") == [other]
    assert found("status=active&scheme=MIK") == [number]
    assert found("scheme=MIA") == []
    assert found("q=nothing-like-it") == []
    for status in ("approved", "", "ACTIVE", "expired,active"):
        refused(app.http.get(f"/v1/certificates?status={status}"), 422)


def test_a_lapsed_draft_is_shown_as_over(shared_app, company):
    case_id = in_state(shared_app, company, "lapsed")
    assert company.application(case_id)["waiting_on"] is None
    execute(shared_app, "UPDATE applications SET state = 'draft' WHERE state = 'lapsed'")
