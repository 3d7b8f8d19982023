"""Compare a certificate with what its reader expects: holder, product, HS code, term. Pure.

Names are compared as people write them, not as bytes: Unicode NFKC, case folded with the dotted and the dotless i as
one letter, without quotation marks. A holder is compared by either of its names, with or without a legal form, and
folded (accents, ə for e, hyphens and spaces do not count), because invoices abroad have no ə. A product is compared in
any of the certificate's languages, and there every further difference counts: the comparison helps to decide about
goods at a border.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Final

from app.certificates.read_model.record import CertificateRecord
from app.core.messages import DATE_EXPECTED, Message
from app.core.text.normalize import fold_alphanumeric
from app.organisations.legal_forms import name_without_form

MAX_CHARS: Final = 1_000


class Comparison(StrEnum):
    MATCH = "match"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class ExpectedFields:
    """Values that a reader found on a label or an invoice; None where no value was given."""

    holder: str | None = None
    product: str | None = None
    hs6: str | None = None
    valid_until: date | None = None


FIELDS: Final = tuple(field.name for field in fields(ExpectedFields))


def parse_expected(value: object) -> tuple[ExpectedFields, list[dict[str, str]]]:
    """Parse the JSON `expect` object into expected fields and a list of problems.

    Each problem is `{"pointer", "detail"}`. The fields may be used only when there is no problem.
    """
    if not isinstance(value, Mapping):
        return ExpectedFields(), [{"pointer": "", "detail": Message("“expect” must be an object.", code="wrong-type")}]
    problems = []
    if value.keys() - set(FIELDS):  # not named: the names come from an anonymous client
        problems.append(
            {
                "pointer": "",
                "detail": Message(
                    "Only these can be expected: %(allowed)s.", code="unknown-member", allowed=list(FIELDS)
                ),
            }
        )
    texts: dict[str, str] = {}
    for name in FIELDS:
        if name not in value:
            continue
        text = value[name]
        if not isinstance(text, str):
            problems.append(
                {"pointer": f"/{name}", "detail": Message("“%(name)s” must be a string.", code="wrong-type", name=name)}
            )
        elif len(text) > MAX_CHARS:
            problems.append(
                {
                    "pointer": f"/{name}",
                    "detail": Message("This is longer than %(limit)s characters.", code="too-long", limit=MAX_CHARS),
                }
            )
        else:
            texts[name] = text
    hs6 = until = None
    if "hs6" in texts and (hs6 := _parse_hs6(texts["hs6"])) is None:
        problems.append(
            {
                "pointer": "/hs6",
                "detail": Message("An HS subheading has six digits, such as 730630.", code="wrong-format"),
            }
        )
    if "valid_until" in texts and (until := _parse_day(texts["valid_until"])) is None:
        problems.append({"pointer": "/valid_until", "detail": DATE_EXPECTED})
    return ExpectedFields(texts.get("holder"), texts.get("product"), hs6, until), problems


def compare_fields(expected: ExpectedFields, record: CertificateRecord) -> dict[str, Comparison]:
    """Compare each expected field that has a value with the certificate."""
    found = {
        "holder": expected.holder is not None
        and _is_same_holder(expected.holder, (record.holder_name, record.holder_name_az)),
        "product": expected.product is not None and _is_same_product(expected.product, record.product_names),
        "hs6": expected.hs6 == record.hs6,
        "valid_until": expected.valid_until == record.valid_until,
    }
    return {
        name: Comparison.MATCH if same else Comparison.DIFFERS
        for name, same in found.items()
        if getattr(expected, name) is not None
    }


def _is_same_holder(expected: str, names: Iterable[str | None]) -> bool:
    expected_name = _without_legal_form(expected)
    return expected_name != "" and expected_name in {_without_legal_form(name) for name in names if name}


def _without_legal_form(name: str) -> str:
    """Remove the legal form from a holder's name and fold the rest.

    A name of which folding leaves nothing is returned unfolded.
    """
    bare = name_without_form(normalize_for_comparison(name))
    return fold_alphanumeric(bare) or bare


def _is_same_product(expected: str, names: Mapping[str, str]) -> bool:
    expected_name = normalize_for_comparison(expected)
    return expected_name != "" and expected_name in {normalize_for_comparison(name) for name in names.values()}


# Apostrophes occur inside words as well (“Qarabağ'ın”), so they are removed and not replaced by a space.
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’‚‛′ʼʻ＇"))
_QUOTES = dict.fromkeys(map(ord, '"«»“”„‟‹›″＂「」『』〝〞〟'), " ")
_LETTERS = {ord("ı"): "i", ord("İ"): "i"}
_NORMALIZATION = _APOSTROPHES | _QUOTES | _LETTERS


def normalize_for_comparison(text: str) -> str:
    """Normalize a name to the spelling in which names are compared."""
    # Marks are removed before NFKC as well: NFKC turns a separate acute accent into a space and a combining accent.
    folded = unicodedata.normalize("NFKC", text.translate(_NORMALIZATION)).translate(_NORMALIZATION).casefold()
    dotless = unicodedata.normalize("NFKC", folded).replace("i\u0307", "i")  # I with a combining dot above
    return " ".join(dotless.split())


def _parse_hs6(text: str) -> str | None:
    digits = re.sub(r"[\s.]", "", text)
    return digits if re.fullmatch("[0-9]{6}", digits) else None


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
