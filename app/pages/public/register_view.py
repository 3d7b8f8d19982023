"""What the pages of the register ask and show: the address read into a search, and rows made ready to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model import search_repository
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.search import EffectiveStatus, FacetCounts, RegisterSearch
from app.core.crypto.keyring import KeyRing
from app.core.dates import baku_day
from app.pages.i18n import _
from app.pages.public.verdict_texts import VERDICT_TEXTS, VerdictText
from app.transparency import log_repository
from app.transparency.model import LogEntry
from app.verification.verdict import Verdict, VerificationResult, evaluate_number
from app.web import pagination

PAGE_SIZE: Final = 25
MAX_CHARS: Final = 200

STATUS_TEXTS: Mapping[EffectiveStatus, VerdictText] = {
    EffectiveStatus.ACTIVE: VERDICT_TEXTS[Verdict.VALID],
    EffectiveStatus.SUSPENDED: VERDICT_TEXTS[Verdict.SUSPENDED],
    EffectiveStatus.EXPIRED: VERDICT_TEXTS[Verdict.EXPIRED],
    EffectiveStatus.REVOKED: VERDICT_TEXTS[Verdict.REVOKED],
    EffectiveStatus.SURRENDERED: VERDICT_TEXTS[Verdict.SURRENDERED],
    EffectiveStatus.SUPERSEDED: VERDICT_TEXTS[Verdict.SUPERSEDED],
}
"""The word of each filter. A certificate whose term has not begun is counted with the valid ones."""

TOO_LONG: Final = _("This is too long. Enter fewer words.")
INVALID_HS: Final = _("An HS code has 2 to 6 digits, such as 7306.")
INVALID_CHOICE: Final = _("Choose one of the options.")


@dataclass(frozen=True, slots=True)
class RegisterInput:
    """`given` is what the address said, field by field; `wrong` says of what cannot be read why, in catalogue texts."""

    search: RegisterSearch
    given: Mapping[str, str]
    wrong: Mapping[str, str]

    def address(self, **changed: str | None) -> str:
        """The query of this search with other filters, from its first page on; empty where nothing is asked."""
        wanted = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"?{urlencode(wanted)}" if wanted else ""


def parse_query(query: Mapping[str, str], schemes: Sequence[str], parks: Sequence[str]) -> RegisterInput:
    """What `/register?…` asks for; fields that it does not know are passed over."""
    names = ("q", "holder", "product", "hs", "status", "scheme", "park")
    given = {name: text for name in names if (text := query.get(name, "").strip())}
    wrong = {name: TOO_LONG for name in ("q", "holder", "product") if len(given.get(name, "")) > MAX_CHARS}
    hs6 = "".join(given.get("hs", "").removeprefix("HS").replace(".", "").split())
    if hs6 and not (hs6.isascii() and hs6.isdecimal() and 2 <= len(hs6) <= 6):
        wrong["hs"] = INVALID_HS
    for name, known in (("status", list(EffectiveStatus)), ("scheme", schemes), ("park", parks)):
        if given.get(name) and given[name] not in known:
            wrong[name] = INVALID_CHOICE
    good = {name: text for name, text in given.items() if name not in wrong}
    search = RegisterSearch(
        q=good.get("q"),
        holder=good.get("holder"),
        product=good.get("product"),
        hs6=hs6 if "hs" in good else None,
        status=EffectiveStatus(good["status"]) if "status" in good else None,
        scheme=good.get("scheme"),
        park=good.get("park"),
    )
    shown = {name: text[: MAX_CHARS + 1] for name, text in given.items()}
    return RegisterInput(search, shown, wrong)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    certificate: Certificate
    judgement: VerificationResult

    @property
    def face(self) -> VerdictText:
        return VERDICT_TEXTS[self.judgement.verdict]


@dataclass(frozen=True, slots=True)
class RegisterView:
    """One page of what was found. `newer` and `older` are cursors; None where there is no such page."""

    rows: Sequence[RegisterEntry]
    counts: FacetCounts
    total: int
    newer: str | None
    older: str | None


def load(
    session: Session, wanted: RegisterSearch, query: Mapping[str, str], keys: KeyRing, now: datetime
) -> RegisterView:
    """Raises Invalid for a cursor that is not ours."""
    before, after = (pagination.decode_cursor(query[name]) if query.get(name) else None for name in ("before", "after"))
    today: date = baku_day(now)
    counts = search_repository.count_facets(session, wanted, today)
    found = search_repository.search_certificates(
        session, wanted, today, before=before, after=after, limit=PAGE_SIZE + 1
    )
    more = len(found) > PAGE_SIZE
    shown = found[1:] if more and after else found[:PAGE_SIZE]
    logged = log_repository.find_issue_entries(session, [each.number for each in shown])
    return RegisterView(
        rows=[RegisterEntry(each, _evaluate(each, logged.get(each.number), keys, now)) for each in shown],
        counts=counts,
        total=counts.total(wanted),
        newer=pagination.encode_cursor(shown[0].id) if shown and (more if after else before is not None) else None,
        older=pagination.encode_cursor(shown[-1].id) if shown and (more or after) else None,
    )


def _evaluate(row: Certificate, entry: LogEntry | None, keys: KeyRing, now: datetime) -> VerificationResult:
    """Evaluate a row as a verification of its number does, so that both show one status."""
    return evaluate_number(CertificateRecord.from_row(row, entry), keys, now)
