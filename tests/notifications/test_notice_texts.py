"""Notices: a text for each event and case in every language, which says number, reason, last day and next step."""

import re

import pytest

from app.events.catalogue import build_example, load_catalogue
from app.notifications.notice_texts import (
    NOTICE_LANGUAGES,
    load_notice_table,
    parse_notice_table,
    render_frame,
    render_notice,
)
from app.schemes.closed_lists import load_lists

pytestmark = pytest.mark.pure

CATALOGUE = load_catalogue()
CASES = [
    (event_type, kind, status)
    for event_type in CATALOGUE.types.values()
    for kind in event_type.kinds or (None,)
    for status in event_type.statuses or (None,)
]
ENDED_AT_ONCE = {"withdrawn", "found_false", "infected"}
"""Cases of a document whose last day says nothing any more."""
CYRILLIC, AZERBAIJANI = re.compile("[а-яё]", re.IGNORECASE), re.compile("[əğışçöü]", re.IGNORECASE)


def example(name, **data):
    event = build_example(CATALOGUE.types[name])
    event["data"] |= data
    return event


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_each_event_has_its_text(language):
    seen = {}
    for event_type, kind, status in CASES:
        event = example(event_type.name, kind=kind, status=status)
        notice = render_notice(event, language)
        whole = f"{notice.subject} {' '.join(notice.sentences)}"
        assert len(notice.subject) < 100, event_type.name
        assert 2 <= len(notice.sentences) <= 4, event_type.name
        assert all(sentence.endswith(".") for sentence in notice.sentences), event_type.name
        assert "{" not in whole and "None" not in whole, event_type.name
        assert notice.path.startswith("/") and notice.action
        if event_type.has_deadline and kind not in ENDED_AT_ONCE:
            assert any(re.search(r"\b6 \w+ 2026", each) for each in notice.sentences), event_type.name
        if event_type.reasons and status not in {"unfounded", "corrected"}:  # nothing was revoked for it
            assert {"az": "məhkəmə", "en": "court", "ru": "решение суда"}[language] in whole, event_type.name
        assert bool(CYRILLIC.search(whole)) == (language == "ru"), event_type.name
        assert language != "az" or AZERBAIJANI.search(whole), event_type.name
        seen.setdefault(notice.subject, set()).add(event_type.name)
    assert [names for names in seen.values() if len(names) > 1] == []


def test_no_text_is_of_an_event_that_there_is_not():
    for name, case in load_notice_table().notices:
        event_type = CATALOGUE.types[name]
        assert case is None or case in {*event_type.kinds, *event_type.statuses}, name
    subjects = {event_type.subject for event_type in CATALOGUE.types.values()}
    assert load_notice_table().links.keys() <= subjects
    assert load_notice_table().matter_kinds.keys() == set(CATALOGUE.types["matter.opened"].kinds)


def test_every_language_has_the_same_values():
    table = load_notice_table()
    for key, texts in table.notices.items():
        values = {language: [sorted(re.findall(r"{\w+}", line)) for line in lines] for language, lines in texts.items()}
        assert values["az"] == values["en"] == values["ru"], key
    for group in (table.open, table.why, table.change, table.matter_kinds):
        for name, texts in group.items():
            assert texts.keys() == set(NOTICE_LANGUAGES), name
            assert len({tuple(re.findall(r"{\w+}", text)) for text in texts.values()}) == 1, name


def test_every_reason_has_a_name_in_each_language():
    names = load_lists().names
    codes = {*names["suspension_cause"], *names["revocation_reason"]}
    assert load_notice_table().reasons_ru.keys() == codes
    for code in codes:
        group = "suspension_cause" if code in names["suspension_cause"] else "revocation_reason"
        reason = {"code": code, **{language: names[group][code][language] for language in ("az", "en")}}
        for language in NOTICE_LANGUAGES:
            assert len(render_notice(example("certificate.revoked", reason=reason), language).sentences) == 3


@pytest.mark.parametrize("reason", [None, {"code": "x-1", "az": "x-1", "en": "x-1"}])
def test_a_sentence_without_its_value_is_left_out(reason):
    notice = render_notice(example("certificate.suspended", reason=reason), "en")
    assert notice.sentences == (
        "Certificate MIK-2026-000042-Y is suspended.",
        "The mark must not be used meanwhile. Resolve the cause and tell the owner of the mark.",
    )


def test_the_day_is_the_last_one_in_baku():
    for deadline, day in (("2026-12-06T20:00:00.000000Z", "6 December 2026"), ("2026-12-06T20:00:01Z", "7 December")):
        notice = render_notice(example("certificate.expiring", deadline=deadline), "en")
        assert day in notice.sentences[1]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("certificate.issued", "/v/MIK-2026-000042-Y"),
        ("matter.opened", "/v/MIK-2026-000042-Y"),
        ("ruleset.affects_you", "/apply/MIK"),
        ("application.decided", "/"),
    ],
)
def test_the_link_leads_to_the_thing(name, path):
    assert render_notice(example(name), "ru").path == path


def test_why_somebody_is_mailed_and_how_to_change_it():
    why, change = render_frame("company", "“Nümunə” MMC", "https://x.example/s", "en", is_always=False)
    assert "“Nümunə” MMC" in why and "https://x.example/s" in change
    _, change = render_frame("person", "", "https://x.example/s", "en", is_always=True)
    assert "https://" not in change


def test_an_event_without_a_text_is_refused():
    with pytest.raises(KeyError, match="no text"):
        render_notice(example("application.decided", status="unheard of"), "en")
    with pytest.raises(KeyError):
        parse_notice_table('[links]\n[[notices]]\nevent = "x"\naz = []\nen = []\n')  # a language is missing
