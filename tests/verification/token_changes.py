"""Ways to change a token: text, header, payload, signature. Each takes a source of chance and a token."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.helpers import b64, unb64
from tests.verification.factories import content_of, record_of, ring_of, signer_of, token_of

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

SIGNER, ATTACKER = signer_of(0xC0FFEE), signer_of(0xBAD)
RING = ring_of(SIGNER)
TOKENS = {}
ROWS = {}
for serial, name in (("000042-Y", "Nümunə-Boru MMC"), ("000043-W", "Sample Works"), ("000044-U", "Örnək QSC")):
    CONTENT = content_of(f"MIK-2026-{serial}", holder_name=name)
    TOKENS[CONTENT.number] = token_of(SIGNER, CONTENT)
    ROWS[CONTENT.number] = record_of(CONTENT, TOKENS[CONTENT.number], SIGNER)


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def sign_as(key, header, payload):
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(key._key._key.sign(text.encode()))}"


class Token:
    def __init__(self, text):
        self.text = text
        self.parts = text.split(".")
        self.header, self.payload, self.signature = (unb64(part) for part in self.parts)

    def with_part(self, index, part):
        return ".".join([*self.parts[:index], part, *self.parts[index + 1 :]])

    def with_header(self, header):
        return self.with_part(0, b64(header if isinstance(header, bytes) else dump(header)))


def flip_character(rng, token):
    place = rng.randrange(len(token.text))
    return token.text[:place] + chr(ord(token.text[place]) ^ (1 << rng.randrange(7))) + token.text[place + 1 :]


def flip_bit(rng, token):
    index = rng.randrange(3)
    raw = bytearray(unb64(token.parts[index]))
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return token.with_part(index, b64(bytes(raw)))


def drop_or_double(rng, token):
    start = rng.randrange(len(token.text))
    end = start + rng.randrange(1, 40)
    return token.text[:start] + rng.choice(["", token.text[start:end] * 2]) + token.text[end:]


def truncate(rng, token):
    return token.text[: rng.randrange(len(token.text))]


def swap_segments(rng, token):
    parts = list(token.parts)
    rng.shuffle(parts)
    return ".".join(parts)


def segment_of_another(rng, token):
    index = rng.randrange(3)
    other = rng.choice([t for t in TOKENS.values() if t != token.text]).split(".")
    if index == 0:  # headers are alike: take header and payload together
        return ".".join([*other[:2], token.parts[2]])
    return token.with_part(index, other[index])


def more_or_fewer_segments(rng, token):
    return rng.choice([
        "." + token.text, token.text + ".", token.text + "." + token.parts[2], ".".join(token.parts[:2]),
        token.parts[0],
        "..".join(token.parts), token.text + "..", "." * rng.randrange(20), "{}".join(token.parts),
    ])  # fmt: skip


def pad(rng, token):
    index = rng.randrange(3)
    return token.with_part(index, token.parts[index] + "=" * rng.randrange(1, 5))


def pad_signature(rng, token):
    return token.text + rng.choice(["=", "==", "===", "\n", " ", "\0", "A", "%3D"])


def last_bits(rng, token):
    last = ALPHABET.index(token.text[-1])
    return token.text[:-1] + ALPHABET[last ^ rng.randrange(1, 16)]


def plain_base64(rng, token):
    index = rng.randrange(3)
    return token.with_part(index, base64.b64encode(unb64(token.parts[index])).decode())


def reencoded_signature(rng, token):
    encode = rng.choice([bytes.hex, base64.b32encode, base64.b85encode, base64.b64encode])
    encoded = encode(token.signature)
    return token.with_part(2, encoded if isinstance(encoded, str) else encoded.decode())


def der_signature(rng, token):
    r, s = int.from_bytes(token.signature[:32]), int.from_bytes(token.signature[32:])
    der = encode_dss_signature(r, rng.choice([s, ORDER - s]))
    return token.with_part(2, b64(der))


def odd_signature(rng, token):
    edge = [bytes(32), (1).to_bytes(32), ORDER.to_bytes(32), (ORDER - 1).to_bytes(32), b"\xff" * 32]
    r, s = token.signature[:32], token.signature[32:]
    return token.with_part(2, b64(rng.choice([
        rng.choice(edge) + rng.choice(edge), r + rng.choice(edge), rng.choice(edge) + s, s + r, r + r,
        token.signature[: rng.randrange(64)], token.signature + rng.randbytes(rng.randrange(1, 70)), b"",
        rng.randbytes(64),
        b"\0" + r + b"\0" + s, (ORDER - int.from_bytes(r)).to_bytes(32) + s,
    ])))  # fmt: skip


def member_added(rng, token):
    jwk = {"kty": "EC", "crv": "P-256", "x": ATTACKER.public.x, "y": ATTACKER.public.y}
    name, value = rng.choice([
        ("crit", ["b64"]), ("crit", []), ("crit", ["exp"]), ("b64", False), ("b64", True), ("jwk", jwk),
        ("x5c", ["MII"]),
        ("jku", "https://evil.example/jwks"), ("x5u", "https://evil.example/c"), ("x5t", "AA"), ("cty", "vc"),
        ("zip", "DEF"),
        ("iss", "did:web:evil.example"), ("exp", 1), ("", ""), ("ALG", "ES256"),
        (f"x{rng.randrange(999)}", rng.random()),
    ])  # fmt: skip
    return dump(json.loads(token.header) | {name: value})


def member_changed(rng, token):
    name, value = rng.choice([
        ("alg", "none"), ("alg", "None"), ("alg", "HS256"), ("alg", "ES384"), ("alg", "RS256"), ("alg", ""),
        ("alg", None),
        ("alg", ["ES256"]), ("alg", "es256"), ("typ", "JWT"), ("typ", "at+jwt"), ("typ", ""), ("typ", None),
        ("typ", "VC+JWT"),
        ("typ", "application/vc+jwt"), ("kid", ATTACKER.kid), ("kid", ""), ("kid", None), ("kid", 0),
        ("kid", SIGNER.kid + " "),
        ("kid", SIGNER.kid.partition("#")[2]), ("kid", "../" + SIGNER.kid), ("kid", "\ud800"),
        ("kid", {"a": SIGNER.kid}),
    ])  # fmt: skip
    header = json.loads(token.header) | {name: value}
    return json.dumps(header).encode()


def member_missing(rng, token):
    header = json.loads(token.header)
    del header[rng.choice(list(header))]
    return dump(header)


def header_not_strict(rng, token):
    body = token.header
    return rng.choice([
        b"\xef\xbb\xbf" + body, body.decode().encode("utf-16"),
        body[:-1] + b',"alg":"ES256"}', b'{"alg":"none",' + body[1:],
        body[:-1] + b',"kid":"' + SIGNER.kid.encode() + b'"}', body[:-1] + b',"n":NaN}', body[:-1] + b',"n":1e999}',
        body + b"{}", b"[" + body + b"]", body[:-1], b"", b"null", b"1", b'"ES256"', b"\xff" + body,
        body.replace(b'"', b"'"),
        b'{"alg":' * rng.randrange(1, 90), b"[" * rng.randrange(1, 700),
        body[:-1] + b',"n":' + b"9" * 500 + b"}", b"\0" + body,
    ])  # fmt: skip


def payload_not_strict(rng, token):
    body = token.payload
    return rng.choice([
        b"\xef\xbb\xbf" + body, body[:-1] + b',"id":"x"}', body[:-1] + b',"n":NaN}',
        body[:-1] + b',"n":-Infinity}', body + b"x",
        body[:-1] + b',"n":1e400}', body[:-1], b"", b"[]", b"null", b"[" * 20_000, b'{"a":' * 5_000, body + b"\0",
        body[:-1] + b',"n":' + b"9" * 5_000 + b"}", body.replace("ü".encode(), b"\xfc") + b"\xff",
        body.decode().encode("utf-16"),
    ])  # fmt: skip


def content_changed(rng, token):
    payload = json.loads(token.payload)
    name, value = rng.choice([
        ("validUntil", "2099-12-31T23:59:59+04:00"), ("validFrom", "2000-01-01T00:00:00+04:00"), ("vc", {}),
        ("exp", 4e9),
        ("issuer", {"id": "did:web:evil.example"}), ("credentialStatus", []), ("x", rng.random()),
    ])  # fmt: skip
    return dump(payload | {name: value})


def oversized(rng, token):
    return rng.choice([token.text + "A" * 70_000, "A" * 66_000, token.with_part(1, token.parts[1] * 40), "." * 70_000])


def not_ascii(rng, token):
    place = rng.randrange(len(token.text) + 1)
    odd = rng.choice(["é", "\u200b", "\u202e", "\ud800", "🙂", "Ａ", "\u2024", "а", "\x80", "\uff0e"])
    return token.text[:place] + odd + token.text[place + rng.randrange(2) :]


def controls(rng, token):
    place = rng.randrange(len(token.text) + 1)
    return token.text[:place] + rng.choice(["\0", "\n", "\r\n", "\t", " ", "\x7f", "\x1b[0m"]) + token.text[place:]


def wrapped(rng, token):
    t = token.text
    return rng.choice(
        [
            f'"{t}"',
            f"Bearer {t}",
            f"{t}\n",
            f" {t}",
            f"{{{t}}}",
            t.lower(),
            t.upper(),
            t[::-1],
            t + t,
            t + "~",
            t.replace(".", "%2E"),
        ]
    )


def noise(rng, _token):
    if rng.random() < 0.5:
        return ".".join(b64(rng.randbytes(rng.randrange(80))) for _ in range(3))
    return "".join(chr(rng.randrange(0x20, 0x3000)) for _ in range(rng.randrange(200)))


def twin(_rng, token):
    return token.with_part(2, b64(token.signature[:32] + (ORDER - int.from_bytes(token.signature[32:])).to_bytes(32)))


TEXT_CHANGES = [
    flip_character, flip_bit, drop_or_double, truncate, swap_segments, segment_of_another, more_or_fewer_segments, pad,
    pad_signature, last_bits, plain_base64, reencoded_signature, der_signature, odd_signature, oversized, not_ascii,
    controls, wrapped, noise,
]  # fmt: skip
HEADER_CHANGES = [member_added, member_changed, member_missing, header_not_strict]


def changed_header(rng, token):
    """Under the old signature, under a right one of ours (what the gate alone must stop), or under the attacker's."""
    header = rng.choice(HEADER_CHANGES)(rng, token)
    how = rng.randrange(3)
    return token.with_header(header) if how == 0 else sign_as((SIGNER, ATTACKER)[how - 1], header, token.payload)


def changed_payload(rng, token):
    """Under the old signature or the attacker's; and malformed, or changed but well signed, under ours."""
    how = rng.randrange(4)
    if how == 0:
        return token.with_part(1, b64(rng.choice([content_changed, payload_not_strict])(rng, token)))
    if how == 1:
        return sign_as(ATTACKER, token.header, rng.choice([token.payload, content_changed(rng, token)]))
    return sign_as(SIGNER, token.header, (payload_not_strict if how == 2 else content_changed)(rng, token))


CHANGES = [*TEXT_CHANGES, *[changed_header] * 6, *[changed_payload] * 4]
