"""The gate: what is refused, for which reason, and that nothing else comes out than an acceptance or Refused."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jws as other_jws
from joserfc.jwk import ECKey

from app.core.crypto import jws
from app.core.crypto.jws import PrivateKey, PublicKey, RejectionReason, TokenRejected, UnusableKey
from tests.helpers import b64, unb64

pytestmark = pytest.mark.short
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KID = "did:web:mark.example#key"


def pem_of(key, encryption=None):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption or serialization.NoEncryption()
    )


KEY = PrivateKey.from_pem(pem_of(ec.derive_private_key(0xA5A5, ec.SECP256R1())))
OTHER = PrivateKey.from_pem(pem_of(ec.derive_private_key(0xB6B6, ec.SECP256R1())))
KEYS = {KID: KEY.public}
HEADER = {"alg": "ES256", "kid": KID, "typ": "vc+jwt"}
PAYLOAD = {"name": "Ağdam", "n": 1}
TOKEN = jws.sign(PAYLOAD, typ="vc+jwt", kid=KID, key=KEY)


def signed(header, payload=b'{"n":1}', key=KEY):
    """A token with a right signature over whatever bytes are given: what the gate must see by itself."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(key._key.sign(text.encode()))}"


def resigned(token, raw_signature):
    return token.rpartition(".")[0] + "." + b64(raw_signature)


def reason(token, typ="vc+jwt"):
    with pytest.raises(TokenRejected) as caught:
        jws.verify(token, typ=typ, keys=KEYS)
    assert str(caught.value)
    return caught.value.reason


class TestSign:
    def test_round_trip(self):
        verified = jws.verify(TOKEN, typ="vc+jwt", keys=KEYS)
        assert verified.header == HEADER
        assert verified.kid == KID
        assert verified.payload == PAYLOAD

    def test_the_header_has_these_three_members_only(self):
        assert json.loads(unb64(TOKEN.split(".")[0])) == HEADER

    def test_the_signature_is_raw(self):
        assert len(unb64(TOKEN.split(".")[2])) == 64

    def test_bytes_are_signed_as_they_are(self):
        token = jws.sign(b'{ "b" : 1 }', typ="vc+jwt", kid=KID, key=KEY)
        assert unb64(token.split(".")[1]) == b'{ "b" : 1 }'

    def test_joserfc_accepts(self):
        key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": KEY.public.x, "y": KEY.public.y})
        assert json.loads(other_jws.deserialize_compact(TOKEN, key, algorithms=["ES256"]).payload) == PAYLOAD

    @pytest.mark.parametrize(
        "payload",
        [b"[]", b"1", b"", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", {"a": float("nan")}, {"a": "\ud800"}],
    )
    def test_nothing_is_signed_that_could_not_be_checked(self, payload):
        with pytest.raises(ValueError):  # noqa: PT011 (json's own and ours are both right)
            jws.sign(payload, typ="vc+jwt", kid=KID, key=KEY)

    def test_no_token_is_longer_than_verify_takes(self):
        with pytest.raises(ValueError, match="longer"):
            jws.sign({"a": "x" * 50_000}, typ="vc+jwt", kid=KID, key=KEY)

    def test_hash_names_the_content_and_not_the_signature(self):
        again = jws.sign(PAYLOAD, typ="vc+jwt", kid=KID, key=KEY)
        assert again != TOKEN
        assert (
            jws.signed_hash(again) == jws.signed_hash(TOKEN) == jws.verify(again, typ="vc+jwt", keys=KEYS).signed_hash
        )
        assert jws.signed_hash(jws.sign({"n": 2}, typ="vc+jwt", kid=KID, key=KEY)) != jws.signed_hash(TOKEN)

    def test_the_twin_signature_is_accepted(self):
        raw = unb64(TOKEN.split(".")[2])
        twin = resigned(TOKEN, raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32))
        assert twin != TOKEN
        assert jws.verify(twin, typ="vc+jwt", keys=KEYS).payload == PAYLOAD


class TestForm:
    @pytest.mark.parametrize("token", [None, 1, b"a.b.c", ["a"], {}, TOKEN.encode(), float("nan")])
    def test_only_strings(self, token):
        assert reason(token) is RejectionReason.TYPE

    def test_size(self):
        assert reason(TOKEN + "A" * 65_536) is RejectionReason.SIZE

    @pytest.mark.parametrize("char", ["é", "\ud800", "А", "．", "\u200b"])
    def test_ascii(self, char):
        assert reason(TOKEN + char) is RejectionReason.ASCII

    @pytest.mark.parametrize(
        "token", ["", ".", "a", TOKEN.rpartition(".")[0], TOKEN + ".", TOKEN + ".e30", "." + TOKEN, "...."]
    )
    def test_three_segments(self, token):
        assert reason(token) is RejectionReason.SEGMENTS

    @pytest.mark.parametrize("position", [0, 1, 2])
    @pytest.mark.parametrize("end", ["=", "==", " ", "\n", "\0", "+", "/", "%", "-_=="])
    def test_canonical_base64url(self, position, end):
        parts = TOKEN.split(".")
        parts[position] += end
        assert reason(".".join(parts)) is RejectionReason.BASE64

    def test_left_over_bits(self):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        last = alphabet.index(TOKEN[-1])
        for bits in range(1, 16):  # 64 bytes leave four bits of the last character unused
            assert reason(TOKEN[:-1] + alphabet[last ^ bits]) is RejectionReason.BASE64

    def test_plain_base64_of_the_same_bytes(self):
        token = signed(HEADER, '{"n":"ÿÿÿþþþ???>>>"}'.encode())
        plain = token.replace("-", "+").replace("_", "/")
        assert plain != token
        assert reason(plain) is RejectionReason.BASE64

    @pytest.mark.parametrize(
        "header",
        [
            b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe", b"\xef\xbb\xbf" + json.dumps(HEADER).encode(),
            json.dumps(HEADER).encode("utf-16"),
            json.dumps(HEADER).encode() + b" x",
            b'{"alg":"none",' + json.dumps(HEADER).encode()[1:],
            b'{"typ":"vc+jwt",' + json.dumps(HEADER).encode()[1:],
            {"alg": "ES256", "typ": "vc+jwt"}, {"alg": "ES256", "kid": KID}, {"typ": "vc+jwt", "kid": KID}, {},
            HEADER | {"alg": None}, HEADER | {"kid": 1}, HEADER | {"typ": ["vc+jwt"]}, HEADER | {"alg": {"a": "ES256"}},
            HEADER | {"crit": ["b64"], "b64": False}, HEADER | {"crit": []}, HEADER | {"b64": True},
            HEADER | {"cty": "vc"},
            HEADER | {"jwk": {"kty": "EC", "crv": "P-256", "x": OTHER.public.x, "y": OTHER.public.y}},
            HEADER | {"jku": "https://evil.example/jwks.json"}, HEADER | {"x5u": "https://evil.example/c"},
            HEADER | {"x5c": ["MII"]}, HEADER | {"x5t": "a"}, HEADER | {"iss": "a"}, HEADER | {"zip": "DEF"},
            HEADER | {"kid": "x" * 2000}, HEADER | {"Alg": "ES256"},
        ],
    )  # fmt: skip
    def test_header(self, header):
        assert reason(signed(header)) is RejectionReason.HEADER

    @pytest.mark.parametrize(
        "alg", ["none", "None", "", "HS256", "ES384", "ES512", "RS256", "es256", "EdDSA", "ES256K", "ES256 "]
    )
    def test_alg(self, alg):
        assert reason(signed(HEADER | {"alg": alg})) is RejectionReason.ALG

    @pytest.mark.parametrize("typ", ["JWT", "", "vc+JWT", "application/vc+jwt", "at+jwt", "vc+jwt ", "vc+sd-jwt"])
    def test_typ(self, typ):
        assert reason(signed(HEADER | {"typ": typ})) is RejectionReason.TYP

    def test_typ_is_the_one_asked_for(self):
        assert reason(TOKEN, typ="at+jwt") is RejectionReason.TYP

    @pytest.mark.parametrize(
        "kid", ["", "other", KID.upper(), KID + " ", "\ud800", "../../etc", "https://evil.example/k"]
    )
    def test_kid(self, kid):
        assert reason(signed(HEADER | {"kid": kid})) is RejectionReason.KID

    @pytest.mark.parametrize("nesting", ["[" * 500 + "]" * 500, '{"a":' * 100 + "1" + "}" * 100])
    def test_recursion_bomb_in_the_header(self, nesting):
        assert reason(signed(b'{"alg":' + nesting.encode() + b"}")) is RejectionReason.HEADER

    @pytest.mark.parametrize(
        "payload",
        [
            b"", b"null", b"[]", b'"x"', b'{"n":1', b'{"n":1}{}', b'{"n":NaN}', b'{"n":Infinity}', b'{"n":-Infinity}',
            b'{"n":1e999}', b'{"n":1,"n":1}', b'{"a":{"n":1,"n":2}}', b"\xef\xbb\xbf{}", '{"n":1}'.encode("utf-16"),
            b'{"n":"\xff"}', b"{'n':1}", b'{"n":01}', b'{"n":.5}', b'{"n":"\t"}', b"\0",
            b'{"n":' + b"9" * 5000 + b"}", b'{"n":1.' + b"9" * 5000 + b"}",
            b'{"n":' + b"[" * 20_000 + b"]" * 20_000 + b"}", b'{"n":' * 5_000 + b"1" + b"}" * 5_000, b"[" * 40_000,
        ],
    )  # fmt: skip
    def test_payload_is_strict_json_even_under_a_right_signature(self, payload):
        assert reason(signed(HEADER, payload)) is RejectionReason.PAYLOAD


class TestSignature:
    def test_other_key(self):
        assert reason(signed(HEADER, key=OTHER)) is RejectionReason.SIGNATURE

    @pytest.mark.parametrize("position", [0, 1])
    def test_other_content(self, position):
        parts = TOKEN.split(".")
        parts[position] = signed(HEADER | {"kid": KID}, b'{"n":2}').split(".")[position]
        assert reason(".".join(parts)) is RejectionReason.SIGNATURE

    @pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 70, 72, 96, 128])
    def test_length(self, length):
        assert reason(resigned(TOKEN, b"\1" * length)) is RejectionReason.SIGNATURE_FORM

    def test_der(self):
        raw = unb64(TOKEN.split(".")[2])
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        assert reason(resigned(TOKEN, der)) is RejectionReason.SIGNATURE_FORM

    @pytest.mark.parametrize("r", [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
    @pytest.mark.parametrize("s", [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
    def test_odd_numbers(self, r, s):
        assert reason(resigned(TOKEN, r.to_bytes(32) + s.to_bytes(32))) is RejectionReason.SIGNATURE

    def test_r_and_s_swapped_or_moved_by_the_order(self):
        raw = unb64(TOKEN.split(".")[2])
        assert reason(resigned(TOKEN, raw[32:] + raw[:32])) is RejectionReason.SIGNATURE
        moved = (int.from_bytes(raw[32:]) + ORDER) % 2**256
        assert reason(resigned(TOKEN, raw[:32] + moved.to_bytes(32))) is RejectionReason.SIGNATURE


class TestKeys:
    def test_only_p256(self):
        for key in (
            ec.generate_private_key(ec.SECP384R1()),
            ec.generate_private_key(ec.SECP256K1()),
            rsa.generate_private_key(65537, 2048),
        ):
            with pytest.raises(UnusableKey, match="P-256"):
                PrivateKey.from_pem(pem_of(key))

    def test_only_unencrypted_private_pem(self):
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for pem in (public, pem_of(key, serialization.BestAvailableEncryption(b"secret")), b"", b"no key"):
            with pytest.raises(UnusableKey, match="PEM"):
                PrivateKey.from_pem(pem)

    def test_public_key_from_its_coordinates(self):
        key = PublicKey.from_coordinates(KEY.public.x, KEY.public.y)
        assert jws.verify(TOKEN, typ="vc+jwt", keys={KID: key}).payload == PAYLOAD

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            (KEY.public.y, KEY.public.x),
            (KEY.public.x, OTHER.public.y),
            (KEY.public.x + "=", KEY.public.y),
            (KEY.public.x[:-2], KEY.public.y),
            (KEY.public.x, b64(b"\0" + unb64(KEY.public.y))),
            ("", ""),
            ("é", KEY.public.y),
            (b64(b"\xff" * 32), KEY.public.y),
            (b64(bytes(32)), b64(bytes(32))),
        ],
    )
    def test_coordinates_of_no_key(self, x, y):
        with pytest.raises(UnusableKey):
            PublicKey.from_coordinates(x, y)

    def test_repr_shows_no_secret(self):
        assert "0x" in repr(KEY)
        assert KEY.public.x not in repr(KEY)

    def test_the_slow_backend_is_refused(self, monkeypatch):
        monkeypatch.setattr(jws.jwk, "get_key", lambda _alg: object)
        with pytest.raises(RuntimeError, match="cryptography"):
            jws.require_cryptography_backend()


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
T = int(NOW.timestamp())
CLAIMS = {"iss": "did:web:mark.example", "aud": "mik-api", "sub": "user:1", "jti": "abc", "iat": T - 10, "exp": T + 890}


class TestAccessTokens:
    def check(self, claims, now=NOW, typ="at+jwt"):
        payload = json.dumps(claims).encode()
        token = signed({"alg": "ES256", "typ": typ, "kid": KID}, payload)
        return jws.verify_access_token(token, keys=KEYS, issuer="did:web:mark.example", audience="mik-api", now=now)

    def refusal(self, claims, **other):
        with pytest.raises(TokenRejected) as caught:
            self.check(claims, **other)
        return caught.value.reason

    def test_accepted(self):
        claims = self.check(CLAIMS | {"more": [1]})
        assert (claims.sub, claims.jti, claims.iat, claims.exp) == ("user:1", "abc", T - 10, T + 890)
        assert claims.claims["more"] == [1]

    @pytest.mark.parametrize("name", list(CLAIMS))
    def test_every_claim_is_required(self, name):
        assert self.refusal({k: v for k, v in CLAIMS.items() if k != name}) is RejectionReason.CLAIMS

    @pytest.mark.parametrize(
        "wrong",
        [
            {"iss": "did:web:other"}, {"iss": ["did:web:mark.example"]}, {"iss": None},
            {"aud": "other"}, {"aud": ["mik-api"]}, {"aud": "mik-api "}, {"aud": None},
            {"sub": ""}, {"sub": 1}, {"sub": None}, {"jti": ""}, {"jti": 7}, {"jti": []},
            {"iat": True}, {"iat": str(T)}, {"iat": T - 10.0}, {"iat": T + 31, "exp": T + 100}, {"iat": None},
            {"exp": str(T + 60)}, {"exp": T + 60.5}, {"exp": None}, {"exp": T + 891}, {"exp": T - 10}, {"exp": -1},
            {"iat": 10**300, "exp": 10**300 + 1}, {"exp": 10**300}, {"iat": -(10**300)},
            {"iat": False, "exp": True},
        ],
    )  # fmt: skip
    def test_claims(self, wrong):
        assert self.refusal(CLAIMS | wrong) is RejectionReason.CLAIMS

    @pytest.mark.parametrize("exp", [T, T - 1])
    def test_the_end_has_no_grace(self, exp):
        assert self.refusal(CLAIMS | {"iat": T - 100, "exp": exp}) is RejectionReason.EXPIRED

    def test_the_last_second(self):
        assert self.check(CLAIMS | {"exp": T + 1}).exp == T + 1

    def test_a_clock_slightly_ahead(self):
        assert self.check(CLAIMS | {"iat": T + 30, "exp": T + 100}).iat == T + 30

    def test_true_is_no_time(self):
        first_seconds = datetime.fromtimestamp(5, UTC)
        assert self.check(CLAIMS | {"iat": 1, "exp": 9}, now=first_seconds).iat == 1
        assert self.refusal(CLAIMS | {"iat": True, "exp": 9}, now=first_seconds) is RejectionReason.CLAIMS

    def test_a_certificate_is_no_access_token(self):
        assert self.refusal(CLAIMS, typ="vc+jwt") is RejectionReason.TYP
