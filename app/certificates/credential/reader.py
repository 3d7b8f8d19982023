"""Parse issued credentials of every shape, for verification with and without the database.

Shapes: `certificate-3`, `certificate-2` and `certificate-1` (see `untp_builder.py`), and before them a flat subject
with `scheme`, `holder`, `product` and `site`. An issued credential is never rewritten: every shape must stay readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.certificates import certificate_number
from app.certificates.status_list import Purpose, parse_status_entry


class CredentialUnreadable(ValueError):
    """The payload is not a credential in any shape that this service issued."""


@dataclass(frozen=True, slots=True)
class CertifiedFacts:
    """Facts of a certificate as signed; dates are days in Asia/Baku, both inclusive."""

    number: str
    issuer: str
    scheme_code: str
    scheme_name: str
    ruleset_version: str
    holder_id: str | None  # URN of the company; None in the flat shape
    holder_name: str
    holder_name_az: str | None  # None in earlier shapes
    voen: str | None  # of a legal person; masked in earlier shapes
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    park_code: str | None
    district: str
    country: str | None  # of origin; None in earlier shapes
    origin_criterion: str
    valid_from: date
    valid_until: date
    status_entries: Mapping[Purpose, tuple[str, int]]  # address of the status list and index in it


def parse_credential(payload: Mapping[str, Any]) -> CertifiedFacts:
    """Parse the payload of a credential.

    Raises `CredentialUnreadable`, and `StatusListRejected` where a status list index has a wrong format.
    """
    try:
        subject = payload["credentialSubject"]
        members = _parse_untp(subject) if "conformityAssessment" in subject else _parse_flat(subject)
        if str(certificate_number.parse_number(subject["number"])) != subject["number"]:
            raise CredentialUnreadable("its number is not a certificate number")
        return CertifiedFacts(
            number=subject["number"],
            issuer=payload["issuer"]["id"],
            origin_criterion=subject["originCriterion"],
            country=subject.get("countryOfOrigin"),
            valid_from=date.fromisoformat(payload["validFrom"][:10]),
            valid_until=date.fromisoformat(payload["validUntil"][:10]),
            status_entries=_parse_status_entries(payload["credentialStatus"]),
            **members,
        )
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise CredentialUnreadable("it is not a certificate in a known shape") from error


def _parse_untp(subject: Mapping[str, Any]) -> dict[str, Any]:
    (assessment,) = subject["conformityAssessment"]
    product, site = assessment["assessedProduct"][0]["product"], assessment["assessedFacility"][0]["facility"]
    holder = subject["issuedToParty"]
    return {
        "scheme_code": subject["referenceScheme"]["id"].rpartition("/")[2],
        "scheme_name": subject["referenceScheme"]["name"],
        "ruleset_version": subject["referenceProfile"]["version"],
        "holder_id": holder.get("id"),
        "holder_name": holder["name"],
        "holder_name_az": holder.get("names", {}).get("az"),
        "voen": holder.get("voen", holder.get("maskedVoen")),
        "product_names": dict(product["names"]),
        "hs6": product["hs6"],
        "gtin": product.get("gtin"),
        "park_code": site.get("park"),
        "district": site["district"],
    }


def _parse_flat(subject: Mapping[str, Any]) -> dict[str, Any]:
    scheme, holder, product, site = (subject[name] for name in ("scheme", "holder", "product", "site"))
    return {
        "scheme_code": scheme["code"],
        "scheme_name": scheme["name"],
        "ruleset_version": scheme["ruleset"],
        "holder_id": None,
        "holder_name": holder["name"],
        "holder_name_az": None,
        "voen": holder.get("voen"),
        "product_names": {text["@language"]: text["@value"] for text in product["name"]},
        "hs6": product["hs6"],
        "gtin": product.get("gtin"),
        "park_code": site.get("park"),
        "district": site["district"],
    }


def _parse_status_entries(entries: Any) -> dict[Purpose, tuple[str, int]]:
    found = {}
    for purpose in Purpose:
        entries_of_purpose = [entry_index for entry in entries if (entry_index := parse_status_entry(entry, purpose))]
        if len(entries_of_purpose) != 1:
            raise CredentialUnreadable(f"it names {len(entries_of_purpose)} places for {purpose}")
        found[purpose] = entries_of_purpose[0]
    return found
