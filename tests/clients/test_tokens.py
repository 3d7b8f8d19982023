"""Tokens of certificates and of QR codes, verified offline as the service's own verification does."""

import base64
import io
import json
import shutil
from datetime import timedelta

import pytest
import zxingcpp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from PIL import Image

from made_in_karabakh import StatusUnknown, TokenRejected, TokenVerifier
from made_in_karabakh.tokens import UnknownKey
from tests.factories import ok, running_app

pytestmark = pytest.mark.pg_sampled


class Reader:
    """Somebody with the keys of the issuer, who fetched the status lists."""

    def __init__(self, app, number):
        self.app, self.number = app, number
        self.issuer = ok(app.http.get("/.well-known/did.json"))["id"]
        self.keys = ok(app.http.get("/.well-known/jwks.json"))
        self.token = app.token(number)
        self.lists = {}
        self.fetch()

    def fetch(self):
        for entry in payload_of(self.token)["credentialStatus"]:
            url = entry["statusListCredential"]
            self.lists[url] = self.app.http.get(url).text

    def stamp(self):
        """The token in the QR code."""
        picture = self.app.http.get(f"/v1/certificates/{self.number}/qr.png").content
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        return code.text.partition("#")[2]

    def verifier(self, **changed):
        return TokenVerifier(
            **({"issuer": self.issuer, "jwks": self.keys, "find_status_list": self.lists.get} | changed)
        )

    def verdict(self, token=None, **later):
        return self.verifier().certificate(token or self.token, self.app.clock() + timedelta(**later)).verdict


def payload_of(token):
    return json.loads(decoded(token.split(".")[1]))


def decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture
def reader(app):
    return Reader(app, app.certify())


@pytest.fixture(scope="module")
def shared_reader(sqlite_template, tmp_path_factory):
    """For tests that change nothing."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(sqlite_template, folder / "mik.sqlite3")
    with running_app(f"sqlite:///{folder / 'mik.sqlite3'}", folder) as app:
        yield Reader(app, app.certify())


def test_what_it_says_is_what_the_service_says(reader):
    certificate = reader.verifier().certificate(reader.token, reader.app.clock())
    assert (certificate.number, certificate.verdict) == (reader.number, "valid")
    assert reader.app.verify(reader.number)["verdict"] == "valid"
    assert certificate.as_of <= reader.app.clock()


@pytest.mark.parametrize("change", ["suspend", "revoke"])
def test_a_changed_status_is_seen_with_new_lists_only(reader, change):
    if change == "revoke":
        reader.app.revoke(reader.number, "mark-on-uncertified-goods")
    else:
        reader.app.change_status(reader.number, "suspend", {"cause": "hearing", "note": "Heard."})
    assert reader.verdict() == "valid"
    reader.fetch()
    assert reader.verdict() == {"revoke": "revoked", "suspend": "suspended"}[change]


def test_days_before_and_after_the_term_are_not_in_it(reader):
    certificate = reader.verifier().certificate(reader.token, reader.app.clock())
    assert reader.verdict(seconds=-60) in {"valid", "not_yet_valid"}
    later = certificate.valid_until - reader.app.clock() + timedelta(seconds=1)
    with pytest.raises(StatusUnknown, match="not of today"):  # the lists are older than the term is long
        reader.verdict(seconds=later.total_seconds())


def test_without_a_list_that_can_be_relied_on_there_is_no_verdict(reader):
    now = reader.app.clock()
    with pytest.raises(StatusUnknown):
        TokenVerifier(reader.issuer, reader.keys).certificate(reader.token, now)
    revocation, suspension = (entry["statusListCredential"] for entry in payload_of(reader.token)["credentialStatus"])
    for lists in (
        {revocation: reader.lists[suspension], suspension: reader.lists[suspension]},  # the one for the other
        {revocation: reader.token, suspension: reader.lists[suspension]},
        {revocation: tampered(reader.lists[revocation], 1), suspension: reader.lists[suspension]},
        {revocation: "", suspension: reader.lists[suspension]},
        {suspension: reader.lists[suspension]},
    ):
        with pytest.raises(StatusUnknown):
            reader.verifier(find_status_list=lists.get).certificate(reader.token, now)
    for days in (5, -1):
        with pytest.raises(StatusUnknown, match="clock"):
            reader.verdict(days=days)


def tampered(token, part):
    parts = token.split(".")
    raw = bytearray(decoded(parts[part]))
    raw[len(raw) // 2] ^= 1
    parts[part] = encoded(bytes(raw))
    return ".".join(parts)


def with_header(token, **changed):
    head, rest = token.split(".", 1)
    return encoded(json.dumps(json.loads(decoded(head)) | changed).encode()) + "." + rest


@pytest.mark.parametrize(
    "forge",
    [
        lambda token, _: tampered(token, 1),
        lambda token, _: tampered(token, 2),
        lambda token, _: with_header(token, alg="none"),
        lambda token, _: with_header(token, alg="HS256"),
        lambda token, _: with_header(token, typ="stamp+jwt"),
        lambda token, _: with_header(token, crit=["b64"]),
        lambda token, keys: with_header(token, jwk=keys["keys"][0]),
        lambda token, _: with_header(token),  # the same members, in other bytes
        lambda token, _: token + "=",
        lambda token, _: token.rpartition(".")[0] + ".",
        lambda token, _: token.rpartition(".")[0],
        lambda _token, _: "",
        lambda _token, _: "..",
        lambda _token, _: "a.b.c",
        lambda token, _: token + "é",
        lambda _token, _: "x" * 70_000,
    ],
)
def test_a_changed_token_is_refused(shared_reader, forge):
    with pytest.raises(TokenRejected):
        shared_reader.verifier().certificate(forge(shared_reader.token, shared_reader.keys), shared_reader.app.clock())


@pytest.mark.parametrize(
    ("header", "is_read"),
    [({}, True), ({"crit": ["b64"]}, False), ({"jku": "https://elsewhere.example"}, False), ({"alg": "ES384"}, False)],
)
def test_a_header_has_its_three_members_whoever_signed_it(header, is_read):
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    x, y = (encoded(each.to_bytes(32)) for each in (numbers.x, numbers.y))
    jwks = {"keys": [{"kid": "did:web:x.example#12345678", "crv": "P-256", "x": x, "y": y}]}
    head = {"alg": "ES256", "typ": "stamp+jwt", "kid": "12345678"} | header
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(b'{}')}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"
    verifier = TokenVerifier("did:web:x.example", jwks)
    if is_read:
        assert verifier.stamp(token).payload == {}
    else:
        with pytest.raises(TokenRejected, match="kind"):
            verifier.stamp(token)


def test_another_issuer_is_not_believed(reader):
    with pytest.raises(UnknownKey):
        reader.verifier(issuer="did:web:other.example").certificate(reader.token, reader.app.clock())
    with pytest.raises(UnknownKey):
        reader.verifier(jwks={"keys": []}).certificate(reader.token, reader.app.clock())


def test_a_status_list_is_no_certificate(reader):
    with pytest.raises(TokenRejected, match="not a certificate"):
        reader.verdict(next(iter(reader.lists.values())))


def test_the_token_of_a_qr_code(reader):
    stamp = reader.stamp()
    assert reader.verifier().stamp(stamp).payload["n"] == reader.number
    with pytest.raises(TokenRejected):
        reader.verifier().stamp(tampered(stamp, 1))
    with pytest.raises(TokenRejected):
        reader.verdict(stamp)
    with pytest.raises(TokenRejected):
        reader.verifier().stamp(reader.token)
