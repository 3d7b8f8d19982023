"""What is signed: its shape, and that nothing is signed which was not linted."""

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import jws, keys
from app.certificates.credential import (
    STATUS_LIST_ENTRIES,
    CertificateContent,
    CredentialNotSound,
    LintedCredential,
    build,
    lint,
    mask_voen,
    sign_credential,
)

DID = "did:web:mark.example"
CONTENT = CertificateContent(
    number="MIK-2026-000042-Y",
    base_url="https://mark.example",
    issuer=DID,
    issuer_name="Owner of the mark",
    scheme_code="MIK",
    scheme_name="Made in Karabakh – Heart of Azerbaijan",
    ruleset_version="2026.1",
    holder_name="Nümunə-Boru MMC",
    holder_voen="0010002221",
    product_names={"en": "Steel pipe", "az": "Polad boru", "fa": "لوله‌های فولادی"},
    hs6="730630",
    gtin=None,
    park_code="AGDAM-SP",
    district="Ağdam",
    origin_criterion="CTH",
    valid_from=date(2026, 11, 22),
    valid_until=date(2029, 11, 21),
    status_list_id=1,
    status_index=4711,
)


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return keys.certificate_signer(tmp_path_factory.mktemp("keys") / "c.pem", DID)


class TestBuild:
    def test_the_whole(self):
        url = "https://mark.example/v1/status-lists"
        assert build(CONTENT) == {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "https://mark.example/v1/certificates/MIK-2026-000042-Y",
            "type": ["VerifiableCredential"],
            "issuer": {"id": DID, "name": "Owner of the mark"},
            "validFrom": "2026-11-22T00:00:00+04:00",
            "validUntil": "2029-11-21T23:59:59+04:00",
            "credentialSubject": {
                "number": "MIK-2026-000042-Y",
                "scheme": {"code": "MIK", "name": "Made in Karabakh – Heart of Azerbaijan", "ruleset": "2026.1"},
                "holder": {"name": "Nümunə-Boru MMC", "voen": "001****221"},
                "product": {
                    "name": [
                        {"@value": "Polad boru", "@language": "az"},
                        {"@value": "Steel pipe", "@language": "en"},
                        {"@value": "لوله‌های فولادی", "@language": "fa"},
                    ],
                    "hs6": "730630",
                },
                "site": {"park": "AGDAM-SP", "district": "Ağdam"},
                "originCriterion": "CTH",
            },
            "credentialStatus": [
                {
                    "id": f"{url}/{purpose}-1#4711",
                    "type": "BitstringStatusListEntry",
                    "statusPurpose": purpose,
                    "statusListIndex": "4711",
                    "statusListCredential": f"{url}/{purpose}-1",
                }
                for purpose in ("revocation", "suspension")
            ],
        }

    def test_what_is_not_known_is_left_out(self):
        payload = build(replace(CONTENT, gtin="4006381333931", park_code=None, holder_voen="0010002222"))
        subject = payload["credentialSubject"]
        assert subject["product"]["gtin"] == "4006381333931"
        assert "park" not in subject["site"]
        assert "voen" not in subject["holder"]
        lint(payload)

    @given(st.dates(date(2000, 1, 1), date(9990, 1, 1)), st.integers(0, 3000))
    def test_both_days_are_inclusive_in_baku(self, start, days):
        payload = build(replace(CONTENT, valid_from=start, valid_until=start + timedelta(days)))
        lint(payload)
        length = datetime.fromisoformat(payload["validUntil"]) - datetime.fromisoformat(payload["validFrom"])
        assert length == timedelta(days + 1, seconds=-1)
        assert datetime.fromisoformat(payload["validFrom"]).astimezone(UTC).hour == 20


class TestMask:
    @pytest.mark.parametrize(
        ("voen", "shown"),
        [
            ("0010002221", "001****221"),
            ("1234567891", "123****891"),
            ("0010002222", None),
            ("", None),
            ("123", None),
            ("00100022210", None),
            ("٠٠١٠٠٠٢٢٢١", None),
            ("0010002221\n", None),
        ],
    )
    def test_mask(self, voen, shown):
        assert mask_voen(voen) == shown


def changed(*path, to):
    payload = copy.deepcopy(build(CONTENT))
    *parents, last = path
    reduce(lambda node, step: node[step], parents, payload)[last] = to
    return payload


def without(*path):
    payload = copy.deepcopy(build(CONTENT))
    *parents, last = path
    del reduce(lambda node, step: node[step], parents, payload)[last]
    return payload


SUBJECT = "credentialSubject"
STATUS = "credentialStatus"
LISTS = "https://mark.example/v1/status-lists"
PLANTED = {
    "empty": {},
    "vc claim": changed("vc", to={}),
    "vp claim": changed("vp", to={}),
    "iat": changed("iat", to=1),
    "jti": changed("jti", to="a"),
    "status claim": changed("status", to={}),
    "proof": changed("proof", to={}),
    "issuance date of 1.1": changed("issuanceDate", to="2026-11-22T00:00:00Z"),
    "context as text": changed("@context", to="https://www.w3.org/ns/credentials/v2"),
    "old context": changed("@context", to=["https://www.w3.org/2018/credentials/v1"]),
    "inline context": changed("@context", to=[{"@vocab": "https://evil.example/"}]),
    "more contexts": changed("@context", to=["https://www.w3.org/ns/credentials/v2", "https://evil.example"]),
    "type as text": changed("type", to="VerifiableCredential"),
    "type as a tuple": changed("type", to=("VerifiableCredential",)),
    "other type": changed("type", to=["VerifiablePresentation"]),
    "id of another number": changed("id", to="https://mark.example/v1/certificates/MIK-2026-000043-W"),
    "id is no address": changed("id", to="javascript:alert(1)/v1/certificates/MIK-2026-000042-Y"),
    "id with a blank": changed("id", to="https://mark.example/ /v1/certificates/MIK-2026-000042-Y"),
    "id too long": changed("id", to=f"https://mark.example/{'a' * 600}/v1/certificates/MIK-2026-000042-Y"),
    "issuer as text": changed("issuer", to=DID),
    "issuer without name": without("issuer", "name"),
    "issuer is no did:web": changed("issuer", "id", to="did:key:abc"),
    "issuer with a line end": changed("issuer", "id", to=DID + "\n"),
    "no validFrom": without("validFrom"),
    "validFrom is null": changed("validFrom", to=None),
    "validFrom is a number": changed("validFrom", to=1),
    "naive moment": changed("validFrom", to="2026-11-22T00:00:00"),
    "moment in UTC": changed("validFrom", to="2026-11-22T00:00:00Z"),
    "date only": changed("validFrom", to="2026-11-22"),
    "30 February": changed("validFrom", to="2026-02-30T00:00:00+04:00"),
    "middle of a day": changed("validFrom", to="2026-11-22T10:00:00+04:00"),
    "begin of the last day": changed("validUntil", to="2029-11-21T00:00:00+04:00"),
    "ends before it begins": changed("validUntil", to="2026-11-21T23:59:59+04:00"),
    "no subject": without(SUBJECT),
    "two subjects": changed(SUBJECT, to=[build(CONTENT)[SUBJECT]] * 2),
    "unknown member of the subject": changed(SUBJECT, "quality", to="best"),
    "wrong check character": changed(SUBJECT, "number", to="MIK-2026-000042-X"),
    "number not in display form": changed(SUBJECT, "number", to="mik-2026-000042-y"),
    "other mark than the number's": changed(SUBJECT, "scheme", "code", to="MIA"),
    "mark in small letters": changed(SUBJECT, "scheme", "code", to="mik"),
    "no ruleset": without(SUBJECT, "scheme", "ruleset"),
    "no holder": without(SUBJECT, "holder"),
    "empty holder": changed(SUBJECT, "holder", "name", to=""),
    "holder is a number": changed(SUBJECT, "holder", "name", to=7),
    "holder too long": changed(SUBJECT, "holder", "name", to="x" * 301),
    "blank at the end": changed(SUBJECT, "holder", "name", to="Nümunə "),
    "VÖEN in full": changed(SUBJECT, "holder", "voen", to="0010002221"),
    "no product name": changed(SUBJECT, "product", "name", to=[]),
    "product name as a map": changed(SUBJECT, "product", "name", to={"en": "Pipe"}),
    "language twice": changed(SUBJECT, "product", "name", to=[{"@value": "a", "@language": "en"}] * 2),
    "odd language": changed(SUBJECT, "product", "name", to=[{"@value": "a", "@language": "EN-gb"}]),
    "twenty-one names": changed(
        SUBJECT, "product", "name", to=[{"@value": "a", "@language": f"a{c}"} for c in "abcdefghijklmnopqrstu"]
    ),
    "HS6 as a number": changed(SUBJECT, "product", "hs6", to=730630),
    "HS6 too short": changed(SUBJECT, "product", "hs6", to="73063"),
    "HS6 in other digits": changed(SUBJECT, "product", "hs6", to="٧٣٠٦٣٠"),
    "GTIN with a wrong digit": changed(SUBJECT, "product", "gtin", to="4006381333932"),
    "GTIN in other digits": changed(SUBJECT, "product", "gtin", to="٤٠٠٦٣٨١٣٣٣٩٣١"),
    "GTIN with a hyphen": changed(SUBJECT, "product", "gtin", to="400638-1333931"),
    "no district": without(SUBJECT, "site", "district"),
    "no origin": without(SUBJECT, "originCriterion"),
    "no status": without(STATUS),
    "one status": changed(STATUS, to=build(CONTENT)[STATUS][:1]),
    "revocation twice": changed(STATUS, to=[build(CONTENT)[STATUS][0]] * 2),
    "statuses the other way round": changed(STATUS, to=build(CONTENT)[STATUS][::-1]),
    "index as a number": changed(STATUS, 0, "statusListIndex", to=4711),
    "index with zeros": changed(STATUS, 0, "statusListIndex", to="04711"),
    "negative index": changed(STATUS, 0, "statusListIndex", to="-1"),
    "index outside": build(replace(CONTENT, status_index=STATUS_LIST_ENTRIES)),
    "index too large": build(replace(CONTENT, status_index=10**9)),
    "list elsewhere": changed(STATUS, 0, "statusListCredential", to="https://evil.example/v1/status-lists/revocation-1"),
    "list of the other purpose": changed(STATUS, 0, "statusListCredential", to=f"{LISTS}/suspension-1"),
    "id is the list": changed(STATUS, 0, "id", to=f"{LISTS}/revocation-1"),
    "other status type": changed(STATUS, 0, "type", to="StatusList2021Entry"),
}  # fmt: skip


class TestLint:
    @pytest.mark.parametrize("name", PLANTED)
    def test_planted_payloads_are_never_signed(self, name):
        with pytest.raises(CredentialNotSound) as caught:
            lint(PLANTED[name])
        assert caught.value.problems

    @pytest.mark.parametrize(
        "character",
        ["\0", "\x1b", "\n", "\x7f", "\x85",
         "\u200b", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e", "\u2066", "\u2069",
         "\u2028", "\ufeff", "\u00ad", "\ue000", "\uffff", "\ud800", "\U000e0041"],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "path",
        [
            (SUBJECT, "holder", "name"),
            (SUBJECT, "product", "name", 0, "@value"),
            (SUBJECT, "site", "district"),
            ("issuer", "name"),
        ],
    )
    def test_characters_that_are_not_shown(self, character, path):
        with pytest.raises(CredentialNotSound):
            lint(changed(*path, to=f"a{character}b"))

    @pytest.mark.parametrize("name", ["Ağdam", "می‌خواهم", "新产品", "سجادة", "Ёлка № 5 “A” – 10 % (λ) 🙂", "x" * 300])
    def test_names_of_the_world(self, name):
        lint(changed(SUBJECT, "holder", "name", to=name))

    def test_every_problem_is_named(self):
        payload = changed(SUBJECT, "product", "hs6", to="1")
        del payload["validFrom"]
        with pytest.raises(CredentialNotSound) as caught:
            lint(payload)
        assert "/credentialSubject/product/hs6" in caught.value.message
        assert "/validFrom" in caught.value.message
        assert len(caught.value.problems) == 2

    def test_every_index_of_the_list_fits(self):
        for index in (0, 1, STATUS_LIST_ENTRIES - 1):
            lint(build(replace(CONTENT, status_index=index)))


class TestSign:
    def test_signed_bytes_are_those_that_were_linted(self, signer):
        payload = build(CONTENT)
        linted = lint(payload)
        payload[SUBJECT]["holder"]["name"] = "Somebody else"
        token = sign_credential(signer, linted)
        verified = jws.verify(token, typ="vc+jwt", keys={signer.kid: signer.public})
        assert verified.payload == build(CONTENT)
        assert verified.kid.startswith(DID + "#")

    def test_only_the_linters_output_is_signed(self, signer):
        for other in (build(CONTENT), json.dumps(build(CONTENT)).encode(), None, "text"):
            with pytest.raises(TypeError):
                sign_credential(signer, other)

    def test_only_the_linter_makes_it(self):
        with pytest.raises(TypeError):
            LintedCredential(b"{}", DID, seal=object())

    def test_the_key_must_be_the_issuers(self, signer):
        with pytest.raises(CredentialNotSound, match="issuer"):
            sign_credential(signer, lint(build(replace(CONTENT, issuer="did:web:other.example"))))
