"""Define the members of a credential: types for the linter and the published JSON Schema.

Exactly these members of exactly these types: nothing unknown is signed and nothing is converted. `linter.py` checks
what depends on more than one member.
"""

import copy
import json
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from stdnum import ean

from app.certificates import certificate_number
from app.certificates.credential.untp_builder import CURRENT_SHAPE, schema_url
from app.core.text import confusables
from app.schemes.ruleset import AssessmentLevel


def _require_clean_text(text: str) -> str:
    if problem := confusables.name_error(text):
        raise ValueError(problem)
    return text


def _require_canonical_number(text: str) -> str:
    if str(certificate_number.parse_number(text)) != text:
        raise ValueError("is not a certificate number in its display form")
    return text


def _require_gtin(text: str) -> str:
    if not ean.is_valid(text):
        raise ValueError("is not a GTIN")
    return text


def _require_real_datetime(text: str) -> str:
    """Check that the date exists; the pattern was checked before."""
    datetime.fromisoformat(text)
    return text


def _require_real_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _require_true(conforms: bool) -> bool:
    if not conforms:
        raise ValueError("is not true: only what conforms is certified")
    return conforms


# `$` is the very end of the text: pydantic uses the regular expressions of Rust, JSON Schema those of ECMA.
Name = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_require_clean_text)]
Code = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_require_clean_text)]
Url = Annotated[str, Field(max_length=500, pattern=r"^https?://[!-~]+$")]
Urn = Annotated[str, Field(pattern=r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
DateTimeText = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+04:00$"),
    AfterValidator(_require_real_datetime),
]
HolderName = Annotated[
    str, Field(min_length=1, max_length=320), AfterValidator(_require_clean_text)
]  # with its legal form
DateText = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_require_real_date)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
OriginCriterionCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,15}$")]
LegalVoen = Annotated[str, Field(pattern=r"^[0-9]{9}1$")]
SINGLE_ITEM = Field(min_length=1, max_length=1)


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class Issuer(_Shape):
    type: Annotated[list[Literal["CredentialIssuer"]], SINGLE_ITEM]
    id: Annotated[str, Field(max_length=300, pattern=r"^did:web:[A-Za-z0-9.%:_-]+$")]
    name: Name


class IdentifierScheme(_Shape):
    type: Annotated[list[Literal["IdentifierScheme"]], SINGLE_ITEM]
    id: Url
    name: Name


class HolderNames(_Shape):
    az: HolderName
    en: Name


class Party(_Shape):
    type: Annotated[list[Literal["Party"]], SINGLE_ITEM]
    id: Urn
    name: Name
    names: HolderNames
    registered_id: LegalVoen | None = None
    id_scheme: IdentifierScheme | None = None
    voen: LegalVoen | None = None


class Scheme(_Shape):
    type: Annotated[list[Literal["ConformityScheme"]], SINGLE_ITEM]
    id: Url
    name: Name


class Profile(_Shape):
    type: Annotated[list[Literal["ConformityProfile"]], SINGLE_ITEM]
    id: Url
    name: Name
    version: Code


class Link(_Shape):
    link_url: Annotated[Url, Field(alias="linkURL")]
    link_name: Name
    media_type: Literal["text/html"]


class Criterion(_Shape):
    type: Annotated[list[Literal["Criterion"]], SINGLE_ITEM]
    id: Url
    name: Name


class Metric(_Shape):
    type: Annotated[list[Literal["PerformanceMetric"]], SINGLE_ITEM]
    id: Url
    name: Name


class Score(_Shape):
    code: OriginCriterionCode
    definition: Name | None = None


class Performance(_Shape):
    metric: Metric
    score: Score


class Product(_Shape):
    type: Annotated[list[Literal["Product"]], SINGLE_ITEM]
    id: Urn
    name: Name
    names: Annotated[dict[Language, Name], Field(min_length=1, max_length=20)]
    hs6: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    gtin: Annotated[str, Field(pattern=r"^[0-9]{8,14}$"), AfterValidator(_require_gtin)] | None = None


class AssessedProduct(_Shape):
    product: Product


class Facility(_Shape):
    type: Annotated[list[Literal["Facility"]], SINGLE_ITEM]
    id: Urn
    name: Name
    park: Code | None = None
    contained_in_place: Url | None = None
    district: Name


class AssessedFacility(_Shape):
    facility: Facility


class Topic(_Shape):
    type: Annotated[list[Literal["ConformityTopic"]], SINGLE_ITEM]
    id: Url
    name: Name


class Assessment(_Shape):
    type: Annotated[list[Literal["ConformityAssessment"]], SINGLE_ITEM]
    id: Url
    name: Name
    assessment_criteria: Annotated[list[Criterion], SINGLE_ITEM]
    assessment_date: DateText
    assessed_performance: Annotated[list[Performance], Field(min_length=2, max_length=2)]
    assessed_product: Annotated[list[AssessedProduct], SINGLE_ITEM]
    assessed_facility: Annotated[list[AssessedFacility], SINGLE_ITEM]
    conformity_topic: Annotated[list[Topic], SINGLE_ITEM]
    conformance: Annotated[bool, Field(json_schema_extra={"const": True}), AfterValidator(_require_true)]


class Attestation(_Shape):
    type: Annotated[list[Literal["ConformityAttestation"]], SINGLE_ITEM]
    id: Url
    name: Name
    number: Annotated[str, Field(max_length=64), AfterValidator(_require_canonical_number)]
    assessor_level: Literal["3rdParty"]
    assessment_level: AssessmentLevel
    attestation_type: Literal["certification"]
    issued_to_party: Party
    reference_scheme: Scheme
    reference_profile: Profile
    conformity_certificate: Link
    origin_criterion: OriginCriterionCode
    country_of_origin: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    conformity_assessment: Annotated[list[Assessment], SINGLE_ITEM]


class Status(_Shape):
    id: Url
    type: Literal["BitstringStatusListEntry"]
    status_purpose: Literal["revocation", "suspension"]
    status_list_index: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,5})$")]
    status_list_credential: Url


class Schema(_Shape):
    id: Url
    type: Literal["JsonSchema"]


class RenderMethod(_Shape):
    type: Annotated[list[Literal["RenderTemplate2024"]], SINGLE_ITEM]
    name: Name
    url: Url
    media_type: Literal["text/html"]
    digest_multibase: Annotated[str, Field(pattern=r"^u[A-Za-z0-9_-]{46}$")]


class Credential(_Shape):
    # This docstring is the description in the published JSON Schema, whose bytes never change under one name.
    """A certificate as UNTP 0.7.0 Digital Conformity Credential, with the terms of our own context."""

    context: Annotated[list[Url], Field(alias="@context", min_length=3, max_length=3)]
    id: Url
    type: Annotated[list[Literal["VerifiableCredential", "DigitalConformityCredential"]], Field(max_length=2)]
    issuer: Issuer
    valid_from: DateTimeText
    valid_until: DateTimeText
    name: Name
    credential_subject: Attestation
    credential_status: Annotated[list[Status], Field(min_length=2, max_length=2)]
    credential_schema: Schema
    render_method: Annotated[list[RenderMethod], SINGLE_ITEM]


@cache
def _schema_of_shape(shape: str) -> dict[str, Any]:
    """Return the schema: of the current shape from its model, of an earlier one as published."""
    if shape == CURRENT_SHAPE:
        return Credential.model_json_schema(by_alias=True)
    published: dict[str, Any] = json.loads(
        (files("app.certificates.credential") / f"{shape}.schema.json").read_text("utf-8")
    )
    return published


def build_json_schema(base_url: str, shape: str = CURRENT_SHAPE) -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of certificates, as served at `schema_url`."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_url(base_url, shape)}
    return head | copy.deepcopy(_schema_of_shape(shape))
