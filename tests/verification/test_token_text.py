"""A genuine certificate as mail programs hand it on, and what is none: genuine stays genuine, cut is never forged."""

import json
import random
import re
import time

import pytest

from app.verification.token_text import extract_token
from tests.verification.factories import token_of
from tests.verification.token_changes import ATTACKER, CONTENT, SIGNER, TOKENS, Token, b64, last_bits, sign_as

NUMBER = "MIK-2026-000042-Y"
TOKEN = TOKENS[NUMBER]


def lines(text, length=76):
    return [text[start : start + length] for start in range(0, len(text), length)]


MANGLED = {
    "wrapped": lambda t: "\n".join(lines(t)),
    "wrapped with CRLF and indented": lambda t: "\r\n\t".join(lines(t, 60)),
    "quoted": lambda t: "\n".join(f"> {line}" for line in lines(t)),
    "quoted twice": lambda t: "\n".join(f">> > {line}" for line in lines(t)),
    "quoted-printable": lambda t: "=\r\n".join(lines(t, 75)),
    "in quotation marks": lambda t: f"“{t}”",
    "in the marks of another language": lambda t: f"«{t}»\n",
    "in angle brackets": lambda t: f"<{t}>",
    "behind the name of its file": lambda t: f"MIK-2026-000042-Y.jwt\n{t}\n",
    "behind a name with blanks": lambda t: f'"Sample certificate (1).jwt": {t}',
    "before the name of its file": lambda t: f"{t}\ncertificate.jwt",
    "with a byte-order mark and blanks without a width": lambda t: "\ufeff" + "\u200b".join(lines(t)),
    "in a table of a mail": lambda t: "\n".join(f"| {line} |" for line in lines(t)),
    "quoted behind a name": lambda t: "> certificate.TXT\n" + "\n".join(f"> {line}" for line in lines(t)),
}


@pytest.mark.parametrize("how", MANGLED)
def test_a_genuine_certificate_stays_genuine(client, token, how):
    text = MANGLED[how](token)
    assert text != token
    assert extract_token(text) == token
    alone = client.post("/v1/verify", json={"token": text}).json()
    assert alone == client.post("/v1/verify", json={"token": token}).json()
    assert alone["verdict"] == "valid"
    expected = client.post("/v1/verify", json={"token": text, "expect": {"hs6": "730630"}}).json()
    assert {**expected, "expect": None} == {**alone, "expect": None}
    batch = client.post("/v1/verify/batch", json={"items": [{"token": text}, {"token": token}]}).json()
    assert batch["items"] == [alone, alone]


CUT = {
    "empty": lambda _: "",
    "nonsense": lambda _: "what is this",
    "one part": lambda t: t.split(".")[0],
    "two parts": lambda t: t.rpartition(".")[0],
    "cut in its signature": lambda t: t[:-7],
    "cut in its middle": lambda t: t[: len(t) // 2],
    "cut at its beginning": lambda t: t[5:],
    "longer": lambda t: t + "AAAA",
    "four parts": lambda t: t + "." + t.split(".")[2],
    "padded": lambda t: t + "==",
    "with another letter in it": lambda t: t[:300] + "é" + t[300:],
    "the address of its page": lambda t: f"https://mark.example/v/{NUMBER}#{t}",
    "behind a word": lambda t: f"Bearer {t}",
    "header no object": lambda t: Token(t).with_header(b'["alg","typ","kid"]'),
    "header no JSON": lambda t: Token(t).with_header(b"alg typ kid"),
    "header nested": lambda t: Token(t).with_header(b"[" * 40_000),
    "header without typ": lambda t: Token(t).with_header({"alg": "ES256", "kid": "x"}),
    "header not UTF-8": lambda t: Token(t).with_header(b'{"alg":1,"typ":1,"kid":"\xff"}'),
    "header of a wrong length": lambda t: Token(t).with_part(0, "eyJhb"),
}


@pytest.mark.parametrize("how", CUT)
def test_what_is_not_whole_is_unreadable(client, token, how):
    text = CUT[how](token)
    assert extract_token(text) is None
    answer = client.post("/v1/verify", json={"token": text})
    assert answer.status_code == 200
    assert answer.json() == {
        "verdict": "unreadable",
        "message": "This is not a whole certificate. Ask for it again or type its number.",
        "as_of": None,
        "certificate": None,
        "checks": [],
        "links": {"credential": None, "page": None},
    }
    items = [{"token": text}, {"token": token}]
    assert client.post("/v1/verify/batch", json={"items": items}).json()["items"][0] == answer.json()


WHOLE = {
    "another signature": lambda t: t[:-6] + "AAAAAA",
    "another key": lambda _: token_of(ATTACKER, CONTENT),
    "alg none": lambda t: Token(t).with_header(json.loads(Token(t).header) | {"alg": "none"}),
    "an odd header": lambda t: Token(t).with_header(b'{"alg":[],"typ":1e9,"kid":' + b"9" * 5_000 + b"}"),
    "the same member twice": lambda t: Token(t).with_header(Token(t).header[:-1] + b',"alg":"ES256"}'),
    "another payload": lambda t: Token(t).with_part(1, b64(b"{}")),
    "left-over bits": lambda t: last_bits(random.Random(1), Token(t)),
    "a stamp's type": lambda _: sign_as(SIGNER, b'{"alg":"ES256","typ":"stamp+jwt","kid":"x"}', b"{}"),
}


@pytest.mark.parametrize("how", WHOLE)
def test_what_is_whole_and_wrong_is_forged(client, token, how):
    text = WHOLE[how](token)
    assert extract_token(text) == text
    assert client.post("/v1/verify", json={"token": text}).json()["verdict"] == "forged"
    wrapped = client.post("/v1/verify", json={"token": "> " + "\n> ".join(lines(text))})
    assert wrapped.json()["verdict"] == "forged"


@pytest.mark.parametrize(
    "text",
    [
        ">" * 250_000, " " * 250_000, "a.jwt " * 40_000, "ey" * 120_000, "\n".join(["x.jwt"] * 40_000),
        (" " + "x" * 250) * 1_000, '"' * 250_000 + TOKEN, "." * 250_000,
    ],
)  # fmt: skip
def test_no_text_takes_long(text):
    begin = time.perf_counter()
    extract_token(text)
    assert time.perf_counter() - begin < 0.5


def test_every_token_of_ours_is_whole():
    for token in TOKENS.values():
        assert extract_token(token) == token
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]{86}", token)
