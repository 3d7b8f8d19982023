"""Certificates, keys and lists as libraries read them that did not make them: jose, jsonld, Digital Bazaar, joserfc."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from joserfc import jws as joserfc
from joserfc.jwk import ECKey, KeySet

from app.core.dates import format_utc
from tests.factories import ok, running_app
from tests.interop.helpers import install, node

pytestmark = pytest.mark.short
FOLDER = Path(__file__).parent
UNTP = "https://vocabulary.uncefact.org/untp/0.7.0/context/"
BASE = "https://verify.example.az"
STATES = ("valid", "suspended", "revoked")


@pytest.fixture(scope="module")
def published(sqlite_template, tmp_path_factory):
    """What a verifier can fetch from a service with a valid, a suspended and a revoked certificate."""
    folder = tmp_path_factory.mktemp("interop")
    path = folder / "mik.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    with running_app(f"sqlite:///{path}", folder, base_url=BASE) as app:
        company = app.set_up_company()
        products = [company.add_product(), company.add_product(gtin="4006381333931"), company.add_product()]
        case_id = company.apply(*products)
        app.review(case_id)
        numbers = dict(zip(STATES, app.approve(case_id)["certificates"], strict=True))
        app.owner.act(f"/v1/certificates/{numbers['suspended']}/suspend", {"cause": "hearing"})
        app.revoke(numbers["revoked"], "court-order")
        tokens = {state: app.token(number) for state, number in numbers.items()}
        lists = {f"{BASE}/v1/status-lists/{purpose}-1": None for purpose in ("revocation", "suspension")}
        template = f"{BASE}/v1/render-templates/certificate-3"
        ours = f"{BASE}/v1/contexts/certificate-3"
        return {
            "jwks": ok(app.anonymous.get("/.well-known/jwks.json")),
            "did": ok(app.anonymous.get("/.well-known/did.json")),
            "tokens": tokens,
            "lists": {url: app.anonymous.get(url.removeprefix(BASE)).text for url in lists},
            "contexts": {
                UNTP: json.loads((FOLDER / "untp_context.json").read_text(encoding="utf-8")),
                ours: ok(app.anonymous.get(ours.removeprefix(BASE))),
                **json.loads((FOLDER / "did_contexts.json").read_text(encoding="utf-8")),
            },
            "template": {"url": template, "body": app.anonymous.get(template.removeprefix(BASE)).text},
            "now": format_utc(app.clock()),
        }


@pytest.fixture(scope="module")
def found(published):
    """What the libraries of npm say of it."""
    install()
    token = published["tokens"]["valid"]
    bad = {"tampered": token[:-6] + "AAAAAA", "not signed": token.rpartition(".")[0] + "."}
    asked = published | {"tokens": published["tokens"] | bad}
    return json.loads(node("verify.mjs", input=json.dumps(asked)))


class TestNode:
    def test_signatures_verify_by_jwks_and_by_did(self, found):
        for state in STATES:
            assert found["certificates"][state]["payload"]["issuer"]["id"] == "did:web:verify.example.az"
        for bad in ("tampered", "not signed"):
            assert "refused" in found["certificates"][bad]

    def test_status_is_read_from_the_lists(self, found):
        assert {state: found["certificates"][state]["status"] for state in STATES} == {
            "valid": {"revocation": False, "suspension": False},
            "suspended": {"revocation": False, "suspension": True},
            "revoked": {"revocation": True, "suspension": False},
        }
        assert not any(found["certificates"][state].get("error") for state in STATES)

    def test_what_the_library_does_not_ask_of_lists(self, found):
        assert len(found["lists"]) == 2
        for each in found["lists"].values():
            assert each["length"] == 131_072
            assert each["inTime"] is True
            assert each["ttl"] == 30_000

    def test_json_ld_in_safe_mode(self, found):
        for each in [*(found["certificates"][state] for state in STATES), *found["lists"].values()]:
            assert isinstance(each["expanded"], list), each["expanded"]
        assert found["broken"]["withoutOurContext"] == {"refused": "invalid property"}  # it can fail

    def test_the_did_document_in_safe_mode(self, found, published):
        (document,) = found["did"]["expanded"]
        security = "https://w3id.org/security#"
        methods = document[f"{security}verificationMethod"]
        assert {each["@id"] for each in methods} == {each["id"] for each in published["did"]["verificationMethod"]}
        for method, theirs in zip(methods, published["did"]["verificationMethod"], strict=True):
            assert method["@type"] == [f"{security}JsonWebKey"]
            assert method[f"{security}controller"] == [{"@id": document["@id"]}]
            assert method[f"{security}publicKeyJwk"] == [{"@type": "@json", "@value": theirs["publicKeyJwk"]}]
        assert [each["@id"] for each in document[f"{security}assertionMethod"]] == published["did"]["assertionMethod"]
        assert found["broken"]["didWithoutKeys"] == {"refused": "invalid property"}  # it can fail

    def test_readers_of_untp_find_country_criterion_and_registered_id(self, found):
        untp = "https://vocabulary.uncefact.org/untp/"
        for state in STATES:
            said = found["certificates"][state]["expanded"]
            scores = [each[f"{untp}code"][0]["@value"] for each in values(said, f"{untp}score")]
            assert scores[1] == "AZ"
            metrics = [each["@id"].rpartition("#")[2] for each in values(said, f"{untp}metric")]
            assert metrics == ["originCriterion", "countryOfOrigin"]
            (voen,) = values(said, f"{untp}registeredId")
            (scheme,) = values(said, f"{untp}idScheme")
            assert voen["@value"].endswith("1")
            assert scheme[f"{untp}id"][0]["@value"] == f"{BASE}/v1/contexts/certificate-3#voen"

    def test_the_render_method_leads_to_the_signed_template(self, found, published):
        for state in STATES:
            (method,) = values(
                found["certificates"][state]["expanded"], "https://www.w3.org/2018/credentials#renderMethod"
            )
            assert method["@type"] == ["https://vocabulary.uncefact.org/untp/RenderTemplate2024"]
            assert method["https://vocabulary.uncefact.org/untp/url"][0]["@value"] == published["template"]["url"]
            multihash = b"\x12\x20" + sha256(published["template"]["body"].encode()).digest()
            digest = method["https://w3id.org/security#digestMultibase"][0]["@value"]
            assert digest == "u" + base64.urlsafe_b64encode(multihash).decode().rstrip("=")

    def test_every_term_has_a_meaning_that_somebody_gave_it(self, found):
        """The context of UNTP has a catch-all inside its classes, which safe mode does not see."""
        for state in STATES:
            assert [*caught(found["certificates"][state]["expanded"])] == []
        class_of_all = "https://vocabulary.uncefact.org/untp/DigitalConformityCredential#"
        assert [*caught(found["broken"]["atTheTop"])] == [class_of_all + "nobodyDefinedThis"]  # it can fail

    def test_our_words_mean_what_our_context_says(self, found):
        said = set(properties(found["certificates"]["suspended"]["expanded"]))
        own = f"{BASE}/v1/contexts/certificate-3#"
        assert {
            own + word for word in ("number", "originCriterion", "voen", "names", "hs6", "park", "district")
        } <= said
        assert "https://schema.org/gtin" in said

    def test_nothing_was_fetched(self, found):
        assert found["fetched"] == []


def values(node_, wanted):
    """Values of a property of an expanded document, however deep, in the order of the document."""
    if isinstance(node_, list):
        for each in node_:
            yield from values(each, wanted)
    elif isinstance(node_, dict):
        for name, value in node_.items():
            if name == wanted:
                yield from value
            yield from values(value, wanted)


def caught(expanded):
    """Properties that got their meaning from a catch-all: `…/untp/<Class>#word`."""
    return (each for each in properties(expanded) if "/untp/" in each and "#" in each)


def properties(node_):
    """Every property of an expanded document, however deep."""
    if isinstance(node_, list):
        for each in node_:
            yield from properties(each)
    elif isinstance(node_, dict):
        for name, value in node_.items():
            if not name.startswith("@"):
                yield name
            yield from properties(value)


class TestJoserfc:
    def test_by_jwks(self, published):
        keys = KeySet.import_key_set(published["jwks"])
        for token in [*published["tokens"].values(), *published["lists"].values()]:
            read = joserfc.deserialize_compact(token, keys, algorithms=["ES256"])
            assert read.headers()["typ"] == "vc+jwt"
            payload = json.loads(read.payload)
            assert not {"vc", "vp", "jti", "sub", "exp", "nbf"} & payload.keys()

    def test_by_did_document(self, published):
        methods = {each["id"]: each for each in published["did"]["verificationMethod"]}
        for token in [*published["tokens"].values(), *published["lists"].values()]:
            kid = joserfc.extract_compact(token.encode()).headers()["kid"]
            assert kid in published["did"]["assertionMethod"]
            assert methods[kid]["type"] == "JsonWebKey"
            joserfc.deserialize_compact(token, ECKey.import_key(methods[kid]["publicKeyJwk"]), algorithms=["ES256"])
