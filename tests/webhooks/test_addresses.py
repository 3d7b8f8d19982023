"""Which addresses webhooks are sent to."""

from ipaddress import ip_address

import pytest

from app.core.errors import Invalid
from app.webhooks.addresses import AddressRules, InnerAddress, Target, is_public, parse_target, require_public

pytestmark = pytest.mark.pure
STRICT, INNER = AddressRules.of("443,8443", False), AddressRules(inner_allowed=True)


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://erp.example.com", Target("https", "erp.example.com", 443, "/"), "erp.example.com"),
        ("https://ERP.Example.com/a?b=c", Target("https", "erp.example.com", 443, "/a?b=c"), "erp.example.com"),
        ("https://erp.example.com:8443/a", Target("https", "erp.example.com", 8443, "/a"), "erp.example.com:8443"),
        ("https://xn--80ak6aa92e.xn--p1ai/", Target("https", "xn--80ak6aa92e.xn--p1ai", 443, "/"), None),
    ],
)
def test_a_public_address_is_accepted(url, target, authority):
    assert parse_target(url, STRICT) == target
    assert parse_target(url, STRICT).authority == (authority or target.host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp.example.com",
        "http://erp.example.com/",
        "ftp://erp.example.com/",
        "file:///etc/passwd",
        "https:///x",
        "https://user:secret@erp.example.com/",
        "https://erp.example.com@127.0.0.1/",
        "https://erp.example.com/#x",
        "https://erp.example.com:22/",
        "https://erp.example.com:0/",
        "https://erp.example.com:99999/",
        "https://erp.example.com:x/",
        "https://erp.example.com\\@127.0.0.1/",
        "https://erp.example.com/a b",
        "https://erp.example.com/\r\nX: y",
        "https://erp.exämple.com/",
        "https://localhost/",
        "https://intranet/",
        "https://db.internal/",
        "https://printer.local/",
        "https://erp.example.com./",
        "https://.example.com/",
        "https://-a.example.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.01/",
        "https://1.1.1.1/",
        "https://①②⑦.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://%31%32%37.0.0.1/",
        "https://127.0.0.1.0x10/",
        "https://[::1/",
        f"https://{'a.' * 130}com/",
        f"https://erp.example.com/{'a' * 2_000}",
    ],
)
def test_another_address_is_refused(url):
    with pytest.raises(Invalid) as refused:
        parse_target(url, STRICT)
    assert refused.value.data["errors"][0]["pointer"] == "/url"


def test_inner_addresses_are_for_tests_and_demos():
    assert parse_target("http://127.0.0.1:8080/hook", INNER) == Target("http", "127.0.0.1", 8080, "/hook")
    assert parse_target("http://localhost", INNER).authority == "localhost"
    for url in ("http://", "http://a%2eb/", "gopher://localhost/"):
        with pytest.raises(Invalid):
            parse_target(url, INNER)
    assert require_public(["127.0.0.1"], INNER) == (ip_address("127.0.0.1"),)


@pytest.mark.parametrize("text", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_addresses_of_the_internet_are_public(text):
    assert is_public(ip_address(text))
    assert require_public([text, text], STRICT) == (ip_address(text),)


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"),
        *("172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "192.88.99.1", "198.18.0.1", "198.51.100.7"),
        *("203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("100::1", "2001::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1"),
        *("fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700:4700::1111%eth0"),
    ],
)
def test_all_others_are_not(text):
    assert not is_public(ip_address(text))
    with pytest.raises(InnerAddress):
        require_public(["1.1.1.1", text], STRICT)


@pytest.mark.parametrize("found", [[], ["not an address"], ["127.1"]])
def test_what_is_no_address_is_not_public(found):
    with pytest.raises(InnerAddress):
        require_public(found, STRICT)
