"""A certification authority for the tests, with what can be wrong in its work, and a time-stamp server."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from app.documents.pdf.signing_certificate import PdfSigningIdentity, _key_usage

NOW = datetime.now(UTC)  # readers of PDF look at the real clock
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


class Authority:
    def __init__(self, name="Test authority"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.certify(self.key, name, ca=True, own_name=name)

    def certify(self, key, name, *, ca=False, own_name=None, begin=-10, end=900, usage=None, extended=None):
        """A certificate over a key; `begin` and `end` are days from now."""
        issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, own_name)]) if own_name else self.certificate.subject
        )
        built = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=begin))
            .not_valid_after(NOW + timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        usage = {"key_cert_sign": True, "crl_sign": True} if ca else usage
        if usage is not None:
            built = built.add_extension(_key_usage(**usage), critical=True)
        if extended:
            built = built.add_extension(x509.ExtendedKeyUsage([extended]), critical=True)
        return built.sign(self.key, hashes.SHA256())

    def organisation(self, *, also=()):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certify(key, "Test organisation", usage={"content_commitment": True})
        return PdfSigningIdentity(key, (certificate, self.certificate, *also))


def pem(*things):
    """Keys and certificates as one text."""
    return b"".join(
        each.public_bytes(PEM)
        if isinstance(each, x509.Certificate)
        else each.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for each in things
    )


@contextmanager
def time_stamp_server(authority):
    """Address of an RFC 3161 server on this machine; None of its answers is right if `authority` is None."""
    if authority is not None:
        key = rsa.generate_private_key(65_537, 2_048)
        certificate = authority.certify(
            key, "Test time stamps", usage={"digital_signature": True}, extended=ExtendedKeyUsageOID.TIME_STAMPING
        )
        secret = key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        stamper = DummyTimeStamper(
            asn1_x509.Certificate.load(certificate.public_bytes(DER)), asn1_keys.PrivateKeyInfo.load(secret)
        )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            said = stamper.request_tsa_response(tsp.TimeStampReq.load(asked)).dump() if authority else b"no"
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
