"""The typeset page: its letters, its one page, its code, its attachment, and what hostile names do to it."""

import io
import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import i18n
from app.documents import qr_token
from app.documents.pdf import content as pdf_content
from app.documents.pdf import typesetter
from tests.documents.factories import FACTS, PRODUCT, SIGNER, STAMP, STAMPED, clean, pdf_of
from tests.readers import scan, text_of

WORDS = {  # what a reader copies out of the file, in logical order
    None: ["“Nümunə-Boru” MMC", "Qaynaqlı polad boru, ağ, əyri, şüşə", "Ağdam Sənaye Parkı", "MIK-2026-000042-Y"],
    "ru": ["Труба стальная сварная", "Сделано в Карабахе", "с 22 ноября 2026"],
    "fa": ["صادرکننده", "محصول", "گواهی", "تولید"],  # the order of words differs between programs that copy
    "ar": ["المنتج", "شهادة", "الشهادة", "المكان"],
    "zh": ["焊接钢管", "本证书并非海关原产地证书"],
    "de": ["Geschweißtes Stahlrohr", "Dies ist kein zollrechtliches Ursprungszeugnis."],
}
HOSTILE = {
    "markup": '#panic("x") #read("/etc/passwd") *bold* $x$ \\ `code` <script>alert(1)</script> @x',
    "long": "ə" * 10_000,
    "long words": "Wärmedämmverbundsystem" * 30,
    "emoji": "😀👩‍👩‍👧 🇦🇿",
    "bidi": "Evil \u202e\u2066MIK-2026\u2069 sdrawkcab\u200f",
    "mixed": "شرکت Nümunə 卡拉 Ж ქართული हिन्दी ไทย עברית 한국어",
    "marks": "e" + "\u0301\u0315\u0653\u06e1" * 200,
    "controls": "a\x00b\ud800c\ufffe",
    "joiners": "\u200d\u200c\ufe0f\U000e0001",
    "blank": " \u3000 ",
    "empty": "",
}


@pytest.mark.parametrize("third", WORDS)
def test_text_can_be_found(third):
    text = text_of(pdf_of(third=third))
    for words in WORDS[third]:
        assert words in text, words
    assert "\ufffd" not in text


@pytest.mark.parametrize("third", [None, "fa"])
def test_the_code_on_the_page_leads_to_the_certificate_and_carries_the_stamp(third, tmp_path):
    assert scan(pdf_of(third=third), tmp_path) == [STAMPED]
    assert qr_token.verify_qr_token(STAMPED.partition("#")[2], {SIGNER.kid: SIGNER.public}) == STAMP


def test_the_code_is_at_least_30_mm_wide():
    content = pdf_content.build_content(FACTS, "ar", "<svg/>", clean)
    assert "width: 40mm" in (typesetter._TEMPLATE_ROOT / "certificate.typ").read_text()
    assert content["qr"] == "<svg/>"


def test_the_credential_is_attached_and_the_file_says_what_it_is():
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(third="ru")))
    assert reader.attachments == {"MIK-2026-000042-Y.jwt": [b"a.b.c"]}
    (file,) = reader.trailer["/Root"]["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Data"
    assert file.get_object()["/EF"]["/F"].get_object()["/Subtype"] == "/application/vc+jwt"
    described = reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    for said in ("<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>A</pdfaid:conformance>", "<pdfuaid:part>1<"):
        assert said in described
    assert reader.metadata.title == "MIK-2026-000042-Y – Made in Karabakh – Heart of Azerbaijan"


def test_the_same_paper_has_the_same_bytes_a_second_later():
    first = pdf_of(third="zh")
    time.sleep(1.1)  # PDF counts in seconds; typst asks the machine for the time, which no test can set
    assert pdf_of(third="zh") == first


def test_every_moment_in_the_file_is_the_day_of_issue():
    long_ago = replace(FACTS, issued_on=date(2024, 2, 29))
    made = pdf_of(long_ago)
    assert pypdf.PdfReader(io.BytesIO(made)).metadata.creation_date == datetime(2024, 2, 29, 12, tzinfo=UTC)
    moments = re.findall(rb"D:([0-9]{8})|>([0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9:]{8}", made)
    assert {packed.decode() or spaced.decode().replace("-", "") for packed, spaced in moments} == {"20240229"}
    assert made != pdf_of(replace(FACTS, issued_on=date(2024, 3, 1)))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names(text):
    names = dict.fromkeys(i18n.LANGUAGES, text)
    facts = replace(
        FACTS, holder_name=text, product_names=names, park_names=names, district=text, mark_name=text, mark_names=names
    )
    made = text_of(pdf_of(facts, "fa"))  # one page, or it fails there
    assert "MIK-2026-000042-Y" in made
    if text.startswith("#panic"):
        assert '#read("/etc/passwd")' in made


@settings(max_examples=15)
@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("eب卡\u0301\u0653\u200d\u0651🇦ा", max_size=12))
def test_any_name_makes_a_paper_if_need_be_without_its_marks(text):
    facts = replace(FACTS, holder_name=text, product_names={"az": text})
    try:
        pdf_of(facts)
    except typesetter.TypesettingFailed:
        typesetter.render_pdf(
            pdf_content.build_content(
                facts, None, "<svg xmlns='http://www.w3.org/2000/svg'/>", lambda t: clean(t, bare=True)
            ),
            facts.issued_on,
        )


def test_the_longest_names_still_fit_one_page():
    longest = {each: (name + " ") * (300 // len(name)) for each, name in PRODUCT.items()}
    facts = replace(FACTS, holder_name="Nümunə-Boru İstehsalat Birliyi " * 9, product_names=longest)
    for third in ("ru", "fa"):
        assert "MIK-2026-000042-Y" in text_of(pdf_of(facts, third))


def test_a_fault_in_the_template_is_a_refusal():
    with pytest.raises(typesetter.TypesettingFailed):
        typesetter.render_pdf({}, FACTS.issued_on)
