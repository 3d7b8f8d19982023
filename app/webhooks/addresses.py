"""Decide which addresses webhooks are sent to: public ones, so that nobody reaches networks behind the service. Pure.

A name is checked as text when an endpoint is made; the addresses that it leads to are checked then and again at each
delivery, which connects to an address that was checked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from app.core.errors import Invalid
from app.core.messages import Message

MAX_URL = 2_000
HTTPS_PORT, HTTP_PORT = 443, 80
IpAddress = IPv4Address | IPv6Address

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?!\d)(?!0x)[a-z0-9-]{{2,63}}")
"""A host name with a top-level domain that begins with a letter: no address, in whatever notation."""
_INNER_ENDINGS = (".localhost", ".local", ".localdomain", ".internal", ".lan", ".home.arpa", ".onion")

_REFUSED_V4 = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo and benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
"""Beside all that is outside 2000::/3: loopback, mapped and translated (64:ff9b::/96) IPv4, local, multicast."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """`ports`: those that an address may name. `inner_allowed`: http and inner addresses too, for tests and demos."""

    ports: frozenset[int] = frozenset({HTTPS_PORT})
    inner_allowed: bool = False

    @classmethod
    def of(cls, ports: str, inner_allowed: bool) -> "AddressRules":
        """Build the rules from the settings; `ports` with commas."""
        return cls(frozenset(map(int, ports.split(","))), inner_allowed)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that keeps to the rules. `path` contains the query and begins with a slash."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return the value of the header `Host`."""
        is_default = self.port == (HTTPS_PORT if self.scheme == "https" else HTTP_PORT)
        return self.host if is_default else f"{self.host}:{self.port}"


class InnerAddress(Exception):
    """The host leads to an address that is not public."""


def parse_target(url: str, rules: AddressRules) -> Target:
    """Split and check a URL. Raises `Invalid` at `/url`, which says what to change."""
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Invalid.at("/url", "Write an address of at most 2,000 ASCII characters, without spaces and backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid.at("/url", "This is no address such as https://erp.example.com/webhooks.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and rules.inner_allowed):
        raise Invalid.at("/url", "Begin the address with https://.")
    if "@" in parts.netloc:
        raise Invalid.at("/url", "Leave out user name and password: requests are signed.")
    if "#" in url:
        raise Invalid.at("/url", "Leave out the fragment (from “#” on).")
    host = (parts.hostname or "").lower()
    if not rules.inner_allowed and (not _NAME.fullmatch(host) or len(host) > 253 or host.endswith(_INNER_ENDINGS)):
        raise Invalid.at("/url", "Name a public host, such as erp.example.com, not an IP address.")
    if not host or "%" in host:
        raise Invalid.at("/url", "Name a public host, such as erp.example.com, not an IP address.")
    effective = port if port is not None else HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    if not rules.inner_allowed and effective not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports)))
        raise Invalid.at("/url", Message("Use one of these ports: %(ports)s.", ports=allowed))
    return Target(parts.scheme, host, effective, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def require_public(found: Iterable[str], rules: AddressRules) -> tuple[IpAddress, ...]:
    """Return the addresses that a name leads to. Raises `InnerAddress` where one of them is not public, or none is."""
    addresses = tuple(dict.fromkeys(_parsed(text) for text in found))
    if not addresses or not (rules.inner_allowed or all(is_public(each) for each in addresses)):
        raise InnerAddress
    return addresses


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public internet. Forms of IPv6 that hold an IPv4 address are not."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    is_global = address in _GLOBAL_V6 and address.scope_id is None
    return is_global and not any(address in network for network in _REFUSED_V6)


def _parsed(text: str) -> IpAddress:
    try:
        return ip_address(text)
    except ValueError:
        raise InnerAddress from None
