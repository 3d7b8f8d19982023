"""Signed papers: other people's programs accept them, and see every change."""

import io
import subprocess
from contextlib import suppress

import pypdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pypdf.annotations import FreeText

from app.documents.pdf import signer
from app.documents.pdf.signer import _to_asn1
from app.documents.pdf.signing_certificate import PdfSigningUnavailable
from tests.documents.authority import Authority, pem, time_stamp_server
from tests.documents.factories import pdf_of
from tests.readers import tool


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def signed(authority):
    return signer.sign_pdf(pdf_of(third="ru"), authority.organisation())


def judged(pdf, authority):
    """What pyHanko says to somebody who trusts this authority."""
    trust = ValidationContext(trust_roots=[_to_asn1(authority.certificate)], revocation_mode="soft-fail")
    (embedded,) = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
    return validate_pdf_signature(embedded, signer_validation_context=trust, ts_validation_context=trust)


def test_pyhanko_accepts_it(signed, authority):
    status = judged(signed, authority)
    assert status.bottom_line and status.trusted
    assert status.docmdp_ok and status.coverage.name == "ENTIRE_FILE"
    (embedded,) = PdfFileReader(io.BytesIO(signed)).embedded_regular_signatures
    assert embedded.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert embedded.docmdp_level is MDPPerm.NO_CHANGES
    assert not judged(signed, Authority("Somebody else")).trusted


@pytest.fixture(scope="module")
def trusting(authority, tmp_path_factory):
    """A certificate store in which this authority is trusted."""
    folder = tmp_path_factory.mktemp("nss")
    (folder / "ca.pem").write_bytes(pem(authority.certificate))
    certutil, store = tool("certutil"), f"sql:{folder}"
    subprocess.run([certutil, "-N", "-d", store, "--empty-password"], check=True)
    command = [certutil, "-A", "-d", store, "-n", "test", "-t", "CT,C,C", "-i", folder / "ca.pem"]
    subprocess.run(command, check=True)
    return folder


def pdfsig(pdf, store):
    (store / "signed.pdf").write_bytes(pdf)
    command = [tool("pdfsig"), "-nssdir", f"sql:{store}", store / "signed.pdf"]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout


def test_pdfsig_accepts_it(signed, trusting):
    said = pdfsig(signed, trusting)
    assert "Signature is Valid." in said
    assert "Certificate is Trusted." in said
    assert "Total document signed" in said


def test_a_changed_byte_is_seen(signed, authority, trusting):
    changed = bytearray(signed)
    changed[len(signed) // 3] ^= 1
    assert not judged(bytes(changed), authority).intact
    assert "Signature is Valid." not in pdfsig(bytes(changed), trusting)


def test_an_addition_is_seen(signed, authority, trusting):
    writer = pypdf.PdfWriter(io.BytesIO(signed), incremental=True)
    writer.add_annotation(0, FreeText(text="valid for ever", rect=(50, 50, 200, 100)))
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(signed)
    with suppress(SignatureValidationError):  # pyHanko refuses, or judges against it
        assert not judged(out.getvalue(), authority).bottom_line
    assert "Not total document signed" in pdfsig(out.getvalue(), trusting)


def test_the_credential_survives_the_signature(signed):
    assert pypdf.PdfReader(io.BytesIO(signed)).attachments == {"MIK-2026-000042-Y.jwt": [b"a.b.c"]}


def test_with_a_time_stamp_server_the_proof_is_inside(authority):
    stamps = Authority("Authority of time stamps")
    with time_stamp_server(stamps) as url:
        pdf = signer.sign_pdf(pdf_of(), authority.organisation(also=[stamps.certificate]), timestamp_url=url)
    trust = [_to_asn1(each.certificate) for each in (authority, stamps)]
    context = ValidationContext(trust_roots=trust, revocation_mode="soft-fail")
    reader = PdfFileReader(io.BytesIO(pdf))
    (embedded,) = reader.embedded_regular_signatures
    status = validate_pdf_signature(embedded, signer_validation_context=context, ts_validation_context=context)
    assert status.bottom_line and status.timestamp_validity.trusted
    assert len(reader.root["/DSS"]["/Certs"]) >= 3  # PAdES B-LT


@pytest.mark.parametrize("answers", [False, True], ids=["nobody there", "nonsense"])
def test_without_its_time_stamp_no_paper_is_made(authority, answers):
    organisation = authority.organisation()
    with time_stamp_server(None) as url:
        if answers:
            with pytest.raises(PdfSigningUnavailable):
                signer.sign_pdf(pdf_of(), organisation, timestamp_url=url)
    if not answers:
        with pytest.raises(PdfSigningUnavailable):
            signer.sign_pdf(pdf_of(), organisation, timestamp_url=url)


def test_what_does_not_verify_is_not_handed_out(authority, monkeypatch):
    other = authority.organisation()
    monkeypatch.setattr(signer, "_private_key_info", lambda _: real(other))
    with pytest.raises(PdfSigningUnavailable):
        signer.sign_pdf(pdf_of(), authority.organisation())


real = signer._private_key_info


def test_what_is_no_pdf(authority):
    with pytest.raises(PdfSigningUnavailable):
        signer.sign_pdf(b"no pdf", authority.organisation())
