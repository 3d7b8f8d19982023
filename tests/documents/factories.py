"""A key, a QR token and a PDF certificate, and what other programs read in it."""

from datetime import date

import typst

from app.core.crypto.jwk import did_kid
from app.core.crypto.jws import PrivateKey
from app.core.crypto.signer import FileSigner
from app.documents import qr_codes, qr_token
from app.documents.pdf import content, printable, typesetter
from app.documents.pdf.content import PdfFacts
from app.documents.qr_token import QrToken
from app.schemes.emblems import read_emblem

DID = "did:web:mark.example"


PEM = b"""-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpSM4og0FLiBP/doR
EvjshfllOxsZ7tUeDYP65osx0fmhRANCAASEva4ir/8rS22FxDHsvzyU/A7nvb89
mJBbXADR9ZlyDI6SdbLnr8QahsfNX7hiFuB3YBXjBheMkjqtLthJoueD
-----END PRIVATE KEY-----
"""


"""A key of the tests only."""


STAMP = QrToken(
    number="MIK-2026-000042-Y",
    holder="Nümunə-Boru MMC",
    product="Welded steel tube",
    hs6="730630",
    valid_from=date(2026, 11, 22),
    valid_until=date(2029, 11, 21),
    list_id=1,
    index=4711,
)


def signer_of(pem):
    key = PrivateKey.from_pem(pem)
    return FileSigner(did_kid(DID, key.public), key)


NAMES = {
    "az": "Qarabağda istehsal olunub – Azərbaycanın ürəyi",
    "en": "Made in Karabakh – Heart of Azerbaijan",
    "ru": "Сделано в Карабахе – сердце Азербайджана",
    "fa": "ساخت قره‌باغ – قلب آذربایجان",
    "ar": "صُنع في قره باغ – قلب أذربيجان",
    "zh": "卡拉巴赫制造——阿塞拜疆之心",
    "de": "Hergestellt in Karabach – Herz Aserbaidschans",
}


PRODUCT = {
    "az": "Qaynaqlı polad boru, ağ, əyri, şüşə",
    "en": "Welded steel tube",
    "ru": "Труба стальная сварная",
    "fa": "لولهٔ فولادی جوش‌داده",
    "ar": "أنبوب فولاذي ملحوم",
    "zh": "焊接钢管",
    "de": "Geschweißtes Stahlrohr",
}


FACTS = PdfFacts(
    number=STAMP.number,
    mark_name=NAMES["en"],
    mark_names=NAMES,
    issuer_name="Owner of the mark",
    ruleset="MIK 2026.2",
    holder_name="Sample Pipe (fictional)",
    holder_name_az="“Nümunə-Boru” MMC",
    holder_voen="0010000101",
    product_names=PRODUCT,
    hs6="730630",
    gtin=None,
    park_names={"az": "Ağdam Sənaye Parkı", "en": "Aghdam Industrial Park"},
    district="Ağdam",
    country="AZ",
    origin_criterion="CTH",
    issued_on=date(2026, 11, 22),
    valid_from=date(2026, 11, 22),
    valid_until=date(2029, 11, 21),
    url="https://mark.example/v/MIK-2026-000042-Y",
    token="a.b.c",
    emblem=read_emblem("karabakh"),
    authority_names={"az": "Nişanın sahibi", "en": "Owner of the mark", "ru": "Владелец знака"},
    contact=("mark@owner.example", "+994 12 000 00 00"),
)


SIGNER = signer_of(PEM)


STAMPED = qr_token.url_with_token(FACTS.url, qr_token.sign_qr_token(STAMP, SIGNER))


def clean(text, *, bare=False):
    return printable.to_printable(text, typesetter.drawable_characters(), bare=bare)


def pdf_of(facts=FACTS, third=None, *, marking=None):
    return typesetter.render_pdf(
        content.build_content(facts, third, qr_codes.qr_svg(STAMPED), clean, marking=marking), facts.issued_on
    )


def printed(picture, kind, width_mm, folder):
    """A page with this picture (`svg`, `png`) on it, that wide."""
    (folder / f"picture.{kind}").write_bytes(picture)
    source = folder / "print.typ"
    source.write_text(f'#set page(width: 100mm, height: 100mm)\n#image("picture.{kind}", width: {width_mm}mm)')
    return typst.compile(str(source), root=str(folder), font_paths=[str(typesetter._FONTS)], ignore_system_fonts=True)
