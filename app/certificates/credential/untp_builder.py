"""Build the payload of a certificate: a W3C Verifiable Credential 2.0 in UNTP's vocabulary.

`UNTP_VERSION` selects the addresses and terms of UNTP (Digital Conformity Credential), `CURRENT_SHAPE` this service's
own terms and members. A changed shape needs a new name: issued credentials name the old one, and its context and schema
are served under that name for ever.

The payload is the credential itself, without a `vc` claim (VC-JOSE-COSE §3.1.1). Where UNTP and W3C disagree, W3C is
followed: see `docs/decisions/0030-credential-shape.md` and `0071-readers-of-the-world.md`.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from app.certificates.status_list import PURPOSES, list_name
from app.core.dates import day_end, day_start

W3C_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
UNTP_VERSION: Final = "0.7.0"
UNTP_CONTEXT: Final = f"https://vocabulary.uncefact.org/untp/{UNTP_VERSION}/context/"
CREDENTIAL_TYPES: Final = ("VerifiableCredential", "DigitalConformityCredential")
CONFORMITY_TOPIC: Final = "https://vocabulary.uncefact.org/conformity-topics/rules-of-origin"
CURRENT_SHAPE: Final = "certificate-3"
SCHEMA_TYPE: Final = "JsonSchema"
TERMS_BY_SHAPE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "certificate-1": {
            "number": "{terms}number",
            "originCriterion": "{terms}originCriterion",
            "maskedVoen": "{terms}maskedVoen",
            "names": {"@id": "{terms}names", "@container": "@language"},
            "hs6": "{terms}hs6",
            "gtin": "https://schema.org/gtin",
            "park": "{terms}park",
            "district": "{terms}district",
        },
        "certificate-2": {
            "number": "{terms}number",
            "originCriterion": "{terms}originCriterion",
            "countryOfOrigin": "https://schema.org/countryOfOrigin",
            "voen": "{terms}voen",
            "names": {"@id": "{terms}names", "@container": "@language"},
            "hs6": "{terms}hs6",
            "gtin": "https://schema.org/gtin",
            "park": "{terms}park",
            "district": "{terms}district",
        },
        "certificate-3": {
            "number": "{terms}number",
            "originCriterion": "{terms}originCriterion",
            "countryOfOrigin": "https://schema.org/countryOfOrigin",
            "voen": "{terms}voen",
            "names": {"@id": "{terms}names", "@container": "@language"},
            "hs6": "{terms}hs6",
            "gtin": "https://schema.org/gtin",
            "park": "{terms}park",
            "containedInPlace": {"@id": "https://schema.org/containedInPlace", "@type": "@id"},
            "district": "{terms}district",
        },
    }
)
"""Own terms by shape, with their meaning; `{terms}` is the address of the context itself.

There is no `@vocab`: an undefined term must be noticed, not given a meaning.
"""
ORIGIN_CRITERIA: Mapping[str, str] = MappingProxyType(
    {
        "WO": "wholly obtained",
        "PE": "produced exclusively from originating materials",
        "CTH": "change of tariff heading",
        "RVC": "regional value content",
    }
)
"""What the codes mean, for readers who do not know the scheme; another code is certified without a definition."""
COUNTRY_METRIC_NAME: Final = "Country of origin, ISO 3166-1 alpha-2"
CRITERION_METRIC_NAME: Final = "Criterion by which the product originates"
VOEN_SCHEME_NAME: Final = "VÖEN, taxpayer register of the Republic of Azerbaijan"
TEMPLATE_MEDIA_TYPE: Final = "text/html"
_SHAPES_WITH_TEMPLATE = frozenset({"certificate-3"})
_PREFERRED_LANGUAGES = ("en", "az")  # of a name that may be in one language only


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """Everything that a certificate states.

    `base_url` has no trailing slash; both dates are inclusive days in Asia/Baku.
    """

    number: str  # in display form
    base_url: str
    issuer: str  # the DID
    issuer_name: str
    scheme_code: str
    scheme_name: str
    ruleset_version: str
    assessment_level: str  # who is responsible for the assessment, in UNTP's terms
    holder_id: UUID
    holder_name: str  # English
    holder_name_az: str  # with its legal form
    holder_voen: str | None  # of a legal person; that of a natural person is not certified
    product_id: UUID
    product_names: Mapping[str, str]  # by language
    hs6: str
    gtin: str | None
    site_id: UUID
    park_code: str | None
    district: str
    country: str  # of origin, ISO 3166-1 alpha-2
    origin_criterion: str
    valid_from: date
    valid_until: date
    status_list_id: int
    status_index: int


def context_url(base_url: str, shape: str = CURRENT_SHAPE) -> str:
    return f"{base_url}/v1/contexts/{shape}"


def schema_url(base_url: str, shape: str = CURRENT_SHAPE) -> str:
    return f"{base_url}/v1/schemas/{shape}"


def template_url(base_url: str, shape: str = CURRENT_SHAPE) -> str:
    return f"{base_url}/v1/render-templates/{shape}"


@cache
def render_template(shape: str) -> bytes | None:
    """Return the template with which a reader of UNTP shows a credential of the shape; None where it names none."""
    if shape not in _SHAPES_WITH_TEMPLATE:
        return None
    return (files("app.certificates.credential") / f"{shape}.template.html").read_bytes()


def digest_multibase(content: bytes) -> str:
    """Return the SHA-256 multihash of the bytes in base64url without padding (multibase `u`)."""
    multihash = b"\x12\x20" + hashlib.sha256(content).digest()
    return "u" + base64.urlsafe_b64encode(multihash).rstrip(b"=").decode()


def build_render_method(base_url: str) -> dict[str, Any]:
    """Build the only entry of `renderMethod`: the digest binds the template to the signature."""
    return {
        "type": ["RenderTemplate2024"],
        "name": "Certificate as a page",
        "url": template_url(base_url),
        "mediaType": TEMPLATE_MEDIA_TYPE,
        "digestMultibase": digest_multibase(render_template(CURRENT_SHAPE) or b""),
    }


def build_performances(base_url: str, country: str, criterion: str) -> list[dict[str, Any]]:
    """Build the country of origin and the criterion as performances, which every reader of UNTP understands."""
    terms = context_url(base_url)

    def metric(term: str, name: str) -> dict[str, Any]:
        return {"type": ["PerformanceMetric"], "id": f"{terms}#{term}", "name": name}

    definition = ORIGIN_CRITERIA.get(criterion)
    return [
        {
            "metric": metric("originCriterion", CRITERION_METRIC_NAME),
            "score": _without_none({"code": criterion, "definition": definition}),
        },
        {"metric": metric("countryOfOrigin", COUNTRY_METRIC_NAME), "score": {"code": country}},
    ]


def build_voen_scheme(base_url: str) -> dict[str, Any]:
    """Build the identifier scheme of `registeredId`; the register itself publishes no address for the scheme."""
    return {"type": ["IdentifierScheme"], "id": f"{context_url(base_url)}#voen", "name": VOEN_SCHEME_NAME}


def park_url(base_url: str, park_code: str | None) -> str | None:
    return None if park_code is None else f"{base_url}/v1/parks/{park_code}"


def build_context(base_url: str, shape: str) -> dict[str, Any]:
    """Build the JSON-LD context of the own terms, as served at `context_url`."""
    terms = context_url(base_url, shape) + "#"

    def expand(meaning: Any) -> Any:
        if isinstance(meaning, str):
            return meaning.replace("{terms}", terms)
        return {key: expand(value) for key, value in meaning.items()}

    own = {term: expand(meaning) for term, meaning in TERMS_BY_SHAPE[shape].items()}
    return {"@context": {"@version": 1.1, "@protected": True, **own}}


def context_urls(base_url: str) -> list[str]:
    """Return `@context` of a certificate; UNTP fixes the first two and requires strings."""
    return [W3C_CONTEXT, UNTP_CONTEXT, context_url(base_url)]


def build_credential(content: CertificateContent) -> dict[str, Any]:
    """Build the payload as JSON values. Only `lint` decides whether it may be signed."""
    c = content
    address = f"{c.base_url}/v1/certificates/{c.number}"
    return {
        "@context": context_urls(c.base_url),
        "id": address,
        "type": list(CREDENTIAL_TYPES),
        "issuer": {"type": ["CredentialIssuer"], "id": c.issuer, "name": _normalize_nfc(c.issuer_name)},
        "validFrom": day_start(c.valid_from).isoformat(),
        "validUntil": day_end(c.valid_until).isoformat(),
        "name": f"Certificate {c.number}",
        "credentialSubject": _build_attestation(c, address),
        "credentialStatus": [_build_status_entry(c, purpose) for purpose in PURPOSES],
        "credentialSchema": {"id": schema_url(c.base_url), "type": SCHEMA_TYPE},
        "renderMethod": [build_render_method(c.base_url)],
    }


def _build_attestation(c: CertificateContent, address: str) -> dict[str, Any]:
    scheme = f"{c.base_url}/v1/schemes/{c.scheme_code}"
    return {
        "type": ["ConformityAttestation"],
        "id": f"{address}#attestation",
        "name": f"Certificate {c.number}",
        "number": c.number,
        "assessorLevel": "3rdParty",
        "assessmentLevel": c.assessment_level,
        "attestationType": "certification",
        "issuedToParty": _without_none(
            {
                "type": ["Party"],
                "id": c.holder_id.urn,
                "name": _normalize_nfc(c.holder_name),
                "names": {"az": _normalize_nfc(c.holder_name_az), "en": _normalize_nfc(c.holder_name)},
                "registeredId": c.holder_voen,
                "idScheme": build_voen_scheme(c.base_url) if c.holder_voen else None,
                "voen": c.holder_voen,
            }
        ),
        "referenceScheme": {"type": ["ConformityScheme"], "id": scheme, "name": _normalize_nfc(c.scheme_name)},
        "referenceProfile": {
            "type": ["ConformityProfile"],
            "id": f"{scheme}/rulesets#{c.ruleset_version}",
            "name": f"Rules of {c.scheme_code}, {c.ruleset_version}",
            "version": c.ruleset_version,
        },
        "conformityCertificate": {
            "linkURL": f"{c.base_url}/v/{c.number}",
            "linkName": "Is this certificate good today?",
            "mediaType": "text/html",
        },
        "originCriterion": c.origin_criterion,
        "countryOfOrigin": c.country,
        "conformityAssessment": [_build_assessment(c, address)],
    }


def _build_assessment(c: CertificateContent, address: str) -> dict[str, Any]:
    """Build what was assessed, and the criterion by which the goods originate.

    Released UNTP 0.7.0 has no type for the wrappers `assessedProduct` and `assessedFacility`, nor for a performance and
    its score. The attestation repeats country and criterion as terms of our own context.
    """
    names = {language: _normalize_nfc(text) for language, text in sorted(c.product_names.items())}
    place = {"park": c.park_code, "containedInPlace": park_url(c.base_url, c.park_code)}
    district = _normalize_nfc(c.district)
    return {
        "type": ["ConformityAssessment"],
        "id": f"{address}#assessment",
        "name": "Place of production and origin of the product",
        "assessmentCriteria": [
            {
                "type": ["Criterion"],
                "id": f"{context_url(c.base_url)}#{c.origin_criterion}",
                "name": f"Origin criterion {c.origin_criterion}",
            }
        ],
        "assessmentDate": c.valid_from.isoformat(),
        "assessedPerformance": build_performances(c.base_url, c.country, c.origin_criterion),
        "assessedProduct": [
            {
                "product": _without_none(
                    {
                        "type": ["Product"],
                        "id": c.product_id.urn,
                        "name": _preferred_name(names),
                        "names": names,
                        "hs6": c.hs6,
                        "gtin": c.gtin,
                    }
                )
            }
        ],
        "assessedFacility": [
            {
                "facility": _without_none(
                    {
                        "type": ["Facility"],
                        "id": c.site_id.urn,
                        "name": ", ".join(filter(None, [c.park_code, district])),
                        **place,
                        "district": district,
                    }
                )
            }
        ],
        "conformityTopic": [{"type": ["ConformityTopic"], "id": CONFORMITY_TOPIC, "name": "Rules of Origin"}],
        "conformance": True,
    }


def _build_status_entry(content: CertificateContent, purpose: str) -> dict[str, str]:
    """Build the status entry of one purpose; the index is the same in the lists of both.

    Each purpose has a list of its own, because verifiers reject a list for several.
    """
    url = f"{content.base_url}/v1/status-lists/{list_name(content.status_list_id, purpose)}"
    return {
        "id": f"{url}#{content.status_index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(content.status_index),  # a string by the W3C text
        "statusListCredential": url,
    }


def _preferred_name(names: Mapping[str, str]) -> str:
    available = [names[language] for language in _PREFERRED_LANGUAGES if language in names]
    return next(iter(available or names.values()), "")


def _normalize_nfc(text: str) -> str:
    """Normalize to NFC, so that one spelling has one sequence of characters."""
    return unicodedata.normalize("NFC", text)


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
