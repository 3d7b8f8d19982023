"""Nothing of the sandbox is taken for real, and nothing real for the sandbox's."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as cli
from app.core.crypto import jws
from app.core.crypto.jwk import parse_jwks
from app.core.crypto.jws import TokenRejected
from app.core.errors import UnsafeToStart
from app.core.settings import Profile, Settings
from app.core.text.marking import Marking
from app.sandbox.installation import reset_sandbox, sandbox_settings
from app.sandbox.mount import add_prefix
from app.transparency.checkpoint import verify_checkpoint
from app.transparency.signed_note import NoteRejected, parse_vkey
from tests.factories import ok
from tests.helpers import refused
from tests.sandbox.conftest import Developer, Sandbox

HTML = {"Accept": "text/html"}
VC_JWT = {"Accept": "application/vc+jwt"}


@pytest.fixture(scope="module")
def issued(sandbox_app):
    """Number of a certificate of the sandbox."""

    sandbox = Sandbox(sandbox_app)
    developer = Developer(sandbox)
    case_id = developer.submit()
    sandbox.run_robots()
    return developer.application(case_id)["certificates"][0]


def test_the_real_service_knows_no_number_of_the_sandbox(sandbox_app, issued):
    assert sandbox_app.verify(issued)["verdict"] == "unknown"
    assert "sandbox" not in sandbox_app.verify(issued)
    refused(sandbox_app.anonymous.get(f"/v1/certificates/{issued}"), 404)


def test_the_real_service_refuses_credential_and_token_of_the_sandbox(sandbox_app, sandbox, issued):
    credential = sandbox.get(f"/v1/certificates/{issued}", headers=VC_JWT).text
    assert ok(sandbox.post("/v1/verify", json={"token": credential}))["verdict"] == "valid"
    assert ok(sandbox_app.anonymous.post("/v1/verify", json={"token": credential}))["verdict"] == "forged"


@pytest.mark.parametrize(("name", "media_type"), [("certificate.pdf", "application/pdf"), ("qr.png", "image/png")])
def test_the_real_service_refuses_paper_and_code_of_the_sandbox(sandbox_app, sandbox, issued, name, media_type):
    content = sandbox.get(f"/v1/certificates/{issued}/{name}").content
    answers = [
        ok(post("/v1/verify/file", files={"file": (name, content, media_type)}))
        for post in (sandbox.post, sandbox_app.http.post)
    ]
    assert answers[0]["verdict"] == "valid"
    assert answers[1]["verdict"] in {"unknown", "forged", "unreadable"}
    assert answers[1]["file"]["signature"] != "ours"


def test_the_keys_of_the_real_service_sign_neither_lists_nor_log_of_the_sandbox(sandbox_app, sandbox):
    signed = sandbox.get("/v1/status-lists/revocation-1").text
    own, real = (parse_jwks(get("/.well-known/jwks.json").content) for get in (sandbox.get, sandbox_app.http.get))
    assert jws.verify(signed, typ=jws.TYP_CREDENTIAL, keys=own)
    with pytest.raises(TokenRejected):
        jws.verify(signed, typ=jws.TYP_CREDENTIAL, keys=real)
    note = sandbox.get("/log/checkpoint").text
    own, real = (parse_vkey(get("/log/vkey").text.strip()) for get in (sandbox.get, sandbox_app.http.get))
    assert verify_checkpoint(note, own)
    with pytest.raises(NoteRejected):
        verify_checkpoint(note, real)


def test_the_sandbox_refuses_what_is_real(sandbox_app, sandbox):
    number = sandbox_app.certify()
    assert ok(sandbox.get(f"/v1/verify/{number}"))["verdict"] == "unknown"
    assert ok(sandbox.post("/v1/verify", json={"token": sandbox_app.token(number)}))["verdict"] == "forged"


def test_access_tokens_open_only_their_own_service(sandbox_app, sandbox):
    developer = Developer(sandbox)
    for header in (developer.client, developer.member):
        refused(sandbox_app.http.get("/v1/me", headers=header), 401)
    company = sandbox_app.register()
    token = sandbox_app.container.access_tokens.issue(company.subject, sandbox_app.clock())
    refused(sandbox.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401)


def test_keys_log_and_issuer_differ(sandbox_app, sandbox):
    real, own = sandbox_app.anonymous.get, sandbox.get
    assert ok(own("/did.json"))["id"] == "did:web:localhost%3A8000:sandbox"
    kids = [{key["kid"] for key in ok(get("/.well-known/jwks.json"))["keys"]} for get in (real, own)]
    assert not kids[0] & kids[1]
    origins = [get("/v1/log/checkpoint").text.splitlines()[0] for get in (real, own)]
    assert origins[0] != origins[1]


def test_the_real_service_has_no_route_of_the_sandbox(sandbox_app):
    for path in ("/v1/register", "/v1/clock", "/v1/sample-product", "/v1/scenarios"):
        assert sandbox_app.http.post(path, json={}).status_code in {404, 405}, path
    assert "/v1/clock" not in ok(sandbox_app.http.get("/openapi.json"))["paths"]


def test_the_sandbox_describes_its_own_routes(sandbox):
    document = ok(sandbox.get("/openapi.json"))
    assert {"client": ["applications:submit"]} in document["paths"]["/v1/clock"]["post"]["security"]
    assert document["servers"] == [{"url": "http://localhost:8000/sandbox"}]


def test_the_real_page_takes_no_address_of_the_sandbox_for_a_certificate(sandbox_app, sandbox, issued):
    address = {"number": f"http://localhost:8000/sandbox/v/{issued}"}
    page = sandbox_app.http.get("/verify", params=address, headers=HTML).text
    assert 'data-verdict="valid"' not in page
    own = sandbox.get("/verify", params=address, headers=HTML).text
    assert 'data-verdict="valid"' in own and 'aria-label="SANDBOX"' in own


def test_mik_verify_refuses_it_with_the_real_keys(sandbox_app, sandbox, issued, tmp_path):
    credential = sandbox.get(f"/v1/certificates/{issued}", headers=VC_JWT).text
    verdicts = []
    for get in (sandbox_app.http.get, sandbox.get):
        jwks = tmp_path / "jwks.json"
        jwks.write_text(get("/.well-known/jwks.json").text)
        verdicts.append(CliRunner().invoke(cli, ["verify", credential, "--jwks", str(jwks)]))
    assert [each.exit_code for each in verdicts] == [2, 0], [each.output for each in verdicts]


@pytest.mark.parametrize("path", ["/", "/verify", "/register", "/apply", "/v/{number}"])
def test_every_page_says_so_and_leads_nowhere_else(sandbox, issued, path):
    for language in ("en", "az", "ru", "fa"):
        page = sandbox.get(path.format(number=issued), params={"lang": language}, headers={"Accept": "text/html"}).text
        assert 'aria-label="SANDBOX"' in page and "<strong" in page
        leading = re.findall(r'\s(?:href|src|action)="(/[^"]*)"', page)
        assert leading and all(each.startswith("/sandbox/") for each in leading), leading
    assert sandbox.get(re.search(r'"/sandbox(/static/[^"]+\.css)"', page)[1]).status_code == 200


def test_redirections_and_next_pages_stay_in_the_sandbox(sandbox):
    answer = sandbox.get("/verify", params={"number": "SBXMIK-2026-000001-X"}, follow_redirects=False)
    assert answer.headers.get("location", "/sandbox/").startswith("/sandbox/")


def test_documents_say_so(sandbox, issued):
    label = sandbox.get(f"/v1/certificates/{issued}/label.svg").text
    assert "SANDBOX" in label and "/sandbox/" in label
    paper = sandbox.get(f"/v1/certificates/{issued}/certificate.pdf")
    assert paper.status_code == 200, paper.text


def test_settings_of_the_sandbox_share_nothing(tmp_path):
    settings = Settings(data_dir=tmp_path, base_url="https://mark.example", smtp_url="smtp://mail.example")
    own = sandbox_settings(settings)
    assert own.is_sandbox and own.marking is Marking.SANDBOX and own.default_issuer == "did:web:mark.example:sandbox"
    assert not settings.is_sandbox and settings.marking is Marking.DEMO
    paths = ("keys_dir", "sqlalchemy_url", "evidence_dir", "artifacts_dir", "mail_dir", "verified_checkpoint")
    assert all(getattr(own, name) != getattr(settings, name) for name in paths)
    assert not own.smtp_url and not own.witness_policy


def test_production_needs_a_database_for_it():
    given = {
        "profile": Profile.PRODUCTION, "base_url": "https://mark.example.com", "issuer": "did:web:mark.example.com",
        "data_dir": "/var/lib/mik", "database_url": "postgresql://db/mik", "smtp_url": "smtp://mail.example.com",
        "mail_from": "a@example.com",
    }  # fmt: skip
    assert not Settings(**given).sandbox
    Settings(**given, sandbox=True, sandbox_database_url="postgresql://db/sandbox")
    for url in ("", given["database_url"]):
        with pytest.raises(ValueError, match="MIK_SANDBOX"):
            Settings(**given, sandbox=True, sandbox_database_url=url)


def test_only_a_sandbox_is_reset(app):
    settings = app.settings.model_copy(update={"sandbox": True, "sandbox_database_url": app.settings.sqlalchemy_url})
    with pytest.raises(UnsafeToStart, match="belongs to the issuer"):
        reset_sandbox(settings)
    ok(app.anonymous.get("/v1/schemes"))


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (b'<a href="/x">', b'<a href="/sandbox/x">'),
        (b'<a href="//host/x">', b'<a href="//host/x">'),
        (b'<a href="https://host/x">', b'<a href="https://host/x">'),
        (b"<p>say href=&quot;/x&quot;</p>", b"<p>say href=&quot;/x&quot;</p>"),
    ],
)
def test_only_own_addresses_get_the_prefix(page, shown):
    assert add_prefix(page) == shown
