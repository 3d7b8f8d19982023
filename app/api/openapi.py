"""The OpenAPI document, with what FastAPI cannot see (the fast path of verifications), and /docs from our own host."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from app.api.shared.certificate_schemas import CertificateResponse
from app.events.catalogue import EventType, build_example, json_schema, load_catalogue
from app.verification.expectation import MAX_CHARS, Comparison
from app.verification.request_parser import MAX_ITEMS
from app.verification.verdict import Verdict
from app.web import scope_policy
from app.web.dependencies import IF_MATCH, ORGANISATION_HEADER, TOKEN_URL
from app.web.problems.openapi_responses import Problem, error_responses
from app.web.routes import GuardedRoute

DESCRIPTION = """
Certifies **where goods are made**. Companies apply, reviewers of the mark's owner decide by published rules and with
four eyes, and anybody checks a certificate by its number or its signed token.

* **Check a certificate:** `GET /v1/verify/{number}`, no account needed; up to 1,000 at `POST /v1/verify/batch`.
* **Apply:** register your company, describe sites and products, assess them, then draft and submit an application.
* **Tokens:** `POST /v1/auth/token`; send `Authorization: Bearer …`. People renew theirs with the refresh token of the
  same answer; API clients may narrow theirs by `scope`.
* **Decisions** of the staff take a code of an authenticator as well: `otp` when signing in, or `POST /v1/auth/step-up`.
* **Changes:** name the `ETag` you read in `If-Match`. Missing is 428, stale is 412.
* **Retries:** name an `Idempotency-Key` of your own in a write; asking again with it gives the same answer, and nothing
  is done twice.
* **Refusals** are `application/problem+json` with a stable `code`; `type` is the address of a page that explains it.
  The list of all codes is at `/problems`.
* **Lists** have `limit` and an opaque `cursor`; the next page is in `Link`.
"""

TAGS = [
    {"name": "verification", "description": "Verify certificates. No account needed."},
    {"name": "public register", "description": "Certificates and their documents, open to everybody."},
    {"name": "digital link", "description": "From the GTIN on a product to its certificates (GS1 Digital Link, UNTP)."},
    {"name": "schemes", "description": "The marks, their published rules, and assessments before applying."},
    {"name": "registration", "description": "Register a company: ask for a token by e-mail, then enter the claim."},
    {"name": "tokens", "description": "Access tokens: sign in, renew, sign out."},
    {"name": "account", "description": "Your own account: password and authenticator."},
    {"name": "members", "description": "The people of your company, by invitation."},
    {"name": "agents", "description": "People who act for several companies, by dated authorities."},
    {"name": "users", "description": "Staff and their roles, by two owners."},
    {"name": "jobs", "description": "Work in the background: what waits, runs, failed; retry what is parked."},
    {"name": "proposals", "description": "Acts of two people: rights, authenticators, keys, revocations."},
    {"name": "sites", "description": "Places of production of your company."},
    {"name": "products", "description": "Products with materials, process steps and costs."},
    {"name": "manifests", "description": "Verify up to 100,000 numbers in the background, with a signed result."},
    {"name": "certificates", "description": "Certificates of your company."},
    {"name": "imports", "description": "Products and applications from CSV and XLSX, many at once."},
    {"name": "api clients", "description": "Programs that act for your company, and their secrets."},
    {
        "name": "applications",
        "description": "Draft, submit and answer as a company; read as staff. What you see follows from your role.",
    },
    {"name": "review", "description": "For reviewers and approvers: evaluate, recommend, decide with four eyes."},
    {"name": "evidence", "description": "Supporting documents: upload, read, confirm."},
    {"name": "claims", "description": "Who acts for a company: compare, confirm one, refuse."},
    {"name": "organisations", "description": "Companies as staff see them."},
    {"name": "residencies", "description": "Residents of parks, one by one and by import of the resident register."},
    {"name": "certificate status", "description": "Suspend, reinstate, revoke, surrender; report a change."},
    {"name": "matters", "description": "Open matters about certificates."},
    {"name": "events", "description": "What happened to your company's applications, certificates and accounts."},
    {"name": "inbox", "description": "Your notices, what you have read of them, and what is mailed to you."},
    {"name": "webhooks", "description": "Have events sent to your own programs, signed by Standard Webhooks."},
    {"name": "calendar", "description": "Holidays: what deadlines are counted by."},
    {"name": "audit", "description": "For auditors: every change, in one chain that cannot be rewritten unseen."},
    {
        "name": "transparency log",
        "description": "The public log of everything that was certified: it only grows, and anybody can prove it.",
    },
    {"name": "keys", "description": "What a signature is checked against."},
    {"name": "health", "description": "For monitoring."},
]

PARAMETER_DESCRIPTIONS = {
    "mail_id": "id of the mail",
    "notice_id": "id of the notice, which is that of its event",
    "application_id": "id of the application",
    "claim_id": "id of the claim",
    "client_id": "id of the API client",
    "manifest_id": "id of the manifest",
    "holder_id": "id of the holder",
    "heading": "code of the Harmonized System",
    "webhook_id": "id of the webhook",
    "delivery_id": "id of the delivery",
    "authority_id": "id of the authority",
    "identity_id": "id of the identity in the list of one's own",
    "passkey_id": "id of the passkey",
    "credential_id": "id of the authenticator in the list of one's own",
    "evidence_id": "id of the evidence document",
    "invitation_id": "id of the invitation",
    "matter_id": "id of the matter",
    "member_id": "id of the member",
    "organisation_id": "id of the company",
    "product_id": "id of the product",
    "report_id": "id of the report",
    "proposal_id": "id of the proposal",
    "job_id": "id of the job",
    "residency_id": "id of the residency",
    "secret_id": "id of the secret",
    "site_id": "id of the production site",
    "user_id": "id of the staff user",
    "number": "number of the certificate, such as `MIK-2026-000042-Y`",
    "imports name": "`products.csv`, `products.xlsx`, `applications.csv` or `applications.xlsx`",
    "parks code": "code of the park or zone, such as `AGDAM-SP`",
    "schemes code": "code of the scheme, such as `MIK`",
    "If-None-Match": "`ETag` of an earlier response; 304 while it is still the current one",
}
"""Descriptions of parameters that many routes share, by name, or by resource and name."""

_EXAMPLE = {
    "verdict": "valid",
    "message": "This certificate is valid.",
    "as_of": "2026-11-22T17:00:00Z",
    "certificate": {
        "number": "MIK-2026-000042-Y",
        "scheme": {"code": "MIK", "name": "Made in Karabakh – Heart of Azerbaijan"},
        "holder": {"name": "Sample Pipe (fictional)", "name_az": "“Nümunə-Boru” MMC", "voen": "0010000101"},
        "product": {"name": {"en": "Welded steel tube", "az": "Qaynaqlı polad boru"}, "hs6": "730630", "gtin": None},
        "site": {"park": "AGDAM-SP", "district": "Ağdam"},
        "country": "AZ",
        "origin_criterion": "CTH",
        "valid_from": "2026-11-22",
        "valid_until": "2029-11-21",
        "status": "active",
        "status_since": "2026-11-22T17:00:00Z",
        "reason": None,
    },
    "checks": [{"name": "form", "passed": True, "detail": "The check character fits the number."}],
    "links": {
        "credential": "https://verify.example.az/v1/certificates/MIK-2026-000042-Y",
        "page": "https://verify.example.az/v/MIK-2026-000042-Y",
    },
}


def install_openapi(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build_document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    _install_docs(app)


def _build_document(app: FastAPI) -> dict[str, Any]:
    spec = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=app.servers,
        license_info=app.license_info,
    )
    schemas = spec["components"]["schemas"]
    template = "#/components/schemas/{model}"
    for model in (Problem, CertificateResponse):
        own = model.model_json_schema(ref_template=template)
        schemas |= own.pop("$defs", {})
        schemas[model.__name__] = own
    # FastAPI documents its own 422; ours is a problem document.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for path in spec["paths"].values():
        for operation in path.values():
            answer = operation["responses"].get("422")
            if answer and "HTTPValidationError" in str(answer):
                operation["responses"] |= {"422": error_responses(422)[422]}
    schemas["Verdict"] = {"type": "string", "enum": [verdict.value for verdict in Verdict]}
    schemas["VerificationResponse"] = _verification_schema()
    schemas["FileVerificationResponse"] = _file_verification_schema()
    _add_client_security(spec)
    for route in app.routes:
        if isinstance(route, GuardedRoute) and route.is_revalidated and route.include_in_schema:
            _add_revalidation(spec["paths"][route.path_format]["get"])
    spec["paths"] |= _verify_paths()
    spec["paths"] = dict(sorted(spec["paths"].items(), key=lambda item: (not item[0].startswith("/v1/verify"), 0)))
    for path, methods in spec["paths"].items():
        for operation in methods.values():
            _complete_operation(path, operation)
    spec["webhooks"] = {name: _webhook(event) for name, event in load_catalogue().types.items()}
    return spec


def _add_revalidation(operation: dict[str, Any]) -> None:
    """What a client does with the `ETag` of one thing that it read."""
    operation.setdefault("parameters", []).append(
        {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
    )
    operation["responses"]["304"] = {"description": "Unchanged."}


def _webhook(event: EventType) -> dict[str, Any]:
    """What a receiver of this event is sent; `GET /v1/events` lists the same."""
    planned = " Planned: nothing leads to it yet." if event.is_planned else ""
    content = {"application/json": {"schema": json_schema(event), "example": build_example(event)}}
    return {
        "post": {
            "tags": ["events"],
            "summary": event.name,
            "description": event.meaning + planned,
            "operationId": f"on_{event.name.replace('.', '_')}",
            "security": [],
            "requestBody": {"required": True, "content": content},
            "responses": {"2XX": {"description": "Received. Any other answer is sent again."}},
        }
    }


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    """State what holds for every operation: public access, the version that a change needs, the shared parameters."""
    operation.setdefault("security", [])  # FastAPI lists the schemes of routes that depend on an access token
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == IF_MATCH:
            parameter |= {"required": True, "schema": {"type": "string", "examples": ['"3"']}}
        if "description" not in parameter:
            resource, name = path.split("/")[2], parameter["name"]
            parameter["description"] = PARAMETER_DESCRIPTIONS.get(f"{resource} {name}") or PARAMETER_DESCRIPTIONS[name]
    if not any(status.startswith("4") for status in operation["responses"]):
        operation["responses"]["413"] = error_responses(413)[413]  # `GuardedRoute` limits the body of every method


_ORGANISATION: Mapping[str, Any] = {
    "name": ORGANISATION_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "format": "uuid"},
    "description": "for agents, who act for several companies: the id of the one that this request is about",
}


def _add_client_security(spec: dict[str, Any]) -> None:
    """How programs of companies get in, and with which scope each route is open to them."""
    flow = {
        "tokenUrl": TOKEN_URL,
        "scopes": {scope.value: meaning for scope, meaning in scope_policy.SCOPE_DESCRIPTIONS.items()},
    }
    spec["components"]["securitySchemes"] |= {
        "client": {
            "type": "oauth2",
            "description": "Programs of a company (`POST /v1/api-clients`), by HTTP Basic (RFC 6749 §2.3.1).",
            "flows": {"clientCredentials": flow},
        },
    }
    is_sandbox = "/v1/clock" in spec["paths"]
    sandbox_scopes = scope_policy.SANDBOX_SCOPES if is_sandbox else {}
    for route, scope in {**scope_policy.ROUTE_SCOPES, **sandbox_scopes}.items():
        method, path = route.split()
        operation = spec["paths"][path][method.lower()]
        operation.setdefault("parameters", []).append(dict(_ORGANISATION))
        operation["security"] = [
            *operation["security"],
            {"client": [] if scope is scope_policy.NO_SCOPE_NEEDED else [scope.value]},
        ]


def _verification_schema() -> dict[str, Any]:
    check = {
        "type": "object",
        "required": ["name", "passed", "detail"],
        "properties": {"name": {"type": "string"}, "passed": {"type": "boolean"}, "detail": {"type": "string"}},
    }
    nullable = [{"$ref": "#/components/schemas/CertificateResponse"}, {"type": "null"}]
    address = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["verdict", "message", "as_of", "certificate", "checks", "links"],
        "properties": {
            "demo": {"type": "boolean", "description": "true: this is a demo; otherwise the member is absent"},
            "verdict": {"$ref": "#/components/schemas/Verdict"},
            "message": {"type": "string"},
            "as_of": {"type": ["string", "null"], "format": "date-time"},
            "certificate": {"anyOf": nullable},
            "checks": {"type": "array", "items": check},
            "links": {"type": "object", "properties": {"credential": address, "page": address}},
            "expect": {
                "description": "only where it was asked: an answer for each field given, null without a certificate",
                "type": ["object", "null"],
                "additionalProperties": {"type": "string", "enum": [each.value for each in Comparison]},
            },
        },
    }


def _file_verification_schema() -> dict[str, Any]:
    about = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["text", "pdf", "picture"]},
            "signature": {
                "description": "of a PDF",
                "type": ["string", "null"],
                "enum": ["ours", "other", "broken", "none", None],
            },
            "host": {
                "description": "the host that a code leads to, if it is not the host of this service",
                "type": ["string", "null"],
            },
            "stamp": {"type": ["string", "null"], "enum": ["genuine", "other", "forged", "cut", None]},
        },
    }
    verification = {"$ref": "#/components/schemas/VerificationResponse"}
    register = {
        "description": "only where code, stamp or file contradict the register: what it says of the number",
        "anyOf": [verification, {"type": "null"}],
    }
    return {"allOf": [verification, {"type": "object", "properties": {"file": about, "register": register}}]}


def _verify_paths() -> dict[str, Any]:
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/VerificationResponse"}, "example": _EXAMPLE}
    }
    found = {
        "description": "The verdict. A forged or unknown certificate is a result, not an error.",
        "content": content,
    }
    reading = {str(k): v for k, v in error_responses(429, 503).items()}
    refused = {str(k): v for k, v in error_responses(413, 415, 422, 429, 503).items()}
    number = {
        "name": "number",
        "in": "path",
        "required": True,
        "description": "as printed or typed: spaces, hyphens, small letters and “No” before it do not matter",
        "schema": {"type": "string"},
        "example": "MIK-2026-000042-Y",
    }
    lookup = {
        "tags": ["verification"],
        "summary": "Check a certificate by its number",
        "description": "Always 200 with a verdict; 304 while nothing changed since your `ETag`.",
        "parameters": [
            number,
            {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}},
        ],
    }
    unchanged = {"description": "Unchanged."}
    return {
        "/v1/verify/{number}": {
            "get": {
                **lookup,
                "operationId": "verify_certificate_number",
                "responses": {"200": found, "304": unchanged, **reading},
            },
            "head": {
                **lookup,
                "summary": "Get the headers of a verification",
                "operationId": "get_verification_headers",
                "description": "`ETag` and length of what GET answers, without the body.",
                "responses": {"200": {"description": "As GET, without a body."}, "304": unchanged, **reading},
            },
        },
        "/v1/verify": {
            "post": {
                "tags": ["verification"],
                "summary": "Check a number or a signed token",
                "description": "Send exactly one of `number` and `token`. A token is checked by signature "
                "and by content. With `expect`, the words of a label or an invoice are compared with the certificate.",
                "operationId": "verify_certificate",
                "requestBody": _json_body(
                    {"oneOf": [_item_schema("number", expect=True), _item_schema("token", expect=True)]},
                    {"number": "MIK-2026-000042-Y", "expect": {"holder": "Sample Pipe LLC", "hs6": "730630"}},
                ),
                "responses": {"200": found, **refused},
            }
        },
        "/v1/verify/batch": {
            "post": {
                "tags": ["verification"],
                "summary": "Check many numbers and tokens at once",
                "description": f"Up to {MAX_ITEMS} numbers and tokens; verdicts come in the order of the items, "
                "as of one time. If an item has another shape, the whole request is refused; the error names the item.",
                "operationId": "verify_certificates",
                "requestBody": _json_body(
                    {
                        "type": "object",
                        "required": ["items"],
                        "additionalProperties": False,
                        "properties": {
                            "items": {
                                "type": "array",
                                "maxItems": MAX_ITEMS,
                                "items": {"oneOf": [_item_schema("number"), _item_schema("token")]},
                            }
                        },
                    },
                    {"items": [{"number": "MIK-2026-000042-Y"}, {"number": "MIK-2026-000043-W"}]},
                ),
                "responses": {
                    "200": {
                        "description": "A verdict for each item.",
                        "content": {"application/json": {"schema": _array_schema("VerificationResponse")}},
                    },
                    **refused,
                },
            }
        },
        "/v1/verify/file": {"post": _verify_file_path()},
    }


def _verify_file_path() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}},
        }
    }
    return {
        "tags": ["verification"],
        "summary": "Check a file",
        "description": "A `.jwt` file or text, a PDF with the credential attached, or a PNG, JPEG or WebP of the code, "
        "up to 10 MB and 40 megapixels: as the body, or in a form as `file`. Nothing is stored or rendered. A code "
        "that leads to another host, a QR token that does not fit and a PDF that was changed after the service signed "
        "it are `forged`. Any other file is 422 `unreadable-file`.",
        "operationId": "verify_certificate_file",
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": form, "application/octet-stream": binary},
        },
        "responses": {
            "200": {
                "description": "The verdict.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FileVerificationResponse"}}},
            },
            **{str(k): v for k, v in error_responses(413, 415, 422, 429, 503).items()},
        },
    }


def _item_schema(name: str, *, expect: bool = False) -> dict[str, Any]:
    """The shape of one question; `expect` may stand beside it."""
    properties: dict[str, Any] = {name: {"type": "string"}}
    if expect:
        text = {"type": "string", "maxLength": MAX_CHARS}
        properties["expect"] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "holder": text | {"description": "quotes, legal form, case do not matter"},
                "product": text | {"description": "in any language of the certificate"},
                "hs6": {"type": "string", "pattern": "^[0-9]{6}$"},
                "valid_until": {"type": "string", "format": "date"},
            },
        }
    return {"type": "object", "required": [name], "additionalProperties": False, "properties": properties}


def _json_body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _array_schema(name: str) -> dict[str, Any]:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return {"type": "object", "required": ["items"], "properties": {"items": items}}


_DOCS_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Made in Karabakh – API</title><link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div><noscript>The reference needs JavaScript; the document itself is at /openapi.json.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
_DOCS_SCRIPT = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true, docExpansion: "list",
  defaultModelsExpandDepth: 0, tryItOutEnabled: true, presets: [SwaggerUIBundle.presets.apis]});
"""
# The library writes style attributes; scripts come from our own files only.
_DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


def _install_docs(app: FastAPI) -> None:
    async def page() -> HTMLResponse:
        return HTMLResponse(_DOCS_PAGE, headers={"Content-Security-Policy": _DOCS_CSP})

    async def start() -> Response:
        return Response(_DOCS_SCRIPT, media_type="text/javascript")

    app.add_api_route("/docs", page, include_in_schema=False, methods=["GET"])
    app.add_api_route("/docs/start.js", start, include_in_schema=False, methods=["GET"])
    assets = str(files("fastapi_offline") / "static")
    app.mount("/docs/assets", StaticFiles(directory=assets), name="docs-assets")
