"""What a certificate says, and how it is written down."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates.credential import untp_builder
from app.certificates.credential.json_schema import build_json_schema
from app.certificates.credential.linter import lint
from app.certificates.credential.untp_builder import build_context, build_credential
from app.integrity.certificates import mask_voen
from app.schemes import closed_lists
from tests.verification.factories import DID, content_of, grounds_of

pytestmark = pytest.mark.pure

CONTENT = content_of(product_names={"en": "Steel pipe", "az": "Polad boru", "fa": "لوله‌های فولادی"})
BASE = "https://mark.example"
ADDRESS = f"{BASE}/v1/certificates/MIK-2026-000042-Y"
SUBJECT = "credentialSubject"
UNTP = json.loads((Path(__file__).parents[1] / "interop" / "untp_dcc_schema.json").read_text(encoding="utf-8"))


def assessment(payload):
    (only,) = payload[SUBJECT]["conformityAssessment"]
    return only


class TestBuild:
    def test_the_whole(self):
        payload = build_credential(CONTENT)
        assert payload["@context"] == [
            "https://www.w3.org/ns/credentials/v2",
            "https://vocabulary.uncefact.org/untp/0.7.0/context/",
            f"{BASE}/v1/contexts/certificate-3",
        ]
        assert payload["type"] == ["VerifiableCredential", "DigitalConformityCredential"]
        assert payload["id"] == ADDRESS
        assert payload["issuer"] == {"type": ["CredentialIssuer"], "id": DID, "name": "Owner of the mark"}
        assert payload["validFrom"] == "2026-11-22T00:00:00+04:00"
        assert payload["validUntil"] == "2029-11-21T23:59:59+04:00"
        assert payload["credentialSchema"] == {"id": f"{BASE}/v1/schemas/certificate-3", "type": "JsonSchema"}
        assert payload["credentialStatus"] == [
            {
                "id": f"{BASE}/v1/status-lists/{purpose}-1#4711",
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": "4711",
                "statusListCredential": f"{BASE}/v1/status-lists/{purpose}-1",
            }
            for purpose in ("revocation", "suspension")
        ]

    def test_what_is_attested(self):
        attestation = dict(build_credential(CONTENT)[SUBJECT])
        del attestation["conformityAssessment"]
        assert attestation == {
            "type": ["ConformityAttestation"],
            "id": f"{ADDRESS}#attestation",
            "name": "Certificate MIK-2026-000042-Y",
            "number": "MIK-2026-000042-Y",
            "assessorLevel": "3rdParty",
            "assessmentLevel": "scheme-cab",
            "attestationType": "certification",
            "issuedToParty": {
                "type": ["Party"],
                "id": UUID(int=1).urn,
                "name": "Sample Pipe LLC",
                "names": {"az": "“Nümunə-Boru” MMC", "en": "Sample Pipe LLC"},
                "registeredId": "0010002221",
                "idScheme": {
                    "type": ["IdentifierScheme"],
                    "id": f"{BASE}/v1/contexts/certificate-3#voen",
                    "name": "VÖEN, taxpayer register of the Republic of Azerbaijan",
                },
                "voen": "0010002221",
            },
            "referenceScheme": {
                "type": ["ConformityScheme"],
                "id": f"{BASE}/v1/schemes/MIK",
                "name": "Made in Karabakh",
            },
            "referenceProfile": {
                "type": ["ConformityProfile"],
                "id": f"{BASE}/v1/schemes/MIK/rulesets#2026.1",
                "name": "Rules of MIK, 2026.1",
                "version": "2026.1",
            },
            "conformityCertificate": {
                "linkURL": f"{BASE}/v/MIK-2026-000042-Y",
                "linkName": "Is this certificate good today?",
                "mediaType": "text/html",
            },
            "originCriterion": "CTH",
            "countryOfOrigin": "AZ",
        }

    def test_what_was_assessed(self):
        assessed = assessment(build_credential(CONTENT))
        assert assessed["assessmentDate"] == "2026-11-22"
        assert assessed["assessedPerformance"] == [
            {
                "metric": {
                    "type": ["PerformanceMetric"],
                    "id": f"{BASE}/v1/contexts/certificate-3#originCriterion",
                    "name": "Criterion by which the product originates",
                },
                "score": {"code": "CTH", "definition": "change of tariff heading"},
            },
            {
                "metric": {
                    "type": ["PerformanceMetric"],
                    "id": f"{BASE}/v1/contexts/certificate-3#countryOfOrigin",
                    "name": "Country of origin, ISO 3166-1 alpha-2",
                },
                "score": {"code": "AZ"},
            },
        ]
        assert assessed["assessmentCriteria"][0]["id"] == f"{BASE}/v1/contexts/certificate-3#CTH"
        assert assessed["assessedProduct"] == [
            {
                "product": {
                    "type": ["Product"],
                    "id": UUID(int=2).urn,
                    "name": "Steel pipe",
                    "names": {"az": "Polad boru", "en": "Steel pipe", "fa": "لوله‌های فولادی"},
                    "hs6": "730630",
                }
            }
        ]
        assert assessed["assessedFacility"] == [
            {
                "facility": {
                    "type": ["Facility"],
                    "id": UUID(int=3).urn,
                    "name": "AGDAM-SP, Ağdam",
                    "park": "AGDAM-SP",
                    "containedInPlace": f"{BASE}/v1/parks/AGDAM-SP",
                    "district": "Ağdam",
                }
            }
        ]

    def test_what_is_not_known_is_left_out(self):
        content = replace(CONTENT, gtin="4006381333931", park_code=None, holder_voen=None)
        payload = build_credential(content)
        assert assessment(payload)["assessedProduct"][0]["product"]["gtin"] == "4006381333931"
        facility = assessment(payload)["assessedFacility"][0]["facility"]
        assert not {"park", "containedInPlace"} & facility.keys()
        assert facility["name"] == "Ağdam"
        assert not {"voen", "registeredId", "idScheme"} & payload[SUBJECT]["issuedToParty"].keys()
        lint(payload, grounds_of(content))

    def test_a_criterion_that_readers_do_not_know_has_no_definition(self):
        content = replace(CONTENT, origin_criterion="RVC-40")
        performance, _country = assessment(build_credential(content))["assessedPerformance"]
        assert performance["score"] == {"code": "RVC-40"}
        lint(build_credential(content), grounds_of(content))

    def test_definitions_are_those_of_the_rules(self):
        names = closed_lists.load_lists().names["origin_criterion"]
        assert {code: each["en"] for code, each in names.items()} == untp_builder.ORIGIN_CRITERIA

    @pytest.mark.parametrize(
        ("names", "shown"),
        [
            ({"az": "Boru", "en": "Pipe"}, "Pipe"),
            ({"az": "Boru", "ru": "Труба"}, "Boru"),
            ({"fa": "لوله"}, "لوله"),
            ({}, ""),
        ],
    )
    def test_the_one_name(self, names, shown):
        assert (
            assessment(build_credential(replace(CONTENT, product_names=names)))["assessedProduct"][0]["product"]["name"]
            == shown
        )

    def test_names_are_composed(self):
        decomposed = "Nu\u0308mune"
        holder = build_credential(replace(CONTENT, holder_name=decomposed, holder_name_az=decomposed))[SUBJECT][
            "issuedToParty"
        ]
        assert (holder["name"], holder["names"]) == ("Nümune", {"az": "Nümune", "en": "Nümune"})

    @given(st.dates(date(2000, 1, 1), date(9990, 1, 1)), st.integers(0, 3000))
    def test_both_days_are_inclusive_in_baku(self, start, days):
        content = replace(CONTENT, valid_from=start, valid_until=start + timedelta(days))
        payload = build_credential(content)
        lint(payload, grounds_of(content))
        length = datetime.fromisoformat(payload["validUntil"]) - datetime.fromisoformat(payload["validFrom"])
        assert length == timedelta(days + 1, seconds=-1)
        assert datetime.fromisoformat(payload["validFrom"]).astimezone(UTC).hour == 20


class TestShape:
    """What was issued names this shape: another content needs another name (`SHAPE` in credential_untp.py)."""

    def test_context_and_schema_never_change_under_one_name(self):
        assert untp_builder.CURRENT_SHAPE == "certificate-3"
        for document, digest in (
            (build_context(BASE, "certificate-1"), "3abc6f9d2bd9ccc78babd741d760261d36b88e766063b6639d2e55a905b0971b"),
            (
                build_json_schema(BASE, "certificate-1"),
                "38882abaa735b2ea7ea68bb95af37c56709894447c58a828a76bf4dcd24c4b03",
            ),
            (
                build_context(BASE, "certificate-2"),
                "7b0c735194d1c89a49891b9116d8e08173c55e3598017f447d3ec3cd9a097f81",
            ),
            (
                build_json_schema(BASE, "certificate-2"),
                "9bedc028522a2edb7e52dd44b893fb5ea03798dddd29145784adc96ed04a7685",
            ),
            (
                build_context(BASE, untp_builder.CURRENT_SHAPE),
                "3f04641d49fe1bbbd19c34fc161608bb8ef32ced458e364c36d6409caea3265d",
            ),
            (build_json_schema(BASE), "fea05be3fc0abc46118f16f70a3f3b8e1d5424b821e2bc39f12b290aaac3be93"),
        ):
            assert sha256(json.dumps(document, sort_keys=True).encode()).hexdigest() == digest

    def test_every_term_of_ours_has_a_meaning_of_its_own(self):
        terms = build_context(BASE, untp_builder.CURRENT_SHAPE)["@context"]
        assert "@vocab" not in terms
        meanings = [m["@id"] if isinstance(m, dict) else m for name, m in terms.items() if name[0] != "@"]
        assert len(set(meanings)) == len(meanings) == 10
        assert all(m.startswith((f"{BASE}/v1/contexts/certificate-3#", "https://schema.org/")) for m in meanings)

    def test_our_schema_takes_it_and_refuses_others(self):
        schema = jsonschema_rs.Draft202012Validator(build_json_schema(BASE))
        assert schema.is_valid(build_credential(CONTENT))
        assert schema.is_valid(build_credential(replace(CONTENT, gtin="4006381333931", park_code=None)))
        for broken in (
            build_credential(CONTENT) | {"vc": {}},
            build_credential(replace(CONTENT, hs6="7306")),
            build_credential(replace(CONTENT, hs6="730630\n")),
            build_credential(replace(CONTENT, holder_name="")),
            build_credential(replace(CONTENT, holder_voen="0010002222")),  # of a natural person
        ):
            assert not schema.is_valid(broken)

    def test_of_untp_only_the_status_differs_where_w3c_is_followed(self):
        """UNTP 0.7.0 wants one status object, and in it the index as an integer: W3C wants a string."""
        schema = jsonschema_rs.Draft202012Validator(UNTP)
        payload = build_credential(CONTENT)
        assert [error.instance_path for error in schema.iter_errors(payload)] == [["credentialStatus"]]
        one = payload["credentialStatus"][0]
        problems = schema.iter_errors(payload | {"credentialStatus": one})
        assert [error.instance_path for error in problems] == [["credentialStatus", "statusListIndex"]]
        patched = json.loads(json.dumps(UNTP).replace('"type": "integer", "minimum": 0', '"type": "string"'))
        assert jsonschema_rs.Draft202012Validator(patched).is_valid(payload | {"credentialStatus": one})

    @pytest.mark.parametrize("level", ["authority-mandate", "no-endorsement"])
    def test_the_level_of_assurance_is_the_schemes(self, level):
        content = replace(CONTENT, assessment_level=level)
        assert (
            json.loads(lint(build_credential(content), grounds_of(content)).payload)[SUBJECT]["assessmentLevel"]
            == level
        )


class TestRenderMethod:
    """UNTP's `RenderTemplate2024`: a Handlebars template whose digest is signed."""

    def test_the_digest_is_that_of_the_template(self):
        (method,) = build_credential(CONTENT)["renderMethod"]
        assert method["url"] == f"{BASE}/v1/render-templates/certificate-3"
        multihash = base64.urlsafe_b64decode(method["digestMultibase"].removeprefix("u") + "==")
        assert multihash == b"\x12\x20" + sha256(untp_builder.render_template("certificate-3")).digest()

    def test_the_template_never_changes_under_one_name(self):
        digest = sha256(untp_builder.render_template("certificate-3")).hexdigest()
        assert digest == "35f31f4966ac183aba715baa3d56cdb066a60b9516347f1076a7a00cb9ae8424"

    @pytest.mark.parametrize("shape", ["certificate-1", "certificate-2", "certificate-0", "../certificate-3"])
    def test_earlier_shapes_name_no_template(self, shape):
        assert untp_builder.render_template(shape) is None

    def test_the_template_loads_nothing_and_runs_nothing(self):
        text = untp_builder.render_template("certificate-3").decode()
        for forbidden in (
            "<script",
            "src=",
            "url(",
            "@import",
            "{{{",
            "{{&",
            "<form",
            "<link",
            "onclick",
            "javascript:",
        ):
            assert forbidden not in text.lower(), forbidden


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
