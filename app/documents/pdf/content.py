"""Build the content of the PDF certificate as plain data for `certificate.typ`. Pure.

The languages are Azerbaijani and English, and a third on request. The name of the mark is in English as registered,
with its translations below. Nothing states that the certificate is valid today: a PDF file cannot know its status, so
it tells where to verify.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from babel.dates import format_date

from app.core import i18n
from app.core.text.marking import Marking

DEFAULT_LANGUAGES: Final = ("az", "en")
TextCleaner = Callable[[str], str]
TextRun = dict[str, Any]  # {lang, dir, text}; values also have {strong, quiet}

ORIGIN_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "WO": "Wholly obtained: grown, raised, caught or mined in the country",
    "PE": "Produced exclusively from originating materials",
    "CTH": "Change of tariff heading: no non-originating material has the same heading as the product",
    "RVC": "Value content: the required share of the ex-works price is added here",
}


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """All values on the PDF certificate, as registered; names by language.

    Both days of validity are inclusive, Asia/Baku.
    """

    number: str
    mark_name: str
    mark_names: Mapping[str, str]
    issuer_name: str
    ruleset: str
    holder_name: str  # English
    holder_name_az: str | None  # with its legal form; None where it is not certain
    holder_voen: str | None  # None for a natural person
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    park_names: Mapping[str, str]  # empty outside of parks
    district: str
    country: str  # of origin, ISO 3166-1 alpha-2
    origin_criterion: str
    issued_on: date
    valid_from: date
    valid_until: date
    url: str
    token: str
    emblem: str  # SVG, of this mark
    authority_names: Mapping[str, str]  # of the owner of the mark; empty where only the issuer's name is recorded
    contact: tuple[str, ...]  # how to reach the owner

    @property
    def token_name(self) -> str:
        """Return the file name of the attached credential."""
        return f"{self.number}.jwt"


def pdf_languages(third: str | None) -> tuple[str, ...]:
    """Return the languages of a PDF certificate; a third that is a default already adds none."""
    return DEFAULT_LANGUAGES if third is None or third in DEFAULT_LANGUAGES else (*DEFAULT_LANGUAGES, third)


def build_content(
    facts: PdfFacts, third: str | None, qr: str, clean: TextCleaner, *, marking: Marking | None = None
) -> dict[str, Any]:
    """Build the input of `certificate.typ`.

    `qr` is an SVG image; every name goes through `clean`.
    """
    page = _ContentBuilder(pdf_languages(third), _clean_facts(facts, clean))
    return {
        "title": f"{facts.number} – {page.facts.mark_name}",
        "issuer": page.facts.issuer_name,
        "description": page.facts.holder_name,
        "emblem": facts.emblem,
        "emblem_alt": page.facts.mark_name,
        "marking": marking.upper() if marking else "",
        "no_force": _no_force(page, marking),
        "mark": page.facts.mark_name,
        "mark_names": page.translated_names(page.facts.mark_names),
        "headings": page.translate("Certificate"),
        "number": facts.number,
        "statement": page.translate(
            "The owner of the mark certifies that the product below is made at the place below, meets the published "
            "rules, and may carry the mark on the days of validity."
        ),
        "rows": page.build_rows(),
        "qr": qr,
        "qr_alt": facts.url,
        "url": facts.url,
        "check": page.translate(
            "Check before you rely on it: scan the code or open the address below. Only the register shows the status "
            "of the certificate today. The signed stamp in the code can be checked offline."
        ),
        "not_this": page.translate("This is not a customs certificate of origin."),
        "signed": page.translate(
            "Electronically signed: the signature can be checked in the file, not on a print. The signed credential is "
            "attached to the file: {file}.",
            file=facts.token_name,
        ),
        "token": facts.token,
        "token_name": facts.token_name,
        "token_about": "W3C Verifiable Credential, application/vc+jwt",
    }


def _clean_facts(facts: PdfFacts, clean: TextCleaner) -> PdfFacts:
    def clean_all(names: Mapping[str, str]) -> dict[str, str]:
        return {language: clean(name) for language, name in names.items()}

    return replace(
        facts,
        mark_name=clean(facts.mark_name),
        mark_names=clean_all(facts.mark_names),
        issuer_name=clean(facts.issuer_name),
        ruleset=clean(facts.ruleset),
        holder_name=clean(facts.holder_name),
        holder_name_az=facts.holder_name_az and clean(facts.holder_name_az),
        authority_names=clean_all(facts.authority_names),
        contact=tuple(map(clean, facts.contact)),
        product_names=clean_all(facts.product_names),
        park_names=clean_all(facts.park_names),
        district=clean(facts.district),
    )


def _text_run(language: str, text: str, **style: Any) -> TextRun:
    return {"lang": language, "dir": i18n.text_direction(language), "text": text, **style}


def _isolate_direction(text: str, language: str) -> str:
    """Isolate a text within a right-to-left line (UAX #9).

    Otherwise its digits and Latin words would change places.
    """
    return f"\u2068{text}\u2069" if i18n.text_direction(language) == "rtl" else text


@dataclass(frozen=True, slots=True)
class _ContentBuilder:
    language_codes: tuple[str, ...]
    facts: PdfFacts

    def translate(self, message: str, **values: str) -> list[TextRun]:
        """Translate a message to every language of the PDF certificate."""
        return [_text_run(each, _translate(each, message, **values)) for each in self.language_codes]

    def translated_names(self, names: Mapping[str, str]) -> list[TextRun]:
        """Return the names in the document's languages, except English, which is above them."""
        return [_text_run(each, names[each]) for each in self.language_codes if each != "en" and names.get(each)]

    def build_rows(self) -> list[dict[str, Any]]:
        f = self.facts
        holder = [_value_run("en", f.holder_name, strong=True)]
        if f.holder_name_az and f.holder_name_az != f.holder_name:
            holder = [_value_run("az", f.holder_name_az, strong=True), _value_run("en", f.holder_name)]
        if f.holder_voen:
            holder.append(_value_run("az", f"VÖEN {f.holder_voen}", quiet=True))
        hs_code = f"{f.hs6[:4]}.{f.hs6[4:]}"
        code = [_value_run("en", hs_code if f.gtin is None else f"{hs_code}   GTIN {f.gtin}", strong=True)]
        return [
            self._build_row("Holder", holder),
            self._build_row("Product", self._name_runs(f.product_names)),
            self._build_row("HS code", code),
            self._build_row("Place of production", self._place_runs()),
            self._build_row("Country of origin", self._country_runs()),
            self._build_row("Origin criterion", self._origin_runs()),
            self._build_row("Valid", self._validity_runs()),
            self._build_row("Issued by", self._issuer_runs()),
        ]

    def _build_row(self, label: str, values: list[TextRun]) -> dict[str, Any]:
        """Build a row; right-to-left labels go to the right edge."""
        labels = self.translate(label)
        right_labels = [each for each in labels if each["dir"] == "rtl"]
        return {"labels": [each for each in labels if each not in right_labels], "far": right_labels, "values": values}

    def _name_runs(self, names: Mapping[str, str]) -> list[TextRun]:
        """Return the names in the document's languages, or the first by language code."""
        languages = [each for each in self.language_codes if names.get(each)] or [min(names)]
        return [_value_run(each, names[each], strong=not place) for place, each in enumerate(languages)]

    def _place_runs(self) -> list[TextRun]:
        """Return the park with its district. Districts have only an Azerbaijani name."""
        f = self.facts
        if not f.park_names:
            return [_value_run("az", f.district, strong=True)]
        parks = [(each, f.park_names[each]) for each in self.language_codes if f.park_names.get(each)]
        parks = parks or [(min(f.park_names), f.park_names[min(f.park_names)])]
        return [_value_run(each, f"{name}, {f.district}", strong=not place) for place, (each, name) in enumerate(parks)]

    def _country_runs(self) -> list[TextRun]:
        """Return the country's distinct names in the languages of the PDF certificate."""
        languages = {i18n.country_name(self.facts.country, each): each for each in reversed(self.language_codes)}
        return [
            _value_run(each, name, strong=not place) for place, (name, each) in enumerate(reversed(languages.items()))
        ]

    def _issuer_runs(self) -> list[TextRun]:
        """Return the issuer's name as signed, the owner's full names and contact data."""
        f = self.facts
        names = [(each, f.authority_names[each]) for each in self.language_codes if f.authority_names.get(each)]
        return [
            _value_run("en", f"{f.issuer_name}, {f.issued_on.isoformat()}"),
            *(_value_run(each, name, quiet=True) for each, name in names if name != f.issuer_name),
            *([_value_run("az", " · ".join(f.contact), quiet=True)] if f.contact else []),
            _value_run("en", f.ruleset, quiet=True),
        ]

    def _origin_runs(self) -> list[TextRun]:
        description = ORIGIN_DESCRIPTIONS.get(self.facts.origin_criterion)
        if description is None:
            return [_value_run("en", self.facts.origin_criterion, strong=True)]
        pieces = self.translate(description)
        return [{**each, "strong": False, "quiet": False} for each in pieces]

    def _validity_runs(self) -> list[TextRun]:
        """Return the term in ISO dates, then in words."""
        first, last = self.facts.valid_from, self.facts.valid_until
        days = [_value_run("en", f"{first.isoformat()} – {last.isoformat()}", strong=True)]
        for each in self.language_codes:
            ends = {"first": _format_long_date(first, each), "last": _format_long_date(last, each)}
            text = _translate(each, "from {first} to {last}, both days included", **ends)
            days.append(_value_run(each, text, quiet=True))
        return days


def _value_run(language: str, text: str, *, strong: bool = False, quiet: bool = False) -> TextRun:
    return _text_run(language, text, strong=strong, quiet=quiet)


def _translate(language: str, message: str, **values: str) -> str:
    translation = i18n.load_catalogue("paper", language).gettext(message)
    return translation.format(**{name: _isolate_direction(value, language) for name, value in values.items()})


def _format_long_date(day: date, language: str) -> str:
    locale = "en_GB" if language == "en" else i18n.get_locale(language)
    return format_date(day, "long", locale=locale)


def _no_force(page: _ContentBuilder, marking: Marking | None) -> list[TextRun]:
    """Return what a document without legal force states about itself."""
    if marking is Marking.DEMO:
        return page.translate("DEMO: an example, not a real certificate")
    if marking is Marking.SANDBOX:
        return page.translate("SANDBOX: made by a test of an interface, not a real certificate")
    return []
