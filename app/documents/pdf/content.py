"""What the paper says, in which languages and in which order: plain data for `certificate.typ`. Pure.

Azerbaijani and English always, a third language on request. The name of the mark stays as registered, in English, with
its translations below it. Nothing here says that the certificate holds today: a paper cannot know that, so it says
where to ask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from babel.dates import format_date

from app.core import i18n

ALWAYS: Final = ("az", "en")
Clean = Callable[[str], str]
Piece = dict[str, Any]  # {lang, dir, text}, and for values {strong, quiet}

ORIGIN_IN_WORDS: Final[Mapping[str, str]] = {
    "WO": "Wholly obtained: grown, raised, caught or mined in the country",
    "PE": "Produced exclusively from originating materials",
    "CTH": "Change of tariff heading: no non-originating material has the same heading as the product",
    "RVC": "Value content: the required share of the ex-works price is added here",
}


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """All that stands on a paper, as registered; names by language. Both days of validity are inclusive, Asia/Baku."""

    number: str
    mark_name: str
    mark_names: Mapping[str, str]
    issuer_name: str
    ruleset: str
    holder_name: str  # English
    holder_name_az: str | None  # with its legal form; None where it is not known for certain
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
    authority_names: Mapping[str, str]  # of the owner of the mark; empty where only the issuer's name is known
    contact: tuple[str, ...]  # how the owner is reached

    @property
    def token_name(self) -> str:
        """Name of the attached credential."""
        return f"{self.number}.jwt"


def spoken(third: str | None) -> tuple[str, ...]:
    """The languages of a paper; a third one that is there already adds nothing."""
    return ALWAYS if third is None or third in ALWAYS else (*ALWAYS, third)


def content(facts: PaperFacts, third: str | None, qr: str, clean: Clean, *, demo: bool = False) -> dict[str, Any]:
    """The input of `certificate.typ`. `qr` is an SVG picture; every name goes through `clean`."""
    page = _Page(spoken(third), _cleaned(facts, clean))
    return {
        "title": f"{facts.number} – {page.facts.mark_name}",
        "issuer": page.facts.issuer_name,
        "description": page.facts.holder_name,
        "emblem": facts.emblem,
        "emblem_alt": page.facts.mark_name,
        "demo": page.say("DEMO: an example, not a real certificate") if demo else [],
        "mark": page.facts.mark_name,
        "mark_names": page.translations(page.facts.mark_names),
        "headings": page.say("Certificate"),
        "number": facts.number,
        "statement": page.say(
            "The owner of the mark certifies that the product below is made at the place below, meets the published "
            "rules, and may carry the mark on the days of validity."
        ),
        "rows": page.rows(),
        "qr": qr,
        "qr_alt": facts.url,
        "url": facts.url,
        "check": page.say(
            "Check before you rely on it: scan the code or open the address below. Only the register shows the status "
            "of the certificate today. The signed stamp in the code can be checked offline."
        ),
        "not_this": page.say("This is not a customs certificate of origin."),
        "signed": page.say(
            "Electronically signed: the signature can be checked in the file, not on a print. The signed credential is "
            "attached to the file: {file}.",
            file=facts.token_name,
        ),
        "token": facts.token,
        "token_name": facts.token_name,
        "token_about": "W3C Verifiable Credential, application/vc+jwt",
    }


def _cleaned(facts: PaperFacts, clean: Clean) -> PaperFacts:
    def each(names: Mapping[str, str]) -> dict[str, str]:
        return {language: clean(name) for language, name in names.items()}

    return replace(
        facts,
        mark_name=clean(facts.mark_name),
        mark_names=each(facts.mark_names),
        issuer_name=clean(facts.issuer_name),
        ruleset=clean(facts.ruleset),
        holder_name=clean(facts.holder_name),
        holder_name_az=facts.holder_name_az and clean(facts.holder_name_az),
        authority_names=each(facts.authority_names),
        contact=tuple(map(clean, facts.contact)),
        product_names=each(facts.product_names),
        park_names=each(facts.park_names),
        district=clean(facts.district),
    )


def _piece(language: str, text: str, **more: Any) -> Piece:
    return {"lang": language, "dir": i18n.direction(language), "text": text, **more}


def _isolated(text: str, language: str) -> str:
    """Keeps numbers and Latin words in one piece inside a line that runs from the right (UAX #9)."""
    return f"\u2068{text}\u2069" if i18n.direction(language) == "rtl" else text


@dataclass(frozen=True, slots=True)
class _Page:
    tongues: tuple[str, ...]
    facts: PaperFacts

    def say(self, message: str, **values: str) -> list[Piece]:
        """The message in every language of the paper."""
        return [_piece(each, _translated(each, message, **values)) for each in self.tongues]

    def translations(self, names: Mapping[str, str]) -> list[Piece]:
        """The names in the languages of the paper but English, which stands above them."""
        return [_piece(each, names[each]) for each in self.tongues if each != "en" and names.get(each)]

    def rows(self) -> list[dict[str, Any]]:
        f = self.facts
        holder = [_value("en", f.holder_name, strong=True)]
        if f.holder_name_az and f.holder_name_az != f.holder_name:
            holder = [_value("az", f.holder_name_az, strong=True), _value("en", f.holder_name)]
        if f.holder_voen:
            holder.append(_value("az", f"VÖEN {f.holder_voen}", quiet=True))
        goods = f"{f.hs6[:4]}.{f.hs6[4:]}"
        code = [_value("en", goods if f.gtin is None else f"{goods}   GTIN {f.gtin}", strong=True)]
        return [
            self._row("Holder", holder),
            self._row("Product", self._names(f.product_names)),
            self._row("HS code", code),
            self._row("Place of production", self._places()),
            self._row("Country of origin", self._country()),
            self._row("Origin criterion", self._origin()),
            self._row("Valid", self._days()),
            self._row("Issued by", self._issuer()),
        ]

    def _row(self, label: str, values: list[Piece]) -> dict[str, Any]:
        """A label written from the right stands at the right edge."""
        labels = self.say(label)
        far = [each for each in labels if each["dir"] == "rtl"]
        return {"labels": [each for each in labels if each not in far], "far": far, "values": values}

    def _names(self, names: Mapping[str, str]) -> list[Piece]:
        """In the languages of the paper; where it has none of them, in the first that there is."""
        told = [each for each in self.tongues if names.get(each)] or [min(names)]
        return [_value(each, names[each], strong=not place) for place, each in enumerate(told)]

    def _places(self) -> list[Piece]:
        """A park and its district. Districts have one name, the Azerbaijani one."""
        f = self.facts
        if not f.park_names:
            return [_value("az", f.district, strong=True)]
        parks = [(each, f.park_names[each]) for each in self.tongues if f.park_names.get(each)]
        parks = parks or [(min(f.park_names), f.park_names[min(f.park_names)])]
        return [_value(each, f"{name}, {f.district}", strong=not place) for place, (each, name) in enumerate(parks)]

    def _country(self) -> list[Piece]:
        """By its names in the languages of the paper."""
        told = {i18n.country(self.facts.country, each): each for each in reversed(self.tongues)}
        return [_value(each, name, strong=not place) for place, (name, each) in enumerate(reversed(told.items()))]

    def _issuer(self) -> list[Piece]:
        """The owner of the mark as it signed, by its full names, and how it is reached."""
        f = self.facts
        names = [(each, f.authority_names[each]) for each in self.tongues if f.authority_names.get(each)]
        return [
            _value("en", f"{f.issuer_name}, {f.issued_on.isoformat()}"),
            *(_value(each, name, quiet=True) for each, name in names if name != f.issuer_name),
            *([_value("az", " · ".join(f.contact), quiet=True)] if f.contact else []),
            _value("en", f.ruleset, quiet=True),
        ]

    def _origin(self) -> list[Piece]:
        words = ORIGIN_IN_WORDS.get(self.facts.origin_criterion)
        if words is None:
            return [_value("en", self.facts.origin_criterion, strong=True)]
        pieces = self.say(words)
        return [{**each, "strong": False, "quiet": False} for each in pieces]

    def _days(self) -> list[Piece]:
        """Digits that everybody reads, then the same in words."""
        first, last = self.facts.valid_from, self.facts.valid_until
        days = [_value("en", f"{first.isoformat()} – {last.isoformat()}", strong=True)]
        for each in self.tongues:
            ends = {"first": _long(first, each), "last": _long(last, each)}
            text = _translated(each, "from {first} to {last}, both days included", **ends)
            days.append(_value(each, text, quiet=True))
        return days


def _value(language: str, text: str, *, strong: bool = False, quiet: bool = False) -> Piece:
    return _piece(language, text, strong=strong, quiet=quiet)


def _translated(language: str, message: str, **values: str) -> str:
    translation = i18n.catalogue("paper", language).gettext(message)
    return translation.format(**{name: _isolated(value, language) for name, value in values.items()})


def _long(day: date, language: str) -> str:
    locale = "en_GB" if language == "en" else i18n.locale(language)
    return format_date(day, "long", locale=locale)
