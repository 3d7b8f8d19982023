"""The press: one stamp for one content, and a paper even for names that no font can draw."""

import logging
from dataclasses import replace

import pytest

from app.documents import qr_token
from app.documents.artifact_cache import ArtifactCache
from app.documents.pdf import typesetter
from app.documents.renderer import DocumentData, DocumentRenderer
from tests.documents.authority import NOW, Authority
from tests.documents.factories import FACTS, SIGNER, STAMP, pdf_of
from tests.readers import text_of

PILED = "\u08e9\uff5d\u0650\u6df7"  # marks of one font between letters of another
OTHER = Authority()


def press_in(folder):
    return DocumentRenderer(lambda: SIGNER, OTHER.organisation(), ArtifactCache(folder))


def test_names_that_no_font_can_draw_lose_their_marks(tmp_path, caplog):
    facts = replace(FACTS, holder_name=PILED)
    with pytest.raises(typesetter.TypesettingFailed):
        pdf_of(facts)
    with caplog.at_level(logging.WARNING):
        made = press_in(tmp_path).certificate_pdf(DocumentData(facts, STAMP, 1), None, NOW)
    assert "\uff5d\u6df7" in text_of(made)
    assert "without diacritical marks" in caplog.text


def test_one_stamp_for_one_content(tmp_path):
    press = press_in(tmp_path)
    first = press.qr_token(STAMP)
    assert press.qr_token(STAMP) == press_in(tmp_path).qr_token(STAMP) == first
    other = replace(STAMP, holder="Başqa MMC")
    assert qr_token.verify_qr_token(press.qr_token(other), {SIGNER.kid: SIGNER.public}) == other


class Stubborn(ArtifactCache):
    """Keeps handing out the same damaged thing, as a disk that fails."""

    def kept(self, *_):
        return b"a.b.c"


def test_a_stamp_is_made_even_where_the_kept_one_stays_damaged(tmp_path):
    press = replace(press_in(tmp_path), cache=Stubborn(tmp_path))
    assert qr_token.verify_qr_token(press.qr_token(STAMP), {SIGNER.kid: SIGNER.public}) == STAMP


@pytest.mark.parametrize(
    "change",
    [
        lambda press, order: (press, replace(order, facts=replace(order.facts, url="https://x.example/v/1")), None),
        lambda press, order: (replace(press, signing_identity=OTHER.organisation()), order, None),
        lambda press, order: (replace(press, timestamp_url="https://tsa.example/"), order, None),
        lambda press, order: (press, replace(order, version=2), None),
        lambda press, order: (press, replace(order, facts=replace(order.facts, token="a.b.d")), None),
        lambda press, order: (press, order, "ru"),
    ],
    ids=["address", "organisation", "time stamps", "version", "credential", "language"],
)
def test_whatever_a_paper_depends_on_is_in_its_name(tmp_path, change):
    press, order = press_in(tmp_path), DocumentData(FACTS, STAMP, 1)
    changed, other, third = change(press, order)
    assert changed.cache_key(other, third) != press.cache_key(order, None) == press.cache_key(order, "az")


def test_a_paper_follows_its_template_and_fonts(tmp_path, monkeypatch):
    press, order = press_in(tmp_path), DocumentData(FACTS, STAMP, 1)
    before = press.cache_key(order, None)
    monkeypatch.setattr(typesetter, "template_version", lambda: "another")
    assert press.cache_key(order, None) != before
