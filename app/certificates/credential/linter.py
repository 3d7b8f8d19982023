"""Check a credential before signing: only the output of `lint` can be signed.

The linter does not trust the builder: it checks shape, names, addresses and dates again, and compares them with the
grant (`LintContext`). On a problem it names every place, and nothing is signed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from app.certificates.credential import untp_builder
from app.certificates.credential.json_schema import Assessment, Credential, Party
from app.certificates.status_list import LIST_LENGTH, PURPOSES, list_name
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.errors import Conflict
from app.core.messages import Message


class CredentialNotSound(Conflict):
    """The linter found problems in a payload; nothing was signed."""

    code = "credential-not-sound"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            Message("The certificate cannot be signed: %(problems)s.", problems=list(problems)),
            data={"problems": list(problems)},
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class LintContext:
    """Values with which a payload must agree.

    They are the issuer and its address, the status list index reserved in this transaction, and `not_after`: the last
    day of what the grant depends on (None: open).
    """

    issuer: str
    base_url: str
    status_list_id: int
    status_index: int
    not_after: date | None
    number_prefix: str = ""  # before the mark in the number


class LintedCredential:
    """A payload that passed `lint`, as the bytes to sign. Only `lint` creates instances."""

    __slots__ = ("issuer", "payload")

    def __init__(self, payload: bytes, issuer: str, *, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a LintedCredential comes from lint() only")
        self.payload = payload
        self.issuer = issuer


_TOKEN: Final = object()


def lint(payload: Mapping[str, Any], context: LintContext) -> LintedCredential:
    """Check everything that can be checked before signing, and freeze the payload.

    Raises `CredentialNotSound` with every problem.
    """
    try:
        checked = Credential.model_validate(payload)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise CredentialNotSound(
            tuple(f"{_json_pointer(p['loc'])} {p['msg'].removeprefix('Value error, ')}" for p in problems)
        ) from None
    if inconsistencies := tuple(_check_consistency(checked, context)):
        raise CredentialNotSound(inconsistencies)
    return LintedCredential(jws.dump_json(payload), checked.issuer.id, token=_TOKEN)


def sign_credential(signer: Signer, linted: LintedCredential) -> str:
    """Sign a linted credential as a compact `vc+jwt`.

    Raises `CredentialNotSound` where the signer's key is not the issuer's.
    """
    if not isinstance(linted, LintedCredential):
        raise TypeError("only what the linter returned is signed")
    if signer.kid.partition("#")[0] != linted.issuer:
        raise CredentialNotSound(("/issuer/id is not the owner of the signing key",))
    return signer.sign(linted.payload, typ=jws.TYP_CREDENTIAL)


def _json_pointer(location: tuple[int | str, ...]) -> str:
    return "/" + "/".join(map(str, location))


def _check_consistency(c: Credential, context: LintContext) -> Iterator[str]:
    """Yield every place where two members disagree, or where one disagrees with the context."""
    subject, base = c.credential_subject, context.base_url
    address = f"{base}/v1/certificates/{subject.number}"
    scheme = f"{base}/v1/schemes/{subject.number.partition('-')[0].removeprefix(context.number_prefix)}"
    version = subject.reference_profile.version
    for pointer, found, expected in (
        ("/@context", c.context, untp_builder.context_urls(base)),
        ("/type", c.type, list(untp_builder.CREDENTIAL_TYPES)),
        ("/credentialSubject/issuedToParty/name", subject.issued_to_party.name, subject.issued_to_party.names.en),
        ("/id", c.id, address),
        ("/issuer/id", c.issuer.id, context.issuer),
        ("/credentialSchema/id", c.credential_schema.id, untp_builder.schema_url(base)),
        ("/credentialSubject/id", subject.id, f"{address}#attestation"),
        ("/credentialSubject/referenceScheme/id", subject.reference_scheme.id, scheme),
        ("/credentialSubject/referenceProfile/id", subject.reference_profile.id, f"{scheme}/rulesets#{version}"),
        ("/credentialSubject/conformityCertificate/linkURL", subject.conformity_certificate.link_url,
         f"{base}/v/{subject.number}"),
        ("/renderMethod/0", _as_json(c.render_method[0]), untp_builder.build_render_method(base)),
    ):  # fmt: skip
        if found != expected:
            yield f"{pointer} is not {expected}"
    yield from _holder_problems(subject.issued_to_party, base)
    yield from _assessment_problems(subject.conformity_assessment[0], c, address, base)
    yield from _date_problems(c, context)
    yield from _status_problems(c, context)


def _holder_problems(holder: Party, base: str) -> Iterator[str]:
    """Yield where the registered identifier is not the VÖEN, or names another register."""
    place = "/credentialSubject/issuedToParty"
    scheme = None if holder.voen is None else untp_builder.build_voen_scheme(base)
    if holder.registered_id != holder.voen:
        yield f"{place}/registeredId is not its VÖEN"
    if (_as_json(holder.id_scheme) if holder.id_scheme else None) != scheme:
        yield f"{place}/idScheme is not {scheme}"


def _as_json(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, exclude_none=True)


def _assessment_problems(assessment: Assessment, c: Credential, address: str, base: str) -> Iterator[str]:
    place, origin = "/credentialSubject/conformityAssessment/0", c.credential_subject.origin_criterion
    performances = untp_builder.build_performances(base, c.credential_subject.country_of_origin, origin)
    product, facility = assessment.assessed_product[0].product, assessment.assessed_facility[0].facility
    if origin == "NONE":
        yield "/credentialSubject/originCriterion says that the product does not originate"
    for pointer, found, expected in (
        ("/id", assessment.id, f"{address}#assessment"),
        (
            "/assessmentCriteria/0/id",
            assessment.assessment_criteria[0].id,
            f"{untp_builder.context_url(base)}#{origin}",
        ),
        ("/assessedPerformance", [_as_json(each) for each in assessment.assessed_performance], performances),
        (
            "/assessedFacility/0/facility/containedInPlace",
            facility.contained_in_place,
            untp_builder.park_url(base, facility.park),
        ),
        ("/conformityTopic/0/id", assessment.conformity_topic[0].id, untp_builder.CONFORMITY_TOPIC),
        ("/assessmentDate", assessment.assessment_date, c.valid_from[:10]),
    ):
        if found != expected:
            yield f"{place}{pointer} is not {expected}"
    if product.name not in product.names.values():
        yield f"{place}/assessedProduct/0/product/name is none of its names"
    if facility.name != ", ".join(filter(None, [facility.park, facility.district])):
        yield f"{place}/assessedFacility/0/facility/name is not its park and district"


def _date_problems(c: Credential, context: LintContext) -> Iterator[str]:
    if not c.valid_from.endswith("T00:00:00+04:00"):
        yield "/validFrom is not the beginning of a day in Baku"
    if not c.valid_until.endswith("T23:59:59+04:00"):
        yield "/validUntil is not the end of a day in Baku"
    if c.valid_until <= c.valid_from:  # one format and one offset: text order is time order
        yield "/validUntil is before validFrom"
    if context.not_after is not None and date.fromisoformat(c.valid_until[:10]) > context.not_after:
        yield f"/validUntil is after {context.not_after}, when what the grant rests on ends"


def _status_problems(c: Credential, context: LintContext) -> Iterator[str]:
    if not 0 <= context.status_index < LIST_LENGTH:
        yield f"/credentialStatus: the reserved place {context.status_index} is outside the list"
    for place, (entry, purpose) in enumerate(zip(c.credential_status, PURPOSES, strict=True)):
        url = f"{context.base_url}/v1/status-lists/{list_name(context.status_list_id, purpose)}"
        for member, found, expected in (
            ("statusPurpose", entry.status_purpose, purpose),
            ("statusListCredential", entry.status_list_credential, url),
            ("statusListIndex", entry.status_list_index, str(context.status_index)),
            ("id", entry.id, f"{url}#{context.status_index}"),
        ):
            if found != expected:
                yield f"/credentialStatus/{place}/{member} is not {expected}, which was reserved"
