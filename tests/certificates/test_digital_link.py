"""GS1 Digital Links: how they are read and written, and what the linkset says."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates.digital_link.gs1_uri import DigitalLink, parse_path, stored_forms
from app.certificates.digital_link.linkset import (
    CERTIFICATION_INFO,
    CONFORMITY_CREDENTIAL,
    DEFAULT_LINK,
    LINKSET,
    CertificateOfItem,
    ItemLinks,
    build_description,
    normalize_link_type,
)
from app.core.errors import Invalid
from tests.certificates import linkset_schemas

pytestmark = pytest.mark.pure

BASE = "https://mark.example"
GTIN = "04006381333931"
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
VALUES = st.text(SET_82, min_size=1, max_size=20)
GS1 = jsonschema_rs.Draft7Validator(linkset_schemas.GS1)
UNTP = jsonschema_rs.Draft7Validator(linkset_schemas.UNTP)


def certificate(number="MIK-2026-000042-Y", verdict="valid"):
    return CertificateOfItem(number, "Made in Karabakh", verdict, is_valid=verdict == "valid")


def links(*certificates, item=None):
    return ItemLinks(BASE, item or DigitalLink(GTIN), certificates, ("az", "en"))


class TestUri:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            (f"/01/{GTIN}", DigitalLink(GTIN)),
            ("/01/4006381333931", DigitalLink(GTIN)),
            ("/01/96385074", DigitalLink("00000096385074")),
            ("/01/036000291452", DigitalLink("00036000291452")),
            (f"/%30%31/{GTIN}", DigitalLink(GTIN)),
            (f"/01/{GTIN}/10/A1", DigitalLink(GTIN, (("10", "A1"),))),
            (f"/01/{GTIN}/21/7", DigitalLink(GTIN, (("21", "7"),))),
            (f"/01/{GTIN}/22/B/10/A1/21/7", DigitalLink(GTIN, (("22", "B"), ("10", "A1"), ("21", "7")))),
            (f"/01/{GTIN}/10/A%2F1%25", DigitalLink(GTIN, (("10", "A/1%"),))),
            (f"/01/{GTIN}/10/A+1", DigitalLink(GTIN, (("10", "A+1"),))),
        ],
    )
    def test_read(self, path, found):
        assert parse_path(path) == found

    @pytest.mark.parametrize(
        ("path", "place", "code"),
        [
            ("/01/", "path:gtin", "wrong-format"),
            ("/01%2F04006381333931", "path:gtin", "wrong-format"),
            ("/01/04006381333931%2F10%2FA1", "path:gtin", "wrong-format"),
            ("/01/\u00ff", "path:gtin", "wrong-format"),
            ("/01/123", "path:gtin", "wrong-format"),
            ("/01/123456789", "path:gtin", "wrong-format"),
            ("/01/400638133393X", "path:gtin", "wrong-format"),
            ("/01/4006381333931%0A", "path:gtin", "wrong-format"),
            ("/01/%D9%A4%D9%A0%D9%A0%D9%A6%D9%A3%D9%A8%D9%A1%D9%A3", "path:gtin", "wrong-format"),
            ("/01/%FF", "path:gtin", "wrong-format"),
            ("/01/4006381333932", "path:gtin", "wrong-check-digit"),
            ("/01/04006381333932", "path:gtin", "wrong-check-digit"),
            (f"/01/{GTIN}/", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/17/261231", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/lot/A1", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/21/7/10/A1", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/10/A1/10/A2", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/10/A1/", "path:qualifiers", "wrong-qualifier"),
            (f"/01/{GTIN}/%FF/A1", "path:qualifiers", "wrong-format"),
            (f"/01/{GTIN}/10", "path:lot", "wrong-format"),
            (f"/01/{GTIN}/10/", "path:lot", "wrong-format"),
            (f"/01/{GTIN}/10/{'A' * 21}", "path:lot", "wrong-format"),
            (f"/01/{GTIN}/10/A%201", "path:lot", "wrong-format"),
            (f"/01/{GTIN}/21/%C6%8F", "path:serial", "wrong-format"),
            (f"/01/{GTIN}/22/%00", "path:variant", "wrong-format"),
        ],
    )
    def test_refused(self, path, place, code):
        with pytest.raises(Invalid) as caught:
            parse_path(path)
        (error,) = caught.value.data["errors"]
        assert (error["pointer"], error["detail"].code) == (place, code)

    @given(st.lists(VALUES, min_size=3, max_size=3), st.lists(st.booleans(), min_size=3, max_size=3))
    def test_whatever_is_written_is_read_again(self, values, kept):
        pairs = zip(("22", "10", "21"), values, strict=True)
        item = DigitalLink(GTIN, tuple(pair for pair, keep in zip(pairs, kept, strict=True) if keep))
        assert parse_path(item.path) == item
        assert item.path.count("/") == 2 + 2 * len(item.qualifiers)
        assert item.trade_item == DigitalLink(GTIN)

    @pytest.mark.parametrize(
        ("gtin", "forms"),
        [
            ("14006381333938", {"14006381333938"}),
            (GTIN, {GTIN, "4006381333931"}),
            ("00036000291452", {"00036000291452", "0036000291452", "036000291452"}),
            ("00000096385074", {"00000096385074", "0000096385074", "000096385074", "96385074"}),
        ],
    )
    def test_leading_zeroes_do_not_count(self, gtin, forms):
        assert set(stored_forms(gtin)) == forms


class TestLinkType:
    @pytest.mark.parametrize(
        ("asked", "relation"),
        [
            ("linkset", LINKSET),
            ("all", LINKSET),
            ("gs1:certificationInfo", CERTIFICATION_INFO),
            ("https://ref.gs1.org/voc/certificationInfo", CERTIFICATION_INFO),
            ("https://gs1.org/voc/certificationInfo", CERTIFICATION_INFO),
            ("gs1:defaultLink", DEFAULT_LINK),
            ("dcc", CONFORMITY_CREDENTIAL),
            ("", None),
            ("gs1:pip", None),
            ("gs1:", None),
            ("certificationInfo", None),
            ("gs1:gs1:certificationInfo", None),
            ("schema:dcc", None),
            ("DCC", None),
        ],
    )
    def test_names(self, asked, relation):
        assert normalize_link_type(asked) == relation


class TestLinks:
    ONE, OTHER = certificate(), certificate("MIA-2026-000007-X")
    GONE, ENDED = certificate("MIK-2025-000001-A", "revoked"), certificate("MIK-2024-000001-B", "expired")

    @pytest.mark.parametrize(
        ("certificates", "target"),
        [
            ((ONE,), "/v/MIK-2026-000042-Y"),
            ((ONE, GONE, ENDED), "/v/MIK-2026-000042-Y"),
            ((GONE,), "/v/MIK-2025-000001-A"),
            ((ONE, OTHER), f"/register/gtins/{GTIN}"),
            ((GONE, ENDED), f"/register/gtins/{GTIN}"),
        ],
    )
    def test_the_default_link(self, certificates, target):
        found = links(*certificates)
        assert found.default_target() == BASE + target
        assert found.targets(DEFAULT_LINK) == found.targets(CERTIFICATION_INFO) == [BASE + target]

    def test_credentials_of_the_valid_ones_else_of_all(self):
        tokens = [f"{BASE}/v1/certificates/{each.number}/credential.jwt" for each in (self.ONE, self.OTHER, self.GONE)]
        assert links(self.ONE, self.GONE).targets(CONFORMITY_CREDENTIAL) == tokens[:1]
        assert links(self.ONE, self.OTHER).targets(CONFORMITY_CREDENTIAL) == tokens[:2]
        assert links(self.GONE).targets(CONFORMITY_CREDENTIAL) == tokens[2:]

    def test_the_linkset(self):
        asked = DigitalLink(GTIN, (("10", "A/1"), ("21", "7")))
        (context,) = links(self.GONE, self.ONE, item=asked).linkset()["linkset"]
        page = {"type": "text/html", "hreflang": ["az", "en"]}
        assert context == {
            "anchor": f"{BASE}/01/{GTIN}",  # a certificate is not about a lot
            "https://ref.gs1.org/voc/defaultLink": [
                {"href": f"{BASE}/v/MIK-2026-000042-Y", "title": f"Certificates of GTIN {GTIN}"} | page
            ],
            "https://ref.gs1.org/voc/certificationInfo": [
                {
                    "href": f"{BASE}/v/MIK-2026-000042-Y",
                    "title": "Made in Karabakh, certificate MIK-2026-000042-Y (valid)",
                }
                | page,
                {
                    "href": f"{BASE}/v/MIK-2025-000001-A",
                    "title": "Made in Karabakh, certificate MIK-2025-000001-A (revoked)",
                }
                | page,
            ],
            "dcc": [
                {
                    "href": f"{BASE}/v1/certificates/MIK-2026-000042-Y/credential.jwt",
                    "title": "Made in Karabakh, certificate MIK-2026-000042-Y (valid), signed",
                    "type": "application/vc+jwt",
                },
                {
                    "href": f"{BASE}/v1/certificates/MIK-2025-000001-A/credential.jwt",
                    "title": "Made in Karabakh, certificate MIK-2025-000001-A (revoked), signed",
                    "type": "application/vc+jwt",
                },
            ],
        }

    @pytest.mark.parametrize("schema", [GS1, UNTP], ids=["GS1", "UNTP"])
    def test_it_is_what_both_publishers_ask_for(self, schema):
        linkset = links(self.ONE, self.OTHER, self.GONE).linkset()
        assert [str(error) for error in schema.iter_errors(linkset)] == []

    @pytest.mark.parametrize("schema", [GS1, UNTP], ids=["GS1", "UNTP"])
    @pytest.mark.parametrize(
        "broken",
        [
            {},
            {"linkset": [{}]},
            {"linkset": [{"anchor": "/01/1"}]},
            {"linkset": [{"anchor": BASE, "gs1:certificationInfo": [{"href": BASE, "title": "a"}]}]},
            {"linkset": [{"anchor": BASE, "dcc": {"href": BASE, "title": "a"}}]},
            {"linkset": [{"anchor": BASE, "dcc": [{"href": BASE}]}]},
            {"linkset": [{"anchor": BASE, "dcc": [{"href": BASE, "title": "a", "lang": "en"}]}]},
            {"linkset": [{"anchor": BASE, "dcc": [{"href": BASE, "title": "a", "hreflang": "en"}]}]},
            {"linkset": [], "@context": BASE},
        ],
    )
    def test_what_they_refuse(self, schema, broken):
        assert not schema.is_valid(broken)

    def test_the_description_file(self):
        described = dict(build_description(BASE, "Certificates"))
        assert jsonschema_rs.Draft7Validator(linkset_schemas.DESCRIPTION_FILE).is_valid(described)
        assert (described["resolverRoot"], described["supportedPrimaryKeys"]) == (BASE, ["01"])
