"""Parse the query of the register pages, search, and prepare the rows to display."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.orm import Session

from app.certificates.read_model import search_repository
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.search import EffectiveStatus, FacetCounts, RegisterSearch, fits
from app.core.dates import baku_day
from app.pages.i18n import _
from app.pages.public.verdict_texts import VERDICT_TEXTS, VerdictText
from app.verification.service import VerificationService
from app.verification.verdict import Verdict, VerificationResult
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
    EffectiveStatus.KEY_COMPROMISED: VERDICT_TEXTS[Verdict.KEY_COMPROMISED],
}
"""Text of each status filter. A certificate that is not yet valid is counted as valid."""

TOO_LONG: Final = _("This is too long. Enter fewer words.")
INVALID_HS: Final = _("An HS code has 2 to 6 digits, such as 7306.")
INVALID_CHOICE: Final = _("Choose one of the options.")


@dataclass(frozen=True, slots=True)
class RegisterInput:
    """A parsed query: the search, the given texts by field, and error texts (keys of the catalogues) by field."""

    search: RegisterSearch
    given: Mapping[str, str]
    wrong: Mapping[str, str]

    def address(self, **changed: str | None) -> str:
        """Return the query of this search with changed filters, at its first page; empty without any filter."""
        wanted = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"?{urlencode(wanted)}" if wanted else ""


def parse_query(query: Mapping[str, str], schemes: Sequence[str], parks: Sequence[str]) -> RegisterInput:
    """Parse the query of `/register`. Unknown fields are ignored, wrong ones are reported and not searched."""
    names = ("q", "holder", "product", "hs", "status", "scheme", "park")
    given = {name: text for name in names if (text := query.get(name, "").strip())}
    wrong = {name: TOO_LONG for name in ("q", "holder", "product") if len(given.get(name, "")) > MAX_CHARS}
    hs6 = "".join(given.get("hs", "").removeprefix("HS").replace(".", "").split())
    if hs6 and not (hs6.isascii() and hs6.isdecimal() and 2 <= len(hs6) <= 6):
        wrong["hs"] = INVALID_HS
    for name, allowed in (("status", list(EffectiveStatus)), ("scheme", schemes), ("park", parks)):
        if given.get(name) and given[name] not in allowed:
            wrong[name] = INVALID_CHOICE
    valid = {name: text for name, text in given.items() if name not in wrong}
    search = RegisterSearch(
        q=valid.get("q"),
        holder=valid.get("holder"),
        product=valid.get("product"),
        hs6=hs6 if "hs" in valid else None,
        status=EffectiveStatus(valid["status"]) if "status" in valid else None,
        scheme=valid.get("scheme"),
        park=valid.get("park"),
    )
    shown = {name: text[: MAX_CHARS + 1] for name, text in given.items()}
    return RegisterInput(search, shown, wrong)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    certificate: CertificateRecord
    judgement: VerificationResult
    organisation_id: UUID  # of the row, for certificates in shapes that do not name the company

    @property
    def holder(self) -> UUID:
        return UUID(self.certificate.holder_id) if self.certificate.holder_id else self.organisation_id

    @property
    def face(self) -> VerdictText:
        return VERDICT_TEXTS[self.judgement.verdict]


@dataclass(frozen=True, slots=True)
class RegisterView:
    """One page of results, newest first. `newer` and `older` are cursors, or None without such a page."""

    rows: Sequence[RegisterEntry]
    counts: FacetCounts
    total: int
    newer: str | None
    older: str | None


def load(
    session: Session, wanted: RegisterSearch, query: Mapping[str, str], service: VerificationService, now: datetime
) -> RegisterView:
    """Search by columns, show a page of certificates as they are proven. Raises `Invalid` for an unknown cursor."""
    before, after = (pagination.decode_cursor(query[name]) if query.get(name) else None for name in ("before", "after"))
    today: date = baku_day(now)
    counts = search_repository.count_facets(session, wanted, today)
    found = search_repository.search_certificates(
        session, wanted, today, before=before, after=after, limit=PAGE_SIZE + 1
    )
    more = len(found) > PAGE_SIZE
    shown = found[1:] if more and after else found[:PAGE_SIZE]
    proven = service.read_many(session, [each.number for each in shown], now)
    return RegisterView(
        rows=[
            RegisterEntry(*proven[each.number], each.organisation_id)
            for each in shown
            if each.number in proven and fits(wanted, proven[each.number].record, today)
        ],
        counts=counts,
        total=counts.total(wanted),
        newer=pagination.encode_cursor(shown[0].id) if shown and (more if after else before is not None) else None,
        older=pagination.encode_cursor(shown[-1].id) if shown and (more or after) else None,
    )
