"""Requests go to the address that was checked, by the name's own certificate."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.webhooks import sender
from app.webhooks.addresses import AddressRules
from app.webhooks.sender import WebhookSender, find_url_error
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.no_coverage
HOST = "erp.numune.example"
INNER = AddressRules(inner_allowed=True)


def resolving(*addresses):
    async def resolve(_host, _port):
        if not addresses:
            raise OSError("no such name")
        return addresses

    return resolve


def send(url, rules=INNER, *, addresses=("127.0.0.1",), trust=None):
    client = WebhookSender(rules, resolve=resolving(*addresses), trust=trust)
    return asyncio.run(client.send(url, {"webhook-id": "evt_1"}, "{}"))


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """Contexts of a server that has a certificate for `HOST`, and of a client that trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def test_the_name_is_sent_and_its_certificate_checked(tls):
    server, trust = tls
    with receiving(tls=server) as receiver:
        port = receiver.url.rpartition(":")[2]
        assert send(f"https://{HOST}:{port}", trust=trust).status == 204
        assert receiver.received[0].headers["host"] == f"{HOST}:{port.partition('/')[0]}"
        assert send(f"https://other.numune.example:{port}", trust=trust).error == "tls_failed"
        assert send(f"https://{HOST}:{port}").error == "tls_failed"  # nobody else vouches for it
        assert len(receiver.received) == 1


def test_the_next_address_is_tried_where_nothing_listens():
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        assert send(f"http://{HOST}:{port}", addresses=("127.0.0.2", "127.0.0.1")).status == 204
        assert send(f"http://{HOST}:{port}", addresses=("127.0.0.2", "127.0.0.3")).error == "connection_failed"


@pytest.mark.parametrize(
    ("url", "addresses", "error"),
    [
        (f"https://{HOST}/", ("127.0.0.1",), "inner_address"),
        (f"https://{HOST}/", ("1.1.1.1", "10.0.0.1"), "inner_address"),
        (f"https://{HOST}/", ("::ffff:1.1.1.1",), "inner_address"),
        (f"https://{HOST}/", (), "name_not_found"),
        ("https://127.0.0.1/", ("1.1.1.1",), "url_refused"),
        (f"http://{HOST}/", ("1.1.1.1",), "url_refused"),
    ],
)
def test_no_connection_is_made_to_what_is_refused(url, addresses, error):
    with patch.object(WebhookSender, "_post", side_effect=AssertionError):
        assert send(url, AddressRules(), addresses=addresses).error == error


def test_what_is_checked_is_what_is_connected_to():
    """The name is asked for once for a request; the connection goes to the answer that was checked."""
    asked, connected = [], []

    async def resolve(host, _port):
        asked.append(host)
        return ["2606:4700:4700::1111"]

    async def post(_self, _target, address, _headers, _body):
        connected.append(address)
        return 204, ""

    client = WebhookSender(AddressRules(), resolve=resolve)
    with patch.object(WebhookSender, "_post", post):
        assert asyncio.run(client.send(f"https://{HOST}/", {}, "{}")).status == 204
    assert asked == [HOST]
    assert connected == [ip_address("2606:4700:4700::1111")]


def test_a_slow_name_server_is_not_waited_for():
    async def resolve(_host, _port):
        await asyncio.sleep(5)

    with patch.object(sender, "_RESOLVE_S", 0.05), patch.object(sender, "TIMEOUT_S", 0.05):
        error = asyncio.run(find_url_error(f"https://{HOST}/", AddressRules(), resolve))
        assert "no address" in error.message
        client = WebhookSender(AddressRules(), resolve=resolve)
        assert asyncio.run(client.send(f"https://{HOST}/", {}, "{}")).error == "timeout"


def test_headers_without_end_are_cut_off():
    def flood(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                handler.wfile.write(b"X-Pad: " + b"x" * 8_000 + b"\r\n")
        except OSError:
            pass

    def drip(handler):
        try:
            for letter in b"HTTP/1.1 200 OK\r\nX-Pad: " + b"x" * 1_000:
                handler.wfile.write(bytes([letter]))
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            pass

    with receiving(flood) as receiver:
        assert send(receiver.url).error == "protocol_error"
        receiver.behaviour = drip
        with patch.object(sender, "TIMEOUT_S", 0.3):
            assert send(receiver.url).error == "timeout"
