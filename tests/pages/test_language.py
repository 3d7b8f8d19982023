"""Which language a page speaks, and how it writes days."""

from datetime import UTC, date, datetime

import pytest

from app.pages.i18n import LanguageChoice, choose_language, day, format_datetime

pytestmark = pytest.mark.pure

FIREFOX = "az-AZ,az;q=0.9,ru;q=0.8,en-US;q=0.5"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "language"),
    [
        ("fa", "ru", FIREFOX, LanguageChoice("fa", in_address=True)),
        (None, "ru", FIREFOX, LanguageChoice("ru")),
        ("tlh", None, FIREFOX, LanguageChoice("az")),
        ("FA", "", "", LanguageChoice("en")),
        (None, "<script>", "zh-Hant-TW", LanguageChoice("zh")),
        (None, None, None, LanguageChoice("en")),
        (None, None, "tr, *;q=0.5, de;q=0.4", LanguageChoice("en")),
        (None, None, "ja;q=1, de;q=0.2, ar;q=0.9", LanguageChoice("ar")),
        (None, None, "de;q=0, ru;q=nan, fa;q=x, az;q=7, zh;q=-1", LanguageChoice("en")),
        (None, None, "de;level=1", LanguageChoice("de")),
        (None, None, "," * 100 + "de", LanguageChoice("en")),
        (None, None, "\x00\ud800;q=;;=,", LanguageChoice("en")),
    ],
)
def test_address_then_cookie_then_browser(asked, kept, accepted, language):
    assert choose_language(asked, kept, accepted) == language


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("az", "1 dekabr 2026, 00:30"),
        ("en", "1 December 2026, 00:30"),
        ("ru", "1 декабря 2026\u202fг., 00:30"),
        ("fa", "1 دسامبر 2026، 00:30"),
        ("ar", "1 ديسمبر 2026، 00:30"),
        ("zh", "2026年12月1日 00:30"),
        ("de", "1. Dezember 2026, 00:30"),
    ],
)
def test_moments_are_those_of_baku_in_latin_digits(language, written):
    assert format_datetime("2026-11-30T20:30:00Z", language) == written
    assert format_datetime(datetime(2026, 11, 30, 20, 30, tzinfo=UTC), language) == written


def test_days_stay_the_day_they_are():
    assert day("2029-11-21", "en") == day(date(2029, 11, 21), "en") == "21 November 2029"
    assert day("2029-11-21T20:00:00Z", "en") == "22 November 2029"  # it is midnight in Baku
