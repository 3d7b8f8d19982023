"""What people put into the box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.public.verify_input import VerifyInput, host_of, parse_input

pytestmark = pytest.mark.pure

NUMBER = "MIK-2026-000042-Y"
STAMP = "eyJhbGciOiJFUzI1NiJ9.eyJuIjoiTUlLIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (NUMBER, VerifyInput("number", NUMBER)),
        ("  mik 2026 000042 y ", VerifyInput("number", NUMBER)),
        (f"https://verify.example/v/{NUMBER}", VerifyInput("number", NUMBER)),
        (f"https://another.example/v/{NUMBER}?lang=fa", VerifyInput("number", NUMBER)),
        (f"http://localhost/v/{NUMBER}#{STAMP}", VerifyInput("number", NUMBER, STAMP)),
        (f"/v/mik%202026-000042-Y?lang=fa&x=1#{STAMP}", VerifyInput("number", NUMBER, STAMP)),
        (f"/v/{NUMBER}#{STAMP}\r\nSet-Cookie: x=1", VerifyInput("number", NUMBER)),
        (f"/v/{NUMBER}#{'a' * 400}.{'b' * 400}.{'c' * 400}", VerifyInput("number", NUMBER)),
        (f"/v/{NUMBER}#javascript:alert(1)", VerifyInput("number", NUMBER)),
        ("MIK-2026-000042-A", VerifyInput("mistyped", "MIK-2026-000042-A")),
        ("/v/nonsense#x", VerifyInput("mistyped", "nonsense")),
        ("", VerifyInput("mistyped", "")),
        (f"{STAMP}\n", VerifyInput("token", STAMP)),
        (f"eyJ{'a' * 70_000}.b.c", VerifyInput("token", f"eyJ{'a' * 70_000}.b.c")),
        ("one.two.three", VerifyInput("mistyped", "one.two.three")),
        ("No. MIK-2O26-OOOO42-Y.", VerifyInput("number", NUMBER)),
        ("https://x.example/v/MIK-۲۰۲۶-۰۰۰۰۴۲-Y/", VerifyInput("number", NUMBER)),
        ("“Nümunə Boru” MMC", VerifyInput("words", "“Nümunə Boru” MMC")),
        ("Боруттехника 2000", VerifyInput("words", "Боруттехника 2000")),
        ("样品公司", VerifyInput("words", "样品公司")),
        ("4760000000016", VerifyInput("words", "4760000000016")),
        ("۴۷۶۰۰۰۰۰۰۰۰۱۶", VerifyInput("words", "4760000000016")),
        ("4760000000017", VerifyInput("mistyped", "4760000000017")),
        ("2026000042", VerifyInput("mistyped", "2026000042")),
        ("mik 2026 000042", VerifyInput("mistyped", "mik 2026 000042")),
        ("MIK-2026", VerifyInput("mistyped", "MIK-2026")),
        ("MIK/2026/000042/Y", VerifyInput("mistyped", "MIK/2026/000042/Y")),
        ("a" * 201, VerifyInput("mistyped", "a" * 201)),
        ("/v/" + "9" * 5_000, VerifyInput("mistyped", "/v/" + "9" * 5_000)),
    ],
)
def test_numbers_addresses_and_certificates(text, asked):
    assert parse_input(text) == asked


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_taken(text):
    for around in (text, f"/v/{text}", f"https://x/v/{NUMBER}#{text}", f"eyJ{text}.{text}.{text}"):
        assert parse_input(around, OWN).kind in {"number", "token", "words", "mistyped"}


OWN = {"verify.example.az", "localhost"}


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (f"https://mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"HTTPS://MIK-AZ.example:8443/v/{NUMBER}#{STAMP}", "mik-az.example"),
        (f"mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"//mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"https://verify.example.az@mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"https://verify.example.az%40mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"https:\\\\mik-az.example\\v\\{NUMBER}", "mik-az.example"),
        (f"https:/mik-az.example/v/{NUMBER}", "mik-az.example"),
        (f"https://verify.example.az.mik-az.example/v/{NUMBER}", "verify.example.az.mik-az.example"),
        (f"https://mik-az.example./v/{NUMBER}", "mik-az.example"),
        (f"https://vеrify.example.az/v/{NUMBER}", f"{'vеrify'.encode('idna').decode()}.example.az"),
        (f"https://mik-az.example/check?no={NUMBER}", "mik-az.example"),
        (f"Scan me: https://mik-az.example/v/{NUMBER} !", "mik-az.example"),
        (f"http://[2001:db8::1]/v/{NUMBER}", "[2001:db8::1]"),
    ],
)
def test_an_address_that_is_not_ours(text, host):
    assert parse_input(text, OWN) == VerifyInput("number", NUMBER, host=host)


def test_another_address_without_a_number():
    assert parse_input("https://e-afsa.example/x?id=5", OWN) == VerifyInput(
        "mistyped", "https://e-afsa.example/x?id=5", host="e-afsa.example"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"https://verify.example.az/v/{NUMBER}",
        f"HTTP://VERIFY.EXAMPLE.AZ:80/v/{NUMBER}",
        f"verify.example.az/v/{NUMBER}",
        f"http://localhost:8000/v/{NUMBER}",
        f"/v/{NUMBER}",
        NUMBER,
        f"https://verify.example.az./v/{NUMBER}",
        f"http://x@verify.example.az/v/{NUMBER}",
    ],
)
def test_an_address_of_ours(text):
    assert parse_input(text, OWN) == VerifyInput("number", NUMBER)


def test_a_host_that_has_no_ascii_form_is_shown_as_typed():
    assert host_of(f"https://{'ü' * 70}.example/v/{NUMBER}") == f"{'ü' * 70}.example"
    assert host_of(f"https://MİK.example/v/{NUMBER}").startswith("xn--")
