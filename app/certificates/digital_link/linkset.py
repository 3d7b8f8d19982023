"""Build what a GS1 Digital Link leads to: the default link, links by type, and the linkset (RFC 9264). Pure.

The members are those that the schema of GS1 (GS1-Conformant Resolver 1.2) and that of UNTP (Identity Resolver 0.7.0)
both allow. A certificate is about a product: the anchor is the trade item, whatever lot or serial number was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from app.certificates.digital_link.gs1_uri import PRIMARY_KEY, DigitalLink

GS1_VOCABULARY: Final = "https://ref.gs1.org/voc/"
_GS1_PREFIXES = ("gs1:", GS1_VOCABULARY, "https://gs1.org/voc/", "https://www.gs1.org/voc/")
DEFAULT_LINK: Final = f"{GS1_VOCABULARY}defaultLink"
CERTIFICATION_INFO: Final = f"{GS1_VOCABULARY}certificationInfo"
CONFORMITY_CREDENTIAL: Final = "dcc"  # link relation of UNTP
LINKSET: Final = "linkset"
_LINKSET_NAMES = frozenset({LINKSET, "all"})
RELATIONS = (DEFAULT_LINK, CERTIFICATION_INFO, CONFORMITY_CREDENTIAL)
HTML: Final = "text/html"
VC_JWT: Final = "application/vc+jwt"


@dataclass(frozen=True, slots=True)
class CertificateOfItem:
    """A certificate that may be shown: its verdict as of now, and what its links are called."""

    number: str
    scheme_name: str
    verdict: str
    is_valid: bool


def normalize_link_type(asked: str) -> str | None:
    """Return the relation that `linkType` asks for, `linkset`, or None for one that is unknown here."""
    if asked in _LINKSET_NAMES:
        return LINKSET
    for prefix in _GS1_PREFIXES:
        if asked.startswith(prefix):
            asked = GS1_VOCABULARY + asked.removeprefix(prefix)
            break
    return asked if asked in RELATIONS else None


@dataclass(frozen=True, slots=True)
class ItemLinks:
    """Links of one trade item. `certificates` has at least one, newest first; `languages` are those of the pages."""

    base_url: str
    item: DigitalLink
    certificates: Sequence[CertificateOfItem]
    languages: Sequence[str]

    @property
    def anchor(self) -> str:
        return self.base_url + self.item.trade_item.path

    def targets(self, relation: str) -> list[str]:
        """Return where a request for one relation leads: one address, or several to choose from."""
        if relation == CONFORMITY_CREDENTIAL:
            return [self._credential_url(each) for each in self._relevant()]
        return [self.default_target()]

    def default_target(self) -> str:
        """Return the page of the one certificate that counts, else the list of all for this GTIN."""
        relevant = self._relevant()
        return self._page_url(relevant[0]) if len(relevant) == 1 else self._list_url()

    def linkset(self) -> dict[str, Any]:
        """Return the linkset as JSON values; valid certificates come first."""
        ordered = sorted(self.certificates, key=lambda each: not each.is_valid)
        default = {"href": self.default_target(), "title": f"Certificates of GTIN {self.item.gtin}"}
        context: dict[str, Any] = {
            "anchor": self.anchor,
            DEFAULT_LINK: [self._html_link(default)],
            CERTIFICATION_INFO: [
                self._html_link({"href": self._page_url(each), "title": _title(each)}) for each in ordered
            ],
            CONFORMITY_CREDENTIAL: [
                {"href": self._credential_url(each), "title": f"{_title(each)}, signed", "type": VC_JWT}
                for each in ordered
            ],
        }
        return {"linkset": [context]}

    def _relevant(self) -> list[CertificateOfItem]:
        """Return the valid certificates; where none is valid, all: their pages say why."""
        return [each for each in self.certificates if each.is_valid] or list(self.certificates)

    def _html_link(self, link: Mapping[str, Any]) -> dict[str, Any]:
        return {**link, "type": HTML, "hreflang": list(self.languages)}

    def _page_url(self, certificate: CertificateOfItem) -> str:
        return f"{self.base_url}/v/{certificate.number}"

    def _list_url(self) -> str:
        return f"{self.base_url}/register/gtins/{self.item.gtin}"

    def _credential_url(self, certificate: CertificateOfItem) -> str:
        return f"{self.base_url}/v1/certificates/{certificate.number}/credential.jwt"


def build_description(base_url: str, name: str) -> Mapping[str, Any]:
    """Build the resolver description file of GS1 (`/.well-known/gs1resolver`)."""
    return MappingProxyType(
        {
            "name": name,
            "resolverRoot": base_url,
            "supportedPrimaryKeys": [PRIMARY_KEY],
            "supportedLinkType": [{"namespace": GS1_VOCABULARY, "prefix": "gs1:"}],
            "linkTypeDefaultCanBeLinkset": False,
        }
    )


def _title(certificate: CertificateOfItem) -> str:
    return f"{certificate.scheme_name}, certificate {certificate.number} ({certificate.verdict})"
