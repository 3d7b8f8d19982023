"""What people put into the box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.public.verify_input import Asked, host_of, read

NUMBER = "MIK-2026-000042-Y"
STAMP = "eyJhbGciOiJFUzI1NiJ9.eyJuIjoiTUlLIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (NUMBER, Asked("number", NUMBER)),
        ("  mik 2026 000042 y ", Asked("number", NUMBER)),
        (f"https://verify.example/v/{NUMBER}", Asked("number", NUMBER)),
        (f"https://another.example/v/{NUMBER}?lang=fa", Asked("number", NUMBER)),
        (f"http://localhost/v/{NUMBER}#{STAMP}", Asked("number", NUMBER, STAMP)),
        (f"/v/mik%202026-000042-Y?lang=fa&x=1#{STAMP}", Asked("number", NUMBER, STAMP)),
        (f"/v/{NUMBER}#{STAMP}\r\nSet-Cookie: x=1", Asked("number", NUMBER)),
        (f"/v/{NUMBER}#{'a' * 400}.{'b' * 400}.{'c' * 400}", Asked("number", NUMBER)),
        (f"/v/{NUMBER}#javascript:alert(1)", Asked("number", NUMBER)),
        ("MIK-2026-000042-A", Asked("mistyped", "MIK-2026-000042-A")),
        ("/v/nonsense#x", Asked("mistyped", "nonsense")),
        ("", Asked("mistyped", "")),
        (f"{STAMP}\n", Asked("token", STAMP)),
        (f"eyJ{'a' * 70_000}.b.c", Asked("token", f"eyJ{'a' * 70_000}.b.c")),
        ("one.two.three", Asked("mistyped", "one.two.three")),
        ("No. MIK-2O26-OOOO42-Y.", Asked("number", NUMBER)),
        ("https://x.example/v/MIK-۲۰۲۶-۰۰۰۰۴۲-Y/", Asked("number", NUMBER)),
        ("“Nümunə Boru” MMC", Asked("words", "“Nümunə Boru” MMC")),
        ("Боруттехника 2000", Asked("words", "Боруттехника 2000")),
        ("样品公司", Asked("words", "样品公司")),
        ("4760000000016", Asked("words", "4760000000016")),
        ("۴۷۶۰۰۰۰۰۰۰۰۱۶", Asked("words", "4760000000016")),
        ("4760000000017", Asked("mistyped", "4760000000017")),
        ("2026000042", Asked("mistyped", "2026000042")),
        ("mik 2026 000042", Asked("mistyped", "mik 2026 000042")),
        ("MIK-2026", Asked("mistyped", "MIK-2026")),
        ("MIK/2026/000042/Y", Asked("mistyped", "MIK/2026/000042/Y")),
        ("a" * 201, Asked("mistyped", "a" * 201)),
        ("/v/" + "9" * 5_000, Asked("mistyped", "/v/" + "9" * 5_000)),
    ],
)
def test_numbers_addresses_and_certificates(text, asked):
    assert read(text) == asked


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_taken(text):
    for around in (text, f"/v/{text}", f"https://x/v/{NUMBER}#{text}", f"eyJ{text}.{text}.{text}"):
        assert read(around, OWN).kind in {"number", "token", "words", "mistyped"}


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
    assert read(text, OWN) == Asked("number", NUMBER, host=host)


def test_another_address_without_a_number():
    assert read("https://e-afsa.example/x?id=5", OWN) == Asked(
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
    assert read(text, OWN) == Asked("number", NUMBER)


def test_a_host_that_has_no_ascii_form_is_shown_as_typed():
    assert host_of(f"https://{'ü' * 70}.example/v/{NUMBER}") == f"{'ü' * 70}.example"
    assert host_of(f"https://MİK.example/v/{NUMBER}").startswith("xn--")
