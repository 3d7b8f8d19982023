"""The pages speak all their languages to the last word."""

import re

import pytest
from babel.messages.plurals import get_plural

from app.certificates.model import RevocationReason, SuspensionCause
from app.certificates.read_model.record import REISSUED
from app.core.i18n import LANGUAGES as ALL
from app.core.i18n import OWN_NAMES
from app.pages.public.verdict_texts import CHECK_TEXTS, CRITERION_TEXTS, REASON_TEXTS, VERDICT_TEXTS
from app.schemes.origin_calculation import OriginCriterion
from app.verification.verdict import Verdict
from tests.pages.strings import APP, LANGUAGES, PROBLEM_LANGUAGES, faults, raised, spoken, unreadable

pytestmark = pytest.mark.pure


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_left_over_or_untranslated(language):
    wanted = spoken()
    assert len(wanted) > 100, "the words of the pages were not found"
    assert list(faults(language, wanted)) == []


@pytest.mark.parametrize("language", PROBLEM_LANGUAGES)
def test_every_message_of_a_refusal_is_translated(language):
    """Where this fails: `PYTHONPATH=. python -m tests.pages.strings --write`, then fill in what is empty."""
    wanted = raised()
    assert len(wanted) > 400, "the messages were not found"
    assert list(faults(language, wanted, "problems")) == []


def test_no_message_of_a_refusal_is_put_together_past_the_catalogues():
    assert unreadable() == []


def test_every_language_has_a_catalogue_and_a_name():
    assert {*LANGUAGES, "en"} == set(ALL) == set(OWN_NAMES)


@pytest.mark.parametrize(
    "path", sorted((APP / "locales").glob("*/*.po")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_catalogue_states_its_translation_status_and_plural_forms(path):
    """A reviewer replaces the first line by `# Translation status: reviewed by …, date`."""
    text = path.read_text(encoding="utf-8")
    assert re.match(r"# Translation status: (machine-translated|reviewed by .+)", text)
    assert f'"Plural-Forms: {get_plural(path.parent.name)}\\n"\n' in text


def test_every_code_has_words():
    assert set(VERDICT_TEXTS) == set(Verdict)
    assert set(REASON_TEXTS) == {*RevocationReason, *SuspensionCause, REISSUED}
    assert set(CRITERION_TEXTS) == set(OriginCriterion)
    names = {name for name, _ in CHECK_TEXTS}
    assert CHECK_TEXTS.keys() == {(name, passed) for name in names for passed in (True, False)}


def test_each_verdict_differs_in_word_and_icon():
    """Colour alone would say nothing to many."""
    assert (
        len({face.word for face in VERDICT_TEXTS.values()})
        == len({face.icon for face in VERDICT_TEXTS.values()})
        == len(Verdict)
    )
