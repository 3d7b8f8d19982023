"""The gate before the key: a payload is signed only as the output of `lint`, and `lint` refuses whatever is not sound.

It does not trust the builder: shape, names, addresses and dates are asked again, and held against what the grant rests
on (`Grounds`). A refusal names every place; nothing is signed, and nothing that led here is lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from app.certificates.credential import untp_builder
from app.certificates.credential.json_schema import Assessment, Credential
from app.certificates.status_list import LIST_LENGTH, PURPOSES, list_name
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.errors import Conflict
from app.core.messages import Message


class CredentialNotSound(Conflict):
    """The linter refused a payload; `problems` names each place and what is wrong there. Nothing was signed."""

    code = "credential-not-sound"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            Message("The certificate cannot be signed: %(problems)s.", problems=list(problems)),
            data={"problems": list(problems)},
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class LintContext:
    """What a payload must agree with: who signs, and from where; the status place reserved in this transaction; the
    first day on which something that the grant rests on is over is the day after `not_after` (None: open)."""

    issuer: str
    base_url: str
    status_list_id: int
    status_index: int
    not_after: date | None


class LintedCredential:
    """A payload that passed `lint`, as the very bytes to sign. Only `lint` makes one."""

    __slots__ = ("issuer", "payload")

    def __init__(self, payload: bytes, issuer: str, *, seal: object) -> None:
        if seal is not _TOKEN:
            raise TypeError("a LintedCredential comes from lint() only")
        self.payload = payload
        self.issuer = issuer


_TOKEN: Final = object()


def lint(payload: Mapping[str, Any], grounds: LintContext) -> LintedCredential:
    """Check all that can be known before signing and freeze the payload. Raises CredentialNotSound."""
    try:
        checked = Credential.model_validate(payload)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise CredentialNotSound(
            tuple(f"{_json_pointer(p['loc'])} {p['msg'].removeprefix('Value error, ')}" for p in problems)
        ) from None
    if wrong := tuple(_check_consistency(checked, grounds)):
        raise CredentialNotSound(wrong)
    return LintedCredential(jws.dump_json(payload), checked.issuer.id, seal=_TOKEN)


def sign_credential(signer: Signer, linted: LintedCredential) -> str:
    """The certificate as a compact `vc+jwt`. Raises CredentialNotSound where the signer's key is not the issuer's."""
    if not isinstance(linted, LintedCredential):
        raise TypeError("only what the linter returned is signed")
    if signer.kid.partition("#")[0] != linted.issuer:
        raise CredentialNotSound(("/issuer/id is not the owner of the signing key",))
    return signer.sign(linted.payload, typ=jws.TYP_CREDENTIAL)


def _json_pointer(location: tuple[int | str, ...]) -> str:
    return "/" + "/".join(map(str, location))


def _check_consistency(c: Credential, grounds: LintContext) -> Iterator[str]:
    """Every place where two members disagree, or where one disagrees with the grounds."""
    subject, base = c.credential_subject, grounds.base_url
    address = f"{base}/v1/certificates/{subject.number}"
    scheme = f"{base}/v1/schemes/{subject.number.partition('-')[0]}"
    version = subject.reference_profile.version
    for pointer, found, expected in (
        ("/@context", c.context, untp_builder.context_urls(base)),
        ("/type", c.type, list(untp_builder.CREDENTIAL_TYPES)),
        ("/credentialSubject/issuedToParty/name", subject.issued_to_party.name, subject.issued_to_party.names.en),
        ("/id", c.id, address),
        ("/issuer/id", c.issuer.id, grounds.issuer),
        ("/credentialSchema/id", c.credential_schema.id, untp_builder.schema_url(base)),
        ("/credentialSubject/id", subject.id, f"{address}#attestation"),
        ("/credentialSubject/referenceScheme/id", subject.reference_scheme.id, scheme),
        ("/credentialSubject/referenceProfile/id", subject.reference_profile.id, f"{scheme}/rulesets#{version}"),
        ("/credentialSubject/conformityCertificate/linkURL", subject.conformity_certificate.link_url,
         f"{base}/v/{subject.number}"),
    ):  # fmt: skip
        if found != expected:
            yield f"{pointer} is not {expected}"
    yield from _assessment_problems(subject.conformity_assessment[0], c, address, base)
    yield from _date_problems(c, grounds)
    yield from _status_problems(c, grounds)


def _assessment_problems(each: Assessment, c: Credential, address: str, base: str) -> Iterator[str]:
    place, origin = "/credentialSubject/conformityAssessment/0", c.credential_subject.origin_criterion
    product, facility = each.assessed_product[0].product, each.assessed_facility[0].facility
    if origin == "NONE":
        yield "/credentialSubject/originCriterion says that the product does not originate"
    for pointer, found, expected in (
        ("/id", each.id, f"{address}#assessment"),
        ("/assessmentCriteria/0/id", each.assessment_criteria[0].id, f"{untp_builder.context_url(base)}#{origin}"),
        ("/assessedPerformance/0/score/code", each.assessed_performance[0].score.code, origin),
        ("/conformityTopic/0/id", each.conformity_topic[0].id, untp_builder.CONFORMITY_TOPIC),
        ("/assessmentDate", each.assessment_date, c.valid_from[:10]),
    ):
        if found != expected:
            yield f"{place}{pointer} is not {expected}"
    if product.name not in product.names.values():
        yield f"{place}/assessedProduct/0/product/name is none of its names"
    if facility.name != ", ".join(filter(None, [facility.park, facility.district])):
        yield f"{place}/assessedFacility/0/facility/name is not its park and district"


def _date_problems(c: Credential, grounds: LintContext) -> Iterator[str]:
    if not c.valid_from.endswith("T00:00:00+04:00"):
        yield "/validFrom is not the beginning of a day in Baku"
    if not c.valid_until.endswith("T23:59:59+04:00"):
        yield "/validUntil is not the end of a day in Baku"
    if c.valid_until <= c.valid_from:  # one form and one offset: as text they sort like moments
        yield "/validUntil is before validFrom"
    if grounds.not_after is not None and date.fromisoformat(c.valid_until[:10]) > grounds.not_after:
        yield f"/validUntil is after {grounds.not_after}, when what the grant rests on ends"


def _status_problems(c: Credential, grounds: LintContext) -> Iterator[str]:
    if not 0 <= grounds.status_index < LIST_LENGTH:
        yield f"/credentialStatus: the reserved place {grounds.status_index} is outside the list"
    for place, (entry, purpose) in enumerate(zip(c.credential_status, PURPOSES, strict=True)):
        url = f"{grounds.base_url}/v1/status-lists/{list_name(grounds.status_list_id, purpose)}"
        for member, found, expected in (
            ("statusPurpose", entry.status_purpose, purpose),
            ("statusListCredential", entry.status_list_credential, url),
            ("statusListIndex", entry.status_list_index, str(grounds.status_index)),
            ("id", entry.id, f"{url}#{grounds.status_index}"),
        ):
            if found != expected:
                yield f"/credentialStatus/{place}/{member} is not {expected}, which was reserved"
