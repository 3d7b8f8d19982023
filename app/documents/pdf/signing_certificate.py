"""Load the key and the X.509 certificates that sign PDF files.

In production both come from a certification authority that PDF readers trust. The demo creates its own authority once
and deletes that authority's key after it signed one certificate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from app.core.crypto import pem_files
from app.core.errors import Unavailable, UnsafeToStart
from app.core.messages import Message
from app.core.settings import Profile, Settings

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
MIN_RSA_BITS: Final = 2048
DEMO_VALIDITY_YEARS: Final = 10
DEMO_FILE: Final = "papers-demo.pem"
_MAX_CHAIN_BYTES: Final = 262_144
_DEMO_NAME: Final = "Demo of the certification service – not a real organisation"


class UnusablePdfKey(UnsafeToStart):
    """The key and the certificates cannot sign PDF files; the message names the file."""

    code = "unusable-paper-key"


class PdfSigningUnavailable(Unavailable):
    """PDF files cannot be signed now. Codes, labels and verifications are not affected."""

    code = "papers-cannot-be-signed"


@dataclass(frozen=True, slots=True, repr=False)
class PdfSigningIdentity:
    """Key with its certificates, the signer's own first.

    Its issuers follow, and the root of the time-stamp server if one is used.
    """

    key: PrivateKey
    certificates: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def require_valid(self, now: datetime) -> None:
        """Check the certificate's term, which may end while the service runs.

        Raises `PdfSigningUnavailable` outside the term.
        """
        if reason := _validity_error(self.certificate, now):
            raise PdfSigningUnavailable(
                Message("PDF files cannot be signed at the moment: the certificate of the signer %(why)s.", why=reason)
            )


def load_identity(key_file: Path, certificates_file: Path, now: datetime) -> PdfSigningIdentity:
    """Load a key (PEM, not encrypted, mode 600) and certificates (PEM, the signer's own first).

    Raises `UnusablePdfKey`.
    """
    try:
        secret = pem_files.read_private_file(key_file)
    except FileNotFoundError:
        raise UnusablePdfKey(
            f"There is no key for signing PDF files at {key_file}: put it there, or unset MIK_PAPER_KEY"
        ) from None
    except pem_files.UnsafeKeyFile as error:
        raise UnusablePdfKey(error.message) from error
    try:
        public = certificates_file.read_bytes()[:_MAX_CHAIN_BYTES]
    except OSError as error:
        raise UnusablePdfKey(
            f"The certificates for signing PDF files at {certificates_file} cannot be read ({error.strerror}): correct "
            "MIK_PAPER_CERTIFICATES"
        ) from error
    return _build_identity(secret, public, f"{key_file} and {certificates_file}", now)


def identity_from_settings(settings: Settings, now: datetime) -> PdfSigningIdentity | None:
    """Load the identity that signs PDF files; None where production has none configured.

    Raises `UnusablePdfKey`.
    """
    if settings.paper_key and settings.paper_certificates:
        return load_identity(Path(settings.paper_key), Path(settings.paper_certificates), now)
    if settings.paper_key or settings.paper_certificates:
        raise UnusablePdfKey("MIK_PAPER_KEY and MIK_PAPER_CERTIFICATES go together: set both, or none")
    if settings.profile is Profile.DEMO:
        return load_or_create_demo(settings.keys_dir / DEMO_FILE, now)
    return None


def load_or_create_demo(path: Path, now: datetime) -> PdfSigningIdentity:
    """Load the demo's identity; create it on first use.

    Key and certificates are in one file, so that workers that start at once load the same pair.
    """
    try:
        content = pem_files.read_private_file(path)
    except FileNotFoundError:
        pem_files.write_private(path, _create_demo_pem(now))
        content = pem_files.read_private_file(path)
    return _build_identity(content, content, str(path), now)


def _build_identity(secret: bytes, public: bytes, where: str, now: datetime) -> PdfSigningIdentity:
    try:
        key = serialization.load_pem_private_key(secret, password=None)
        certificates = tuple(x509.load_pem_x509_certificates(public))
    except (ValueError, TypeError) as error:
        raise UnusablePdfKey(
            f"{where} do not contain an unencrypted private key and certificates in PEM form"
        ) from error
    if not isinstance(key, PrivateKey) or (isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS):
        raise UnusablePdfKey(f"The key of {where} must be EC, or RSA of at least {MIN_RSA_BITS} bits")
    identity = PdfSigningIdentity(key, certificates)
    for problem in _find_problems(identity, now):
        raise UnusablePdfKey(f"{where} cannot sign PDF files: the certificate {problem}")
    return identity


def _find_problems(identity: PdfSigningIdentity, now: datetime) -> Iterable[str]:
    own = identity.certificate
    if _public_key_info(own.public_key()) != _public_key_info(identity.key.public_key()):
        yield "belongs to another key: use the pair as the authority gave it, with the signer's certificate first"
    if reason := _validity_error(own, now):
        yield f"{reason}: ask your authority for a new one"
    if not _can_sign(own):
        yield "does not allow signatures (key usage): ask your authority for one for signing documents"
    if not _is_signed_by_one_of(own, identity.certificates):
        yield "is not followed by that of its issuer: append the certificates of the authority to the file"


def _validity_error(certificate: x509.Certificate, now: datetime) -> Message | None:
    if now > certificate.not_valid_after_utc:
        return Message("expired on %(day)s", day=f"{certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        return Message("is valid only from %(day)s on", day=f"{certificate.not_valid_before_utc:%Y-%m-%d}")
    return None


def _can_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True  # RFC 5280 §4.2.1.3: not restricted
    return usage.digital_signature or usage.content_commitment


def _is_signed_by_one_of(own: x509.Certificate, issuers: Sequence[x509.Certificate]) -> bool:
    """Check whether one of `issuers` signed the certificate; a self-signed one counts."""
    for issuer in issuers:
        try:
            own.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _public_key_info(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _create_demo_pem(now: datetime) -> bytes:
    authority_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, own = _x509_name("Demo authority"), _x509_name("Demo signer of papers")
    begin, end = now - timedelta(days=1), now + timedelta(days=365 * DEMO_VALIDITY_YEARS)

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )

    authority = (
        certificate(root, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    signer = (
        certificate(own, own_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True, content_commitment=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + signer.public_bytes(pem) + authority.public_bytes(pem)


def _x509_name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, _DEMO_NAME), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _key_usage(**allowed: bool) -> x509.KeyUsage:
    nothing = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return x509.KeyUsage(**(nothing | allowed))
