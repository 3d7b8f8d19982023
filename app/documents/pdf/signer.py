"""Sign PDF files with PAdES (ETSI EN 319 142-1), using pyHanko.

Baseline B-B; B-LT with a time stamp and embedded validation data when a time-stamp server is set. It is a certification
signature: any later change of the file invalidates it.
"""

import io
from collections.abc import Sequence

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from app.documents.pdf.signing_certificate import PdfSigningIdentity, PdfSigningUnavailable

SIGNATURE_FIELD = "Signature"
_TIMESTAMP_SECONDS = 10


def sign_pdf(pdf: bytes, identity: PdfSigningIdentity, *, timestamp_url: str = "") -> bytes:
    """Sign a PDF file and verify the signature as a reader would.

    With `timestamp_url` this uses the network: the time-stamp server and revocation lists. Raises
    `PdfSigningUnavailable`.
    """
    own, *others = [_to_asn1(certificate) for certificate in identity.certificates]
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its constructor has no types
    store.register_multiple(others)
    signer = signers.SimpleSigner(signing_cert=own, signing_key=_private_key_info(identity), cert_registry=store)
    metadata = signers.PdfSignatureMetadata(
        field_name=SIGNATURE_FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        embed_validation_info=bool(timestamp_url),
        validation_context=_validation_context(own, others, allow_fetching=True) if timestamp_url else None,
    )
    timestamper = HTTPTimeStamper(timestamp_url, timeout=_TIMESTAMP_SECONDS) if timestamp_url else None
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signed: bytes = signers.PdfSigner(metadata, signer, timestamper=timestamper).sign_pdf(writer).getvalue()
        _require_valid_signature(signed, _validation_context(own, others))
    except Exception as error:  # pyHanko, its validator and its HTTP client have no common base error
        raise PdfSigningUnavailable("The PDF file cannot be signed at the moment. Try again later.") from error
    return signed


def _require_valid_signature(signed: bytes, context: ValidationContext) -> None:
    """Verify the new signature before the file is returned."""
    (embedded,) = PdfFileReader(io.BytesIO(signed)).embedded_regular_signatures
    status = validate_pdf_signature(embedded, signer_validation_context=context, skip_diff=True)
    covered = status.coverage in {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION}
    if not (status.intact and status.valid and covered):
        raise PdfSigningUnavailable("The signature just made does not verify; no PDF file was made.")


def _validation_context(
    own: asn1_x509.Certificate, others: Sequence[asn1_x509.Certificate], *, allow_fetching: bool = False
) -> ValidationContext:
    """Trust the roots of the signer's own certificate file; readers of the file use their own."""
    roots = [certificate for certificate in (own, *others) if certificate.self_issued] or list(others[-1:])
    return ValidationContext(
        trust_roots=roots, other_certs=list(others), allow_fetching=allow_fetching, revocation_mode="soft-fail"
    )


def _to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _private_key_info(identity: PdfSigningIdentity) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(
        identity.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
