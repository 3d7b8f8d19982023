"""The certificate as a W3C Verifiable Credential 2.0: built, linted, and signed only when linted.

The payload is the credential itself, without a `vc` claim (VC-JOSE-COSE §3.1.1). Its `@context` is the W3C v2 context
alone: the terms of the subject are plain JSON members until the service publishes a context of its own.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from stdnum import ean

from app import jws
from app.certificates import number as numbers
from app.errors import Conflict
from app.keys import Signer

BAKU: Final = timezone(timedelta(hours=4), "+04:00")  # Azerbaijan keeps no summer time
CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
STATUS_LIST_ENTRIES: Final = 131_072  # smallest list of Bitstring Status List v1.0 §3.4; an index lies below it
_INVISIBLE_BUT_NEEDED = "\u200c\u200d"  # joiners, without which Persian is spelt wrong


class CredentialNotSound(Conflict):
    """The linter refused a payload; `problems` names each place and what is wrong there. Nothing was signed."""

    code = "credential-not-sound"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "The certificate cannot be signed: " + "; ".join(problems) + ".", data={"problems": list(problems)}
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """All that a certificate says. `base_url` has no slash at its end; both dates are inclusive days in Asia/Baku."""

    number: str  # in display form
    base_url: str
    issuer: str  # the DID
    issuer_name: str
    scheme_code: str
    scheme_name: str
    ruleset_version: str
    holder_name: str
    holder_voen: str  # in full; only its masked form is certified
    product_names: Mapping[str, str]  # by language
    hs6: str
    gtin: str | None
    park_code: str | None
    district: str
    origin_criterion: str
    valid_from: date
    valid_until: date
    status_list_id: int
    status_index: int


def first_second(day: date) -> datetime:
    """The moment a day begins in Asia/Baku."""
    return datetime.combine(day, time.min, BAKU)


def last_second(day: date) -> datetime:
    """The last whole second of a day in Asia/Baku."""
    return datetime.combine(day, time(23, 59, 59), BAKU)


def mask_voen(voen: str) -> str | None:
    """First and last three digits; None for a natural person (10th digit 2) and for what is no VÖEN."""
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[9] == "2":
        return None
    return f"{voen[:3]}****{voen[-3:]}"


def build(content: CertificateContent) -> dict[str, Any]:
    """The payload to sign, as JSON values. It promises nothing: `lint` decides whether it may be signed."""
    c = content
    return {
        "@context": [CONTEXT],
        "id": f"{c.base_url}/v1/certificates/{c.number}",
        "type": ["VerifiableCredential"],
        "issuer": {"id": c.issuer, "name": c.issuer_name},
        "validFrom": first_second(c.valid_from).isoformat(),
        "validUntil": last_second(c.valid_until).isoformat(),
        "credentialSubject": {
            "number": c.number,
            "scheme": {"code": c.scheme_code, "name": c.scheme_name, "ruleset": c.ruleset_version},
            "holder": _present({"name": c.holder_name, "voen": mask_voen(c.holder_voen)}),
            "product": _present(
                {
                    # VCDM 2.0 §11.1: text in several languages is a list of language value objects.
                    "name": [{"@value": text, "@language": lang} for lang, text in sorted(c.product_names.items())],
                    "hs6": c.hs6,
                    "gtin": c.gtin,
                }
            ),
            "site": _present({"park": c.park_code, "district": c.district}),
            "originCriterion": c.origin_criterion,
        },
        "credentialStatus": [_status_entry(c, purpose) for purpose in ("revocation", "suspension")],
    }


def _status_entry(content: CertificateContent, purpose: str) -> dict[str, str]:
    """One list per purpose, because verifiers refuse a list for several; the index is the same in both."""
    url = f"{content.base_url}/v1/status-lists/{purpose}-{content.status_list_id}"
    return {
        "id": f"{url}#{content.status_index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(content.status_index),  # a string in the W3C text, whatever others ask for
        "statusListCredential": url,
    }


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


class LintedCredential:
    """A payload that passed `lint`, as the very bytes to sign. Only `lint` makes one."""

    __slots__ = ("issuer", "payload")

    def __init__(self, payload: bytes, issuer: str, *, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a LintedCredential comes from lint() only")
        self.payload = payload
        self.issuer = issuer


_SEAL: Final = object()


def lint(payload: Mapping[str, Any]) -> LintedCredential:
    """Check all that can be known before signing and freeze the payload. Raises CredentialNotSound."""
    try:
        checked = _Credential.model_validate(payload)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise CredentialNotSound(
            tuple(f"/{'/'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        ) from None
    return LintedCredential(jws.dump_json(payload), checked.issuer.id, seal=_SEAL)


def sign_credential(signer: Signer, linted: LintedCredential) -> str:
    """The certificate as a compact `vc+jwt`. Raises CredentialNotSound where the signer's key is not the issuer's."""
    if not isinstance(linted, LintedCredential):
        raise TypeError("only what the linter returned is signed")
    if signer.kid.partition("#")[0] != linted.issuer:
        raise CredentialNotSound(("/issuer/id: is not the owner of the signing key",))
    return signer.sign(linted.payload, typ=jws.CREDENTIAL)


def _clean(text: str) -> str:
    """Refuse what could make a name look like another: controls, bidi and other invisible characters, stray blanks."""
    if text != text.strip():
        raise ValueError("begins or ends with a blank")
    for character in text:
        # Cc controls, Cf format and bidi, Cs surrogates, Co private, Cn unassigned, Zl and Zp line ends
        category = unicodedata.category(character)
        if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and character not in _INVISIBLE_BUT_NEEDED:
            raise ValueError(f"holds the character U+{ord(character):04X}, which is not shown")
    return text


def _canonical_number(text: str) -> str:
    if str(numbers.parse(text)) != text:
        raise ValueError("is not a certificate number in its display form")
    return text


def _gtin(text: str) -> str:
    if not (text.isascii() and text.isdigit() and ean.is_valid(text)):
        raise ValueError("is not a GTIN")
    return text


def _moment(text: str) -> str:
    """XSD dateTimeStamp to the second; a date that does not exist is refused."""
    datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    return text


Name = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_clean)]
Code = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean)]
Url = Annotated[str, Field(max_length=500, pattern=r"^https?://[!-~]+$")]


class _Shape(BaseModel):
    """Exactly these members of exactly these types: nothing unknown is signed, and nothing is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, regex_engine="python-re")


class _Issuer(_Shape):
    id: Annotated[str, Field(max_length=300, pattern=r"^did:web:[A-Za-z0-9.%:_-]+\Z")]
    name: Name


class _Scheme(_Shape):
    code: Annotated[str, Field(pattern=r"^[A-Z]{3,8}\Z")]
    name: Name
    ruleset: Code


class _Holder(_Shape):
    name: Name
    voen: Annotated[str, Field(pattern=r"^[0-9]{3}\*{4}[0-9]{3}\Z")] | None = None


class _Text(_Shape):
    value: Name = Field(alias="@value")
    language: Annotated[str, Field(alias="@language", pattern=r"^[a-z]{2,3}\Z")]


class _Product(_Shape):
    name: Annotated[list[_Text], Field(min_length=1, max_length=20)]
    hs6: Annotated[str, Field(pattern=r"^[0-9]{6}\Z")]
    gtin: Annotated[str, AfterValidator(_gtin)] | None = None


class _Site(_Shape):
    park: Code | None = None
    district: Name


class _Subject(_Shape):
    number: Annotated[str, Field(max_length=64), AfterValidator(_canonical_number)]
    scheme: _Scheme
    holder: _Holder
    product: _Product
    site: _Site
    originCriterion: Code  # noqa: N815 (a name on the wire)


class _Status(_Shape):
    id: Url
    type: Literal["BitstringStatusListEntry"]
    statusPurpose: Literal["revocation", "suspension"]  # noqa: N815 (a name on the wire)
    statusListIndex: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,5})\Z")]  # noqa: N815 (a name on the wire)
    statusListCredential: Url  # noqa: N815 (a name on the wire)


class _Credential(_Shape):
    context: Annotated[list[str], Field(alias="@context", min_length=1, max_length=1)]
    id: Url
    type: Annotated[list[str], Field(min_length=1, max_length=1)]
    issuer: _Issuer
    validFrom: Annotated[str, AfterValidator(_moment)]  # noqa: N815 (a name on the wire)
    validUntil: Annotated[str, AfterValidator(_moment)]  # noqa: N815 (a name on the wire)
    credentialSubject: _Subject  # noqa: N815 (a name on the wire)
    credentialStatus: Annotated[list[_Status], Field(min_length=2, max_length=2)]  # noqa: N815 (a name on the wire)

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        subject = self.credentialSubject
        for wrong, problem in (
            (self.context != [CONTEXT], "@context is not the W3C v2 context"),
            (self.type != ["VerifiableCredential"], "type is not VerifiableCredential"),
            (not self.id.endswith(f"/v1/certificates/{subject.number}"), "id does not end in the number"),
            (subject.scheme.code != subject.number.partition("-")[0], "the mark is not that of the number"),
            (not re.search(r"T00:00:00\+04:00\Z", self.validFrom), "validFrom is not the beginning of a day in Baku"),
            (not re.search(r"T23:59:59\+04:00\Z", self.validUntil), "validUntil is not the end of a day in Baku"),
            (self.validUntil <= self.validFrom, "validUntil is before validFrom"),
            (len({t.language for t in subject.product.name}) != len(subject.product.name), "a language appears twice"),
        ):
            if wrong:
                raise ValueError(problem)
        base_url = self.id.removesuffix(f"/v1/certificates/{subject.number}")
        for entry, purpose in zip(self.credentialStatus, ("revocation", "suspension"), strict=True):
            _check_status(entry, purpose, base_url)
        return self


def _check_status(entry: _Status, purpose: str, base_url: str) -> None:
    lists = re.escape(f"{base_url}/v1/status-lists/{purpose}-")
    if entry.statusPurpose != purpose or not re.fullmatch(rf"{lists}[0-9]+", entry.statusListCredential):
        raise ValueError(f"the entry for {purpose} does not name our list for it")
    if int(entry.statusListIndex) >= STATUS_LIST_ENTRIES:
        raise ValueError(f"the status index {entry.statusListIndex} is outside the list")
    if entry.id != f"{entry.statusListCredential}#{entry.statusListIndex}":
        raise ValueError("a status entry's id does not match its list and index")
