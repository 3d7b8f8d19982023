"""Nothing is signed that was not linted, and the linter refuses whatever is planted."""

import copy
import json
from dataclasses import replace
from datetime import date
from functools import reduce

import pytest

from app.certificates.credential.linter import CredentialNotSound, LintContext, LintedCredential, lint, sign_credential
from app.certificates.credential.untp_builder import build_credential
from app.certificates.status_list import LIST_LENGTH
from app.core.crypto import jws
from app.core.crypto import signer as crypto_signer
from tests.verification.factories import DID, content_of, grounds_of

CONTENT = content_of()
GROUNDS = grounds_of(CONTENT, not_after=date(2029, 11, 21))
SUBJECT, STATUS = "credentialSubject", "credentialStatus"
HOLDER = (SUBJECT, "issuedToParty")
ASSESSED = (SUBJECT, "conformityAssessment", 0)
PRODUCT = (*ASSESSED, "assessedProduct", 0, "product")
SITE = (*ASSESSED, "assessedFacility", 0, "facility")
LISTS = "https://mark.example/v1/status-lists"
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return crypto_signer.certificate_signer(tmp_path_factory.mktemp("keys") / "c.pem", DID)


def changed(*path, to):
    payload = copy.deepcopy(build_credential(CONTENT))
    *parents, last = path
    reduce(lambda node, step: node[step], parents, payload)[last] = to
    return payload


def without(*path):
    payload = copy.deepcopy(build_credential(CONTENT))
    *parents, last = path
    del reduce(lambda node, step: node[step], parents, payload)[last]
    return payload


def renamed(name):
    """A product that is called so in one language: shape and cross-checks agree, only the text is on trial."""
    return build_credential(replace(CONTENT, product_names={"en": name}))


def holder(name):
    """A holder that is called so in English: only the text is on trial."""
    payload = changed(*HOLDER, "name", to=name)
    payload[SUBJECT]["issuedToParty"]["names"]["en"] = name
    return payload


PRODUCTS = build_credential(CONTENT)[SUBJECT]["conformityAssessment"][0]["assessedProduct"]
CONTEXTS = build_credential(CONTENT)["@context"]
PLANTED = {
    "empty": {},
    "vc claim": changed("vc", to={}),
    "vp claim": changed("vp", to={}),
    "iss": changed("iss", to=DID),
    "iat": changed("iat", to=1),
    "exp": changed("exp", to=4_000_000_000),
    "nbf": changed("nbf", to=1),
    "jti": changed("jti", to="a"),
    "sub": changed("sub", to="a"),
    "status claim": changed("status", to={}),
    "proof": changed("proof", to={}),
    "evidence without a type": changed("evidence", to=[{}]),
    "terms of use without a type": changed("termsOfUse", to=[{}]),
    "issuance date of 1.1": changed("issuanceDate", to="2026-11-22T00:00:00Z"),
    "expiration date of 1.1": changed("expirationDate", to="2026-11-22T00:00:00Z"),
    "no context": without("@context"),
    "context as text": changed("@context", to=CONTEXTS[0]),
    "old context": changed("@context", to=["https://www.w3.org/2018/credentials/v1", *CONTEXTS[1:]]),
    "contexts in another order": changed("@context", to=CONTEXTS[::-1]),
    "inline context": changed("@context", to=[*CONTEXTS[:2], {"@vocab": "https://evil.example/"}]),
    "foreign context": changed("@context", to=[*CONTEXTS[:2], f"{EVIL}/v1/contexts/certificate-3"]),
    "more contexts": changed("@context", to=[*CONTEXTS, EVIL]),
    "older UNTP": changed("@context", to=[CONTEXTS[0], CONTEXTS[1].replace("0.7.0", "0.6.1"), CONTEXTS[2]]),
    "type as text": changed("type", to="VerifiableCredential"),
    "type as a tuple": changed("type", to=("VerifiableCredential", "DigitalConformityCredential")),
    "one type": changed("type", to=["VerifiableCredential"]),
    "the same type twice": changed("type", to=["VerifiableCredential"] * 2),
    "other type": changed("type", to=["VerifiablePresentation", "DigitalConformityCredential"]),
    "id of another number": changed("id", to="https://mark.example/v1/certificates/MIK-2026-000043-W"),
    "id elsewhere": changed("id", to=f"{EVIL}/v1/certificates/MIK-2026-000042-Y"),
    "id is no address": changed("id", to="javascript:alert(1)/v1/certificates/MIK-2026-000042-Y"),
    "id with a blank": changed("id", to="https://mark.example/ /v1/certificates/MIK-2026-000042-Y"),
    "id with a line end": changed("id", to="https://mark.example/v1/certificates/MIK-2026-000042-Y\n"),
    "id too long": changed("id", to=f"https://mark.example/{'a' * 600}/v1/certificates/MIK-2026-000042-Y"),
    "two ids": changed("id", to=["https://mark.example/v1/certificates/MIK-2026-000042-Y"] * 2),
    "issuer as text": changed("issuer", to=DID),
    "issuer is null": changed("issuer", to=None),
    "two issuers": changed("issuer", to=[build_credential(CONTENT)["issuer"]] * 2),
    "another issuer": changed("issuer", "id", to="did:web:evil.example"),
    "issuer without name": without("issuer", "name"),
    "issuer is no did:web": changed("issuer", "id", to="did:key:abc"),
    "issuer with a line end": changed("issuer", "id", to=DID + "\n"),
    "name as language object": changed("name", to={"@value": "a", "@language": "en", "x": 1}),
    "no validFrom": without("validFrom"),
    "validFrom is null": changed("validFrom", to=None),
    "validFrom is a number": changed("validFrom", to=1),
    "naive moment": changed("validFrom", to="2026-11-22T00:00:00"),
    "moment in UTC": changed("validFrom", to="2026-11-22T00:00:00Z"),
    "moment in other digits": changed("validFrom", to="٢٠٢٦-11-22T00:00:00+04:00"),
    "date only": changed("validFrom", to="2026-11-22"),
    "30 February": changed("validFrom", to="2026-02-30T00:00:00+04:00"),
    "year nought": changed("validFrom", to="0000-01-01T00:00:00+04:00"),
    "first day of all": changed("validFrom", to="0001-01-01T00:00:00+04:00"),
    "middle of a day": changed("validFrom", to="2026-11-22T10:00:00+04:00"),
    "begin of the last day": changed("validUntil", to="2029-11-21T00:00:00+04:00"),
    "no validUntil": without("validUntil"),
    "ends before it begins": changed("validUntil", to="2026-11-21T23:59:59+04:00"),
    "a day longer than the residency": changed("validUntil", to="2029-11-22T23:59:59+04:00"),
    "for ever": changed("validUntil", to="9999-12-31T23:59:59+04:00"),
    "no subject": without(SUBJECT),
    "two subjects": changed(SUBJECT, to=[build_credential(CONTENT)[SUBJECT]] * 2),
    "empty subject": changed(SUBJECT, to={}),
    "unknown member of the subject": changed(SUBJECT, "quality", to="best"),
    "wrong type of the subject": changed(SUBJECT, "type", to=["ConformityAttestation", "Attestation"]),
    "subject elsewhere": changed(SUBJECT, "id", to=f"{EVIL}#attestation"),
    "wrong check character": changed(SUBJECT, "number", to="MIK-2026-000042-X"),
    "number not in display form": changed(SUBJECT, "number", to="mik-2026-000042-y"),
    "number of another": changed(SUBJECT, "number", to="MIK-2026-000043-W"),
    "assessor of another kind": changed(SUBJECT, "assessorLevel", to="self"),
    "level of assurance in the words of 0.6": changed(SUBJECT, "assessmentLevel", to="GovtApproval"),
    "a declaration": changed(SUBJECT, "attestationType", to="declaration"),
    "another mark's scheme": changed(SUBJECT, "referenceScheme", "id", to="https://mark.example/v1/schemes/MIA"),
    "no scheme": without(SUBJECT, "referenceScheme"),
    "no ruleset": without(SUBJECT, "referenceProfile"),
    "ruleset of another version": changed(SUBJECT, "referenceProfile", "version", to="2026.2"),
    "link elsewhere": changed(SUBJECT, "conformityCertificate", "linkURL", to=f"{EVIL}/v/MIK-2026-000042-Y"),
    "no holder": without(*HOLDER),
    "empty holder": holder(""),
    "holder is a number": changed(*HOLDER, "name", to=7),
    "holder is null": changed(*HOLDER, "name", to=None),
    "holder too long": holder("x" * 301),
    "holder of blanks": holder("   "),
    "blank at the end": holder("Nümunə "),
    "not composed": holder("Nu\u0308mune"),
    "holder is no URN": changed(*HOLDER, "id", to="https://mark.example/holders/1"),
    "holder by VÖEN": changed(*HOLDER, "id", to="urn:voen:0010002221"),
    "VÖEN of a natural person": changed(*HOLDER, "voen", to="0010002222"),
    "VÖEN masked": changed(*HOLDER, "maskedVoen", to="001****221"),
    "VÖEN is no number": changed(*HOLDER, "voen", to="001000222"),
    "no name in Azerbaijani": changed(*HOLDER, "names", to={"en": "Sample Pipe LLC"}),
    "another name in English": changed(*HOLDER, "names", "en", to="Sample Steel LLC"),
    "a name in a third language": changed(*HOLDER, "names", "ru", to="Образец"),
    "Azerbaijani name in look-alikes": changed(*HOLDER, "names", "az", to="“Nümunə-Вoru” MMС"),
    "Azerbaijani name too long": changed(*HOLDER, "names", "az", to="x" * 321),
    "VÖEN as registeredId": without(*HOLDER, "voen"),  # and not as a member of ours
    "registeredId is another VÖEN": changed(*HOLDER, "registeredId", to="0010000101"),
    "registeredId of a natural person": changed(*HOLDER, "registeredId", to="0010002222"),
    "VÖEN without registeredId": without(*HOLDER, "registeredId"),
    "registeredId of no register": without(*HOLDER, "idScheme"),
    "registeredId of another register": changed(*HOLDER, "idScheme", "id", to=EVIL),
    "park elsewhere": changed(*SITE, "containedInPlace", to=f"{EVIL}/v1/parks/AGDAM-SP"),
    "another park": changed(*SITE, "containedInPlace", to="https://mark.example/v1/parks/JABRAYIL-EZ"),
    "park without its address": without(*SITE, "containedInPlace"),
    "address of a park without the park": without(*SITE, "park"),
    "no render method": without("renderMethod"),
    "two render methods": changed("renderMethod", to=build_credential(CONTENT)["renderMethod"] * 2),
    "template elsewhere": changed("renderMethod", 0, "url", to=f"{EVIL}/v1/render-templates/certificate-3"),
    "digest of another template": changed("renderMethod", 0, "digestMultibase", to="u" + "A" * 46),
    "template in the credential": changed("renderMethod", 0, "template", to="<p>"),
    "another country as performance": changed(*ASSESSED, "assessedPerformance", 1, "score", "code", to="TR"),
    "country differs from its performance": changed(SUBJECT, "countryOfOrigin", to="TR"),
    "criterion with another definition": changed(*ASSESSED, "assessedPerformance", 0, "score", "definition", to="a"),
    "only the criterion as performance": without(*ASSESSED, "assessedPerformance", 1),
    "foreign metric": changed(*ASSESSED, "assessedPerformance", 0, "metric", "id", to=EVIL),
    "Cyrillic а in a Latin name": holder("Nümunə Sаmple"),
    "Greek ο in a Latin name": holder("Sample Wοrks"),
    "letters of mathematics": holder("𝐒𝐚𝐦𝐩𝐥𝐞"),
    "joiner between Latin letters": holder("Sam\u200cple"),
    "joiner at the end": holder("لوله\u200c"),
    "accents in heaps": holder("a" + "\u0316\u0317\u0318\u0319\u031c"),
    "product in look-alikes": renamed("Stееl pipe"),
    "product turned round": renamed("Steel \u202eepip"),
    "no product name": changed(*PRODUCT, "names", to={}),
    "names as a list": changed(*PRODUCT, "names", to=["Pipe"]),
    "odd language": changed(*PRODUCT, "names", to={"EN-gb": "Steel pipe"}),
    "a name that is none of the names": changed(*PRODUCT, "name", to="Gold pipe"),
    "twenty-one names": changed(*PRODUCT, "names", to={f"a{c}": "Steel pipe" for c in "abcdefghijklmnopqrstu"}),
    "two products": changed(*ASSESSED, "assessedProduct", to=PRODUCTS * 2),
    "HS6 as a number": changed(*PRODUCT, "hs6", to=730630),
    "HS6 too short": changed(*PRODUCT, "hs6", to="73063"),
    "HS6 in other digits": changed(*PRODUCT, "hs6", to="٧٣٠٦٣٠"),
    "HS6 with a line end": changed(*PRODUCT, "hs6", to="730630\n"),
    "GTIN with a wrong digit": changed(*PRODUCT, "gtin", to="4006381333932"),
    "GTIN in other digits": changed(*PRODUCT, "gtin", to="٤٠٠٦٣٨١٣٣٣٩٣١"),
    "GTIN with a hyphen": changed(*PRODUCT, "gtin", to="400638-1333931"),
    "product id claimed as verified": changed(*ASSESSED, "assessedProduct", 0, "idVerifiedByCAB", to=True),
    "no district": without(*SITE, "district"),
    "facility by another name": changed(*SITE, "name", to="Şuşa"),
    "two facilities": changed(*ASSESSED, "assessedFacility", to=[]),
    "no origin": without(SUBJECT, "originCriterion"),
    "no country": without(SUBJECT, "countryOfOrigin"),
    "country in words": changed(SUBJECT, "countryOfOrigin", to="Azerbaijan"),
    "origin in small letters": changed(SUBJECT, "originCriterion", to="cth"),
    "no origin at all": build_credential(replace(CONTENT, origin_criterion="NONE")),
    "origin and score differ": changed(*ASSESSED, "assessedPerformance", 0, "score", "code", to="WO"),
    "origin and criterion differ": changed(SUBJECT, "originCriterion", to="RVC"),
    "assessed another day": changed(*ASSESSED, "assessmentDate", to="2026-11-21"),
    "assessed on 30 February": changed(*ASSESSED, "assessmentDate", to="2026-02-30"),
    "does not conform": changed(*ASSESSED, "conformance", to=False),
    "conforms, as a number": changed(*ASSESSED, "conformance", to=1),
    "another topic": changed(*ASSESSED, "conformityTopic", 0, "id", to=f"{EVIL}/topic"),
    "no schema": without("credentialSchema"),
    "schema elsewhere": changed("credentialSchema", "id", to=f"{EVIL}/v1/schemas/certificate-3"),
    "schema of another kind": changed("credentialSchema", "type", to="JsonSchemaCredential"),
    "no status": without(STATUS),
    "status as one object": changed(STATUS, to=build_credential(CONTENT)[STATUS][0]),
    "one status": changed(STATUS, to=build_credential(CONTENT)[STATUS][:1]),
    "revocation twice": changed(STATUS, to=[build_credential(CONTENT)[STATUS][0]] * 2),
    "statuses the other way round": changed(STATUS, to=build_credential(CONTENT)[STATUS][::-1]),
    "index as a number": changed(STATUS, 0, "statusListIndex", to=4711),
    "index with zeros": changed(STATUS, 0, "statusListIndex", to="04711"),
    "negative index": changed(STATUS, 0, "statusListIndex", to="-1"),
    "an index that was not reserved": build_credential(replace(CONTENT, status_index=4712)),
    "two indexes": changed(STATUS, 1, "statusListIndex", to="4712"),
    "a list that was not reserved": build_credential(replace(CONTENT, status_list_id=2)),
    "index too large": build_credential(replace(CONTENT, status_index=10**9)),
    "list elsewhere": changed(STATUS, 0, "statusListCredential", to=f"{EVIL}/v1/status-lists/revocation-1"),
    "list of the other purpose": changed(STATUS, 0, "statusListCredential", to=f"{LISTS}/suspension-1"),
    "id is the list": changed(STATUS, 0, "id", to=f"{LISTS}/revocation-1"),
    "other status type": changed(STATUS, 0, "type", to="StatusList2021Entry"),
}  # fmt: skip


class TestLint:
    def test_what_we_build_is_sound(self):
        assert json.loads(lint(build_credential(CONTENT), GROUNDS).payload) == build_credential(CONTENT)

    @pytest.mark.parametrize("name", PLANTED)
    def test_planted_payloads_are_never_signed(self, name):
        with pytest.raises(CredentialNotSound) as caught:
            lint(PLANTED[name], GROUNDS)
        assert caught.value.problems

    @pytest.mark.parametrize(
        "character",
        ["\0", "\x1b", "\n", "\x7f", "\x85",
         "\u200b", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e", "\u2066", "\u2069",
         "\u2028", "\ufeff", "\u00ad", "\ue000", "\uffff", "\ud800", "\U000e0041"],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "path", [(*HOLDER, "name"), (*PRODUCT, "names", "en"), (*SITE, "district"), ("issuer", "name")]
    )
    def test_characters_that_are_not_shown(self, character, path):
        with pytest.raises(CredentialNotSound):
            lint(changed(*path, to=f"a{character}b"), GROUNDS)

    def test_every_problem_is_named(self):
        payload = changed(*PRODUCT, "hs6", to="1")
        del payload["validFrom"]
        with pytest.raises(CredentialNotSound) as caught:
            lint(payload, GROUNDS)
        assert "/credentialSubject/conformityAssessment/0/assessedProduct/0/product/hs6" in caught.value.message
        assert "/validFrom" in caught.value.message
        assert caught.value.data == {"problems": list(caught.value.problems)}
        assert len(caught.value.problems) == 2

    @pytest.mark.parametrize("index", [0, 1, LIST_LENGTH - 1])
    def test_every_index_of_the_list_fits(self, index):
        content = replace(CONTENT, status_index=index)
        lint(build_credential(content), grounds_of(content))

    @pytest.mark.parametrize("index", [-1, LIST_LENGTH])
    def test_a_place_outside_the_list_fits_no_reservation(self, index):
        content = replace(CONTENT, status_index=index)
        with pytest.raises(CredentialNotSound):
            lint(build_credential(content), grounds_of(content))

    def test_an_open_residency_sets_no_end(self):
        content = replace(CONTENT, valid_until=date(2099, 12, 31))
        lint(build_credential(content), grounds_of(content))
        with pytest.raises(CredentialNotSound, match="2099-12-30"):
            lint(build_credential(content), grounds_of(content, not_after=date(2099, 12, 30)))

    def test_grounds_of_another_house(self):
        for grounds in (
            replace(GROUNDS, issuer="did:web:other.example"),
            replace(GROUNDS, base_url="https://other.example"),
            replace(GROUNDS, status_list_id=2),
        ):
            with pytest.raises(CredentialNotSound):
                lint(build_credential(CONTENT), grounds)


class TestSign:
    def test_signed_bytes_are_those_that_were_linted(self, signer):
        payload = build_credential(CONTENT)
        linted = lint(payload, GROUNDS)
        payload[SUBJECT]["issuedToParty"]["name"] = "Somebody else"
        token = sign_credential(signer, linted)
        verified = jws.verify(token, typ="vc+jwt", keys={signer.kid: signer.public})
        assert verified.payload == build_credential(CONTENT)
        assert verified.kid.startswith(DID + "#")

    def test_only_the_linters_output_is_signed(self, signer):
        for other in (build_credential(CONTENT), json.dumps(build_credential(CONTENT)).encode(), None, "text"):
            with pytest.raises(TypeError):
                sign_credential(signer, other)

    def test_only_the_linter_makes_it(self):
        with pytest.raises(TypeError):
            LintedCredential(b"{}", DID, token=object())

    def test_the_key_must_be_the_issuers(self, signer):
        other = content_of(issuer="did:web:other.example")
        linted = lint(
            build_credential(other), LintContext("did:web:other.example", "https://mark.example", 1, 4711, None)
        )
        with pytest.raises(CredentialNotSound, match="issuer"):
            sign_credential(signer, linted)
