"""The words of the pages against their catalogues.

    python -m tests.pages.strings           says what is missing, left over or not translated, in each language
    python -m tests.pages.strings --write   adds what is missing (untranslated), drops what is left over, sorts

Entries are sorted by their English text and stand alone, without places or dates, so that two branches can add words
at the same time; where they met all the same, `--write` puts the result in order.
"""

import io
import re
import sys
from collections import Counter
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

APP = Path(__file__).parents[2] / "app"
LANGUAGES = ("az", "ru", "fa", "ar", "zh", "de")
"""English is the language of the keys."""
METHODS = [("**.py", "python"), ("templates/**", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
HEAD_COMMENT = re.compile(r"\A(?:#.*\n)+")
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: {language}\\n"\n\n'


def path_of(language):
    return APP / "locales" / language / "pages.po"


def spoken():
    """Every text in the code of the pages: a string, or a pair of one and many."""
    found = extract_from_dir(str(APP / "pages"), METHODS, OPTIONS, KEYWORDS)
    return {message for _file, _line, message, _comments, _context in found if message}


def head_of(language):
    """The comment at the top: what a native reader has still to look at. It is kept."""
    found = HEAD_COMMENT.match(path_of(language).read_text())
    return found[0] if found else ""


def catalogue(language):
    with path_of(language).open("rb") as file:
        return {message.id: message.string for message in read_po(file, locale=language) if message.id}


def faults(language, wanted):
    """What a reader of this language would stumble over."""
    there = catalogue(language)
    yield from (f"{language}: not in the catalogue: {text!r}" for text in wanted - there.keys())
    yield from (f"{language}: nobody says this: {text!r}" for text in there.keys() - wanted)
    for text, translated in there.items():
        forms = translated if isinstance(translated, tuple) else (translated,)
        if not all(form.strip() for form in forms):
            yield f"{language}: not translated: {text!r}"
        elif any(placeholders(form) != placeholders(text) for form in forms):
            yield f"{language}: other placeholders: {text!r}"
    if path_of(language).read_text() != written(language, there):
        yield f"{language}: not in the form that --write gives it"


def placeholders(text):
    text = text[-1] if isinstance(text, tuple) else text
    return Counter(re.findall(r"%(?:\(\w+\))?.", text))


def written(language, messages):
    made = Catalog(locale=language)
    for text, translated in messages.items():
        made.add(text, translated)
    out = io.BytesIO()
    write_po(out, made, width=0, no_location=True, omit_header=True, sort_output=True)
    return head_of(language) + HEADER.format(language=language) + out.getvalue().decode().strip("\n") + "\n"


def write(language, wanted):
    there = catalogue(language)
    path_of(language).write_text(written(language, {text: there.get(text, "") for text in wanted}))


def main():
    wanted = spoken()
    if "--write" in sys.argv[1:]:
        for language in LANGUAGES:
            write(language, wanted)
    found = [fault for language in LANGUAGES for fault in faults(language, wanted)]
    print(*sorted(found), f"{len(wanted)} texts, {len(found)} faults", sep="\n")  # noqa: T201 (its only purpose)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
