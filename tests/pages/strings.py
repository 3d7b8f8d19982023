"""The words of the pages, and the messages of refusals, against their catalogues.

    python -m tests.pages.strings           says what is missing, left over or not translated, in each language
    python -m tests.pages.strings --write   adds what is missing (untranslated), drops what is left over, sorts

Catalogues are `app/locales/<language>/pages.po` and, for messages of refusals, `problems.po` (az and ru).

Entries are sorted by their English text and stand alone, without places or dates, so that two branches can add words
at the same time; where they met all the same, `--write` puts the result in order.
"""

import ast
import importlib
import io
import re
import sys
from collections import Counter
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

import app.main  # noqa: F401 (every class of errors is known then)
from app.core import i18n
from app.core.errors import MikError
from app.schemes import evidence_kinds
from app.verification import verdict
from app.web.problems import problem_details

APP = Path(__file__).parents[2] / "app"
LANGUAGES = tuple(each for each in i18n.LANGUAGES if each != i18n.DEFAULT_LANGUAGE)
"""English is the language of the keys."""
PROBLEM_LANGUAGES = ("az", "ru")
METHODS = [("**.py", "python"), ("templates/**", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
HEAD_COMMENT = re.compile(r"\A(?:#.*\n)+")
HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: {language}\\n"\n'
    '"Plural-Forms: {plural}\\n"\n\n'
)


NOT_OVER_HTTP = (
    "app/cli/",
    "app/demo/",
    "app/api/openapi.py",
    "app/certificates/reissue/batches.py",
    "app/organisations/registers/",
    "app/organisations/sanctions/list_file.py",
    "app/schemes/scheme_loader.py",
    "app/signing/key_lifecycle.py",
)
"""Refusals of the command line, of files that jobs read and of starting, and examples."""
NOUNS = {"of": 0, "parse_id": 1, "WrongState": 0, "CertifiedDataLocked": 0}
"""Calls with the word for a thing, and which argument it is."""
WORDS = {
    "app.core.actor": ("Role",),
    "app.applications.claims": ("ClaimDecision",),
    "app.applications.workflow": ("State", "Action"),
    "app.certificates.model": ("CertificateStatus", "SuspensionCause", "MatterState"),
    "app.certificates.read_model.search": ("EffectiveStatus",),
    "app.certificates.status_workflow": ("CertificateAction",),
    "app.organisations.model": ("ClaimState", "OrganisationStatus"),
    "app.organisations.residency_workflow": ("ResidencyState", "ResidencyAction"),
}
"""Closed lists whose values stand in sentences (`word_of`)."""
OVER = frozenset({"expired", "key_compromised", "not_yet_valid", "suspended", "surrendered", "superseded", "revoked"})
ACTIONS = frozenset({"confirm", "propose", "refuse"})
"""Actions that are named by a string of their own."""


def path_of(language, domain="pages"):
    return APP / "locales" / language / f"{domain}.po"


def spoken():
    """Every text in the code of the pages: a string, or a pair of one and many."""
    found = extract_from_dir(str(APP / "pages"), METHODS, OPTIONS, KEYWORDS)
    return {message for _file, _line, message, _comments, _context in found if message}


def head_of(language, domain="pages"):
    """The comment at the top: what a native reader has still to look at. It is kept."""
    path = path_of(language, domain)
    found = HEAD_COMMENT.match(path.read_text()) if path.exists() else None
    return found[0] if found else ""


def raised():
    """Every message of a refusal over HTTP: a string, or a pair of one and many."""
    return {message for _place, message in _messages() if message is not None} | _words()


def unreadable():
    """Where a message is put together in a way that cannot be translated."""
    return [
        f'{place}: write Message("… %(name)s …", name=…) of app.core.messages, no f-string'
        for place, message in _messages()
        if message is None
    ]


def _messages():
    names = {kind.__name__ for kind in _kinds(MikError) if problem_details.status_of(kind.__new__(kind)) != 500}
    for path in sorted(APP.rglob("*.py")):
        place = str(path.relative_to(APP.parent))
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            for text in _texts(node, names if not place.startswith(NOT_OVER_HTTP) else frozenset()):
                yield f"{place}:{node.lineno}", text


def _kinds(kind):
    return {kind}.union(*(_kinds(each) for each in kind.__subclasses__()))


def _texts(node, error_names):
    """What a node says: a key, a pair of keys, or None for what cannot be translated."""
    if isinstance(node, ast.Dict) and error_names:
        details = [v for k, v in zip(node.keys, node.values, strict=True) if _is_detail(k)]
        yield from (_literal(value) for value in details if _is_text(value))
    if isinstance(node, ast.ClassDef) and node.name in error_names:
        yield from (each for call in ast.walk(node) for each in _said_by_class(call))
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called == "Message":
        if node.args and isinstance(node.args[0], ast.Constant):
            many = [k.value.value for k in node.keywords if k.arg == "many"]
            yield (node.args[0].value, many[0]) if many else node.args[0].value
        return
    of_class = getattr(getattr(node.func, "value", None), "id", "")
    is_at = called == "at" and of_class in error_names
    is_problem = called == "problem" and bool(error_names)
    said = node.args[1:2] if is_at else node.args[2:3] if is_problem else node.args[:1]
    if is_at or is_problem or (called in error_names and called not in NOUNS):
        yield from (_literal(text) for text in said if _is_text(text))
    if called in NOUNS and (called != "of" or of_class == "NotFound"):
        given = [*node.args[NOUNS[called] : NOUNS[called] + 1]]
        given += [k.value for k in node.keywords if k.arg in ("state", "action")] if called == "WrongState" else []
        yield from (each.value.replace("_", " ") for each in given if isinstance(each, ast.Constant))


def _said_by_class(node):
    """The text of `super().__init__("…")`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__":
        yield from (_literal(text) for text in node.args[:1] if _is_text(text))


def _is_detail(key):
    return isinstance(key, ast.Constant) and key.value == "detail"


def _is_text(node):
    return isinstance(node, ast.JoinedStr | ast.BinOp) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _literal(node):
    return node.value if isinstance(node, ast.Constant) else None


def _words():
    lists = [getattr(importlib.import_module(name), kind) for name, kinds in WORDS.items() for kind in kinds]
    documents = {kind.name.en for kind in evidence_kinds.load_evidence_kinds().values()}
    over = {text for verdict, text in verdict.MESSAGES.items() if verdict in OVER}  # why no paper is made
    return ACTIONS | documents | over | {value.value.replace("_", " ") for values in lists for value in values}


DOMAINS = {"pages": (spoken, LANGUAGES), "problems": (raised, PROBLEM_LANGUAGES)}


def catalogue(language, domain="pages"):
    path = path_of(language, domain)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {message.id: message.string for message in read_po(file, locale=language) if message.id}


def faults(language, wanted, domain="pages"):
    """What a reader of this language would stumble over."""
    there = catalogue(language, domain)
    path = path_of(language, domain)
    where = f"{path.relative_to(APP.parent)}"
    for text in wanted - there.keys():
        yield f"{where}: missing, run `PYTHONPATH=. python -m tests.pages.strings --write` and translate: {text!r}"
    yield from (f"{where}: nobody says this, run the same: {text!r}" for text in there.keys() - wanted)
    for text, translated in there.items():
        forms = translated if isinstance(translated, tuple) else (translated,)
        if not all(form.strip() for form in forms):
            yield f"{where}: not translated, fill in its msgstr: {text!r}"
        elif any(placeholders(form) != placeholders(text) for form in forms):
            yield f"{where}: other placeholders: {text!r}"
    if not path.exists() or path.read_text() != written(language, there, domain):
        yield f"{where}: not in the form that --write gives it"


def placeholders(text):
    text = text[-1] if isinstance(text, tuple) else text
    return Counter(re.findall(r"%(?:\(\w+\))?.", text))


def written(language, messages, domain="pages"):
    made = Catalog(locale=language)
    for text, translated in messages.items():
        made.add(text, translated)
    out = io.BytesIO()
    write_po(out, made, width=0, no_location=True, omit_header=True, sort_output=True)
    return (
        head_of(language, domain)
        + HEADER.format(language=language, plural=get_plural(language))
        + out.getvalue().decode().strip("\n")
        + "\n"
    )


def write(language, wanted, domain="pages"):
    there = catalogue(language, domain)
    path_of(language, domain).write_text(written(language, {text: there.get(text, "") for text in wanted}, domain))


def main():
    found, count = unreadable(), 0
    for domain, (wanted_of, spoken_in) in DOMAINS.items():
        wanted = wanted_of()
        count += len(wanted)
        for language in spoken_in:
            if "--write" in sys.argv[1:]:
                write(language, wanted, domain)
            found += faults(language, wanted, domain)
    print(*sorted(found), f"{count} texts, {len(found)} faults", sep="\n")  # noqa: T201 (its only purpose)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
