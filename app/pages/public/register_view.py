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
from app.certificates.read_model.search import Counts, Search, Standing
from app.core.crypto.keyring import KeyRing
from app.core.dates import baku_day
from app.pages.i18n import _
from app.pages.public.verdict_texts import FACES, Face
from app.transparency import log_repository
from app.transparency.model import LogEntry
from app.verification.verdict import Judgement, Verdict, judge_number
from app.web import pagination

ON_A_PAGE: Final = 25
LONGEST: Final = 200

STANDINGS: Mapping[Standing, Face] = {
    Standing.ACTIVE: FACES[Verdict.VALID],
    Standing.SUSPENDED: FACES[Verdict.SUSPENDED],
    Standing.EXPIRED: FACES[Verdict.EXPIRED],
    Standing.REVOKED: FACES[Verdict.REVOKED],
    Standing.SURRENDERED: FACES[Verdict.SURRENDERED],
    Standing.SUPERSEDED: FACES[Verdict.SUPERSEDED],
}
"""The word of each filter. A certificate whose term has not begun is counted with the valid ones."""

TOO_LONG: Final = _("This is too long. Enter fewer words.")
NO_HS: Final = _("An HS code has 2 to 6 digits, such as 7306.")
NO_CHOICE: Final = _("Choose one of the options.")


@dataclass(frozen=True, slots=True)
class Asked:
    """`given` is what the address said, field by field; `wrong` says of what cannot be read why, in catalogue texts."""

    search: Search
    given: Mapping[str, str]
    wrong: Mapping[str, str]

    def address(self, **changed: str | None) -> str:
        """The query of this search with other filters, from its first page on; empty where nothing is asked."""
        wanted = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"?{urlencode(wanted)}" if wanted else ""


def read(query: Mapping[str, str], schemes: Sequence[str], parks: Sequence[str]) -> Asked:
    """What `/register?…` asks for; fields that it does not know are passed over."""
    names = ("q", "holder", "product", "hs", "status", "scheme", "park")
    given = {name: text for name in names if (text := query.get(name, "").strip())}
    wrong = {name: TOO_LONG for name in ("q", "holder", "product") if len(given.get(name, "")) > LONGEST}
    hs6 = "".join(given.get("hs", "").removeprefix("HS").replace(".", "").split())
    if hs6 and not (hs6.isascii() and hs6.isdecimal() and 2 <= len(hs6) <= 6):
        wrong["hs"] = NO_HS
    for name, known in (("status", list(Standing)), ("scheme", schemes), ("park", parks)):
        if given.get(name) and given[name] not in known:
            wrong[name] = NO_CHOICE
    good = {name: text for name, text in given.items() if name not in wrong}
    search = Search(
        q=good.get("q"),
        holder=good.get("holder"),
        product=good.get("product"),
        hs6=hs6 if "hs" in good else None,
        status=Standing(good["status"]) if "status" in good else None,
        scheme=good.get("scheme"),
        park=good.get("park"),
    )
    shown = {name: text[: LONGEST + 1] for name, text in given.items()}
    return Asked(search, shown, wrong)


@dataclass(frozen=True, slots=True)
class Row:
    certificate: Certificate
    judgement: Judgement

    @property
    def face(self) -> Face:
        return FACES[self.judgement.verdict]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what was found. `newer` and `older` are cursors; None where there is no such page."""

    rows: Sequence[Row]
    counts: Counts
    total: int
    newer: str | None
    older: str | None


def look_up(session: Session, wanted: Search, query: Mapping[str, str], keys: KeyRing, now: datetime) -> Listing:
    """Raises Invalid for a cursor that is not ours."""
    before, after = (pagination.read(query[name]) if query.get(name) else None for name in ("before", "after"))
    today: date = baku_day(now)
    counts = search_repository.count(session, wanted, today)
    found = search_repository.search(session, wanted, today, before=before, after=after, limit=ON_A_PAGE + 1)
    more = len(found) > ON_A_PAGE
    shown = found[1:] if more and after else found[:ON_A_PAGE]
    logged = log_repository.issued_of(session, [each.number for each in shown])
    return Listing(
        rows=[Row(each, _judge(each, logged.get(each.number), keys, now)) for each in shown],
        counts=counts,
        total=counts.total(wanted),
        newer=pagination.write(shown[0].id) if shown and (more if after else before is not None) else None,
        older=pagination.write(shown[-1].id) if shown and (more or after) else None,
    )


def _judge(row: Certificate, entry: LogEntry | None, keys: KeyRing, now: datetime) -> Judgement:
    """The one verdict of the house; a row shows no other status than a check of its number."""
    return judge_number(CertificateRecord.of(row, entry), keys, now)
