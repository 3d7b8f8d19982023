"""The stamp: short whatever the names are, read by anybody with the published keys, and refused when it is not ours."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from joserfc.jws import deserialize_compact

from app.certificates.certificate_number import CertificateNumber
from app.certificates.status_list import LIST_LENGTH
from app.core.crypto import jwk as crypto_jwk
from app.core.crypto import jws
from app.documents import qr_token
from app.documents.qr_token import QrToken, QrTokenRejected, truncate
from tests.documents.factories import DID, PEM, STAMP, signer_of

pytestmark = pytest.mark.pure

SIGNER = signer_of(PEM)
KEYS = {SIGNER.kid: SIGNER.public}
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300) | st.text(
    '"\\卡拉巴赫ə…', min_size=1, max_size=300
)
NUMBERS = st.builds(
    CertificateNumber,
    st.text("ABKMZ", min_size=3, max_size=8),
    st.integers(0, 9999),
    st.integers(0, 10**18 - 1),
).map(str)


@given(NUMBERS, NAMES, NAMES, st.dates(), st.integers(1, 999_999), st.integers(0, LIST_LENGTH - 1))
def test_every_allowed_content_fits_and_reads_back(number, holder, product, day, list_id, index):
    written = QrToken.from_certificate(
        number=number,
        holder_name=holder,
        product_names={"en": product},
        hs6="730630",
        valid_from=day,
        valid_until=day,
        list_id=list_id,
        index=index,
    )
    text = qr_token.sign_qr_token(written, SIGNER)
    assert len(text) <= qr_token.MAX_CHARS and text.isascii()
    assert qr_token.verify_qr_token(text, KEYS) == written


@given(NAMES)
def test_a_cut_text_is_a_beginning_and_never_too_long(text):
    short = truncate(text)
    assert len(json.dumps(short, ensure_ascii=False).encode()) - 2 <= qr_token.MAX_TEXT_BYTES
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert truncate(short) == short


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a" * 40, "a" * 40),
        ("a" * 41, "a" * 37 + "…"),
        ("ə" * 20, "ə" * 20),
        ("ə" * 21, "ə" * 18 + "…"),
        ("产" * 14, "产" * 12 + "…"),
        ('"' * 21, '"' * 18 + "…"),
        ("a" * 36 + " b" * 9, "a" * 36 + "…"),
        ("a" * 36 + "e\u0301" + "b" * 9, "a" * 36 + "…"),
        ("a" * 34 + "\u200cb" + "c" * 9, "a" * 34 + "…"),
        ("\u0301" * 30, "…"),
    ],
)
def test_where_a_text_is_cut(text, short):
    assert truncate(text) == short


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ({"az": "boru", "en": "tube"}, "tube"),
        ({"ru": "труба", "az": "boru"}, "boru"),
        ({"ru": "труба", "de": "Rohr"}, "Rohr"),
    ],
)
def test_which_name_of_the_product(names, chosen):
    facts = {"number": STAMP.number, "holder_name": "X", "hs6": "730630", "list_id": 1, "index": 0}
    made = QrToken.from_certificate(
        product_names=names, valid_from=STAMP.valid_from, valid_until=STAMP.valid_until, **facts
    )
    assert made.product == chosen


def test_a_stranger_reads_it_by_the_published_description():
    text = qr_token.sign_qr_token(STAMP, SIGNER)
    jwk = crypto_jwk.public_jwk(SIGNER.public, SIGNER.kid)
    theirs = deserialize_compact(text, ECKey.import_key(jwk), algorithms=["ES256"])
    assert theirs.headers() == {"alg": "ES256", "kid": jwk["kid"].partition("#")[2][:8], "typ": "stamp+jwt"}
    assert theirs.payload.decode() == (
        '{"n":"MIK-2026-000042-Y","h":"Nümunə-Boru MMC","p":"Welded steel tube","c":"730630",'
        '"f":"2026-11-22","u":"2029-11-21","s":[1,4711]}'
    )


def test_addresses():
    assert qr_token.page_url("https://mark.example", STAMP.number) == "https://mark.example/v/MIK-2026-000042-Y"
    url = qr_token.url_with_token(qr_token.page_url("https://mark.example", STAMP.number), "a.b.c")
    assert url == "https://mark.example/v/MIK-2026-000042-Y#a.b.c"


GOOD = json.loads(STAMP.payload())
WRONG = {
    "a member more": GOOD | {"x": 1},
    "a member less": {name: GOOD[name] for name in "nhpcfu"},
    "another order": {name: GOOD[name] for name in ("h", "n", "p", "c", "f", "u", "s")},
    "no text": GOOD | {"h": ""},
    "a number as text": GOOD | {"c": 730630},
    "a mistyped number": GOOD | {"n": "MIK-2026-000042-X"},
    "no number": GOOD | {"n": "x"},
    "a heading": GOOD | {"c": "7306"},
    "a name too long": GOOD | {"h": "a" * 41},
    "a product too long": GOOD | {"p": "a" * 41},
    "a day without hyphens": GOOD | {"f": "20261122"},
    "a day that is none": GOOD | {"u": "2029-02-30"},
    "an end before the beginning": GOOD | {"u": "2026-11-21"},
    "no place": GOOD | {"s": "1,4711"},
    "half a place": GOOD | {"s": [1]},
    "a place of truth": GOOD | {"s": [True, 1]},
    "list 0": GOOD | {"s": [0, 1]},
    "list too high": GOOD | {"s": [1_000_000, 1]},
    "index below": GOOD | {"s": [1, -1]},
    "index above": GOOD | {"s": [1, LIST_LENGTH]},
}


@pytest.mark.parametrize("payload", WRONG.values(), ids=WRONG.keys())
def test_our_signature_alone_is_not_enough(payload):
    text = SIGNER.sign(payload, typ=jws.TYP_QR_TOKEN, short=True)
    with pytest.raises(QrTokenRejected):
        qr_token.verify_qr_token(text, KEYS)


@pytest.mark.parametrize("text", [None, "", "a.b.c", "x" * 481, b"a.b.c", "\ud800.b.c"])
def test_what_is_no_stamp(text):
    with pytest.raises(QrTokenRejected):
        qr_token.verify_qr_token(text, KEYS)


def test_other_tokens_and_strange_keys_are_no_stamps():
    text = qr_token.sign_qr_token(STAMP, SIGNER)
    for other in (
        SIGNER.sign(GOOD, typ=jws.TYP_CREDENTIAL, short=True),
        SIGNER.sign(GOOD, typ=jws.TYP_QR_TOKEN),
        text[:-4] + ("AAAA" if not text.endswith("AAAA") else "BBBB"),
    ):
        with pytest.raises(QrTokenRejected):
            qr_token.verify_qr_token(other, KEYS)
    with pytest.raises(QrTokenRejected):
        qr_token.verify_qr_token(text, {f"{DID}#anotherkey": SIGNER.public})


def test_a_stamp_is_no_certificate():
    with pytest.raises(jws.TokenRejected):
        jws.verify(
            qr_token.sign_qr_token(STAMP, SIGNER),
            typ=jws.TYP_CREDENTIAL,
            keys={crypto_jwk.short_kid(SIGNER.kid): SIGNER.public},
        )


class BrokenSigner:
    """Signs, but not what it was given, or not with the key it names."""

    kid, public = SIGNER.kid, SIGNER.public

    def __init__(self, answer):
        self.sign = lambda payload, **_: answer(payload)


def test_a_broken_signer_hands_nothing_out():
    other = replace(STAMP, index=1)
    swaps = BrokenSigner(lambda _: SIGNER.sign(other.payload(), typ=jws.TYP_QR_TOKEN, short=True))
    with pytest.raises(ValueError, match="does not verify"):
        qr_token.sign_qr_token(STAMP, swaps)
    with pytest.raises(ValueError, match="longer than 480"):
        qr_token.sign_qr_token(STAMP, BrokenSigner(lambda _: "x" * 481))
    with pytest.raises(QrTokenRejected):
        qr_token.sign_qr_token(STAMP, BrokenSigner(lambda _: "a.b.c"))


def test_nothing_is_signed_that_a_reader_would_refuse():
    with pytest.raises(ValueError, match="ends before"):
        qr_token.sign_qr_token(replace(STAMP, valid_until=date(2020, 1, 1)), SIGNER)
