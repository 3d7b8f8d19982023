"""Verify WebAuthn registrations and assertions for the address of this service (W3C Web Authentication, level 3).

A registration and an assertion each answer one challenge. Here it is the SHA-256 of a document, so that what was
signed can be shown, and nothing has to be stored between the two requests.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.core import strict_json
from app.core.canonical_json import digest
from app.core.messages import Message, to_message

MAX_TEXT = 8_192
"""Characters of an assertion in its header; a usual one has 700."""
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
NAME = "Made in Karabakh"


class WebAuthnRejected(ValueError):
    """A registration or an assertion does not fit; `reason` says why."""

    @property
    def reason(self) -> Message:
        return to_message(self.args[0])


MALFORMED = Message("it is malformed.")


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a registration gives."""

    credential_id: str
    public_key: str
    sign_count: int


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The service as authenticators know it: `id` is the host of its address, `origin` the address without a path."""

    id: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> "RelyingParty":
        parts = urlsplit(base_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")

    @classmethod
    def stated_in(cls, assertion: Mapping[str, Any]) -> "RelyingParty":
        """Return the service that an assertion was made for, as it says itself. Raises `WebAuthnRejected`."""
        try:
            client_data = strict_json.loads(base64url_to_bytes(assertion["response"]["clientDataJSON"]))
            return cls.of(client_data["origin"])
        except (ValueError, TypeError, KeyError, AttributeError) as why:
            raise WebAuthnRejected(MALFORMED) from why

    def registration_options(
        self, challenge: bytes, user_id: bytes, account: str, known: list[str], *, discoverable: bool = False
    ) -> dict[str, Any]:
        """Return the options for `navigator.credentials.create`. `known`: credential ids that the person has.

        `discoverable`: the authenticator finds the key by the address of the service alone.
        """
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=NAME,
            user_id=user_id,
            user_name=account,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED if discoverable else ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known],
            supported_pub_key_algs=ALGORITHMS,
        )
        plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
        return plain

    def sign_in_options(self, challenge: bytes) -> dict[str, Any]:
        """Return the options for `navigator.credentials.get`, with which the authenticator finds a key by itself."""
        options = webauthn.generate_authentication_options(
            rp_id=self.id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
        return plain

    def verify_registration(self, registration: Mapping[str, Any], challenge: bytes) -> NewCredential:
        """Return the key of a registration. Raises `WebAuthnRejected`."""
        try:
            _refuse_foreign_frame(registration)
            found = webauthn.verify_registration_response(
                credential=dict(registration),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
                supported_pub_key_algs=ALGORITHMS,
            )
        except WebAuthnRejected:
            raise
        except Exception as why:  # the library raises many kinds for malformed content
            raise WebAuthnRejected(_reason(why)) from why
        return NewCredential(
            bytes_to_base64url(found.credential_id), bytes_to_base64url(found.credential_public_key), found.sign_count
        )

    def verify_assertion(
        self, assertion: Mapping[str, Any], challenge: bytes, *, public_key: str, sign_count: int
    ) -> int:
        """Verify an assertion by this key over this challenge, and return its counter. Raises `WebAuthnRejected`."""
        try:
            _refuse_foreign_frame(assertion)
            verified = webauthn.verify_authentication_response(
                credential=dict(assertion),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=base64url_to_bytes(public_key),
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        except WebAuthnRejected:
            raise
        except Exception as why:  # the library raises many kinds for malformed content
            raise WebAuthnRejected(_reason(why)) from why
        return verified.new_sign_count


def challenge_of(document: Mapping[str, Any]) -> bytes:
    """Return the 32 bytes that confirm a document: the SHA-256 of its canonical JSON."""
    return bytes.fromhex(digest(document))


def encode_assertion(assertion: Mapping[str, Any]) -> str:
    """Return the text of the header `Mik-Confirmation`: base64url of the JSON."""
    return bytes_to_base64url(json.dumps(assertion, separators=(",", ":")).encode())


def decode_assertion(text: str) -> dict[str, Any]:
    """Return the assertion in the text of a header. Raises `WebAuthnRejected`."""
    if len(text) > MAX_TEXT:
        raise WebAuthnRejected(MALFORMED)
    try:
        padded = text + "=" * (-len(text) % 4)
        found = strict_json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as why:
        raise WebAuthnRejected(Message("it is not the base64url of a JSON text.")) from why
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise WebAuthnRejected(Message("it names no credential."))
    return found


def _refuse_foreign_frame(response: Mapping[str, Any]) -> None:
    """Refuse what was asked for inside a page of somebody else; the library does not look."""
    client_data = strict_json.loads(base64url_to_bytes(response["response"]["clientDataJSON"]))
    if client_data.get("crossOrigin") not in {None, False} or "topOrigin" in client_data:
        raise WebAuthnRejected(Message("it was made inside a page of another address."))


def _reason(why: Exception) -> str:
    """Return the reason of the library, in its words, or that the content is malformed."""
    return f"{why}." if isinstance(why, WebAuthnException) else MALFORMED
