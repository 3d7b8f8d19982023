"""Publish marks and rulesets, and find the ruleset in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.audit import recorder
from app.core import canonical_json
from app.core.actor import SYSTEM
from app.core.database import dumps_canonical
from app.core.errors import Conflict, NotFound, UnsafeToStart
from app.core.messages import Message
from app.schemes import scheme_repository
from app.schemes.closed_lists import load_lists
from app.schemes.model import RulesetRow, SchemeRow
from app.schemes.ruleset import Ruleset, Scheme
from app.transparency import appender, log_repository
from app.transparency.log_entry import Entry, LogEvent


@dataclass(frozen=True, slots=True)
class CurrentScheme:
    """A mark with its ruleset in force."""

    code: str
    names: Mapping[str, str]
    owner: str
    term_months: int
    assessment_level: str
    ruleset: Ruleset

    def name(self, language: str = "en") -> str:
        return self.names.get(language) or self.names["en"]


def publish_rulesets(session: Session, schemes: Iterable[Scheme], now: datetime) -> None:
    """Publish marks and rulesets from their files into the database.

    A published ruleset is immutable: a file with other content under the same version is refused with `UnsafeToStart`
    and needs a version of its own.
    """
    for scheme in schemes:
        row = scheme_repository.find_scheme(session, scheme.code)
        if row is None:
            row = SchemeRow(
                code=scheme.code, content=scheme.content_without_ruleset(), current_ruleset="", updated_at=now
            )
            session.add(row)
        elif row.content != scheme.content_without_ruleset():
            row.content, row.updated_at = scheme.content_without_ruleset(), now
        session.flush()
        _publish_ruleset(session, scheme.ruleset, now)
        if row.current_ruleset != scheme.ruleset.version:
            row.current_ruleset, row.updated_at = scheme.ruleset.version, now
    _log_rulesets(session, now)


def _publish_ruleset(session: Session, ruleset: Ruleset, now: datetime) -> None:
    digest = canonical_json.digest(ruleset.content())  # of the content to store, not the cached digest
    published = scheme_repository.find_ruleset(session, ruleset.scheme, ruleset.version)
    if published is None:
        row = RulesetRow(
            scheme_code=ruleset.scheme,
            version=ruleset.version,
            digest=digest,
            content=ruleset.content(),
            published_at=now,
        )
        session.add(row)
        session.flush()
        subject = ("ruleset", f"{ruleset.scheme}/{ruleset.version}")
        recorder.record(session, SYSTEM, "ruleset.published", subject, now, sha256=digest)
    elif published.digest != digest:
        if published.content.get("lists_digest") != ruleset.lists_digest:
            raise UnsafeToStart(
                f"The ruleset {ruleset.scheme} {ruleset.version} was published with other closed lists "
                "(operations.toml, lists.toml). Their digest is part of it: give the rules of each mark a new version."
            )
        raise UnsafeToStart(
            f"The ruleset {ruleset.scheme} {ruleset.version} was published with other content. "
            "A published ruleset never changes: give the changed rules a new version in the scheme file."
        )


def _log_rulesets(session: Session, now: datetime) -> None:
    """Log every published ruleset, including those older than the log."""
    for row in scheme_repository.list_all_rulesets(session):
        subject = f"{row.scheme_code}/{row.version}"
        if not log_repository.has_entry(session, LogEvent.RULESET_PUBLISHED, subject):
            appender.add_entry(session, Entry(LogEvent.RULESET_PUBLISHED, now, subject, sha256=row.digest))


def get_scheme(session: Session, code: str) -> SchemeRow:
    """Return the stored mark. Raises `NotFound`."""
    row = scheme_repository.find_scheme(session, code)
    if row is None:
        raise NotFound.of("scheme")
    return row


def current_scheme(session: Session, code: str) -> CurrentScheme:
    """Return the mark with its ruleset in force. Raises `NotFound`."""
    current = scheme_repository.find_current(session, code)
    if current is None:
        raise NotFound.of("scheme")
    content = current.content
    return CurrentScheme(
        code,
        content["names"],
        content["owner"],
        content["term_months"],
        content["assessment_level"],
        _rulesets_by_digest.get(current.digest) or load_ruleset(session, code, current.version),
    )


_rulesets_by_digest: dict[str, Ruleset] = {}
"""Published rulesets by content digest, which never changes: parsed once per process."""


NOT_EVALUABLE = "ruleset-not-judged"


def load_ruleset(session: Session, code: str, version: str) -> Ruleset:
    """Load a published ruleset for evaluation.

    Raises `NotFound`; `Conflict` (`ruleset-not-judged`) for a ruleset that this version of the service can only show:
    of an earlier edition of the rules, or with other closed lists.
    """
    row = scheme_repository.find_ruleset(session, code, version)
    if row is None:
        raise NotFound.of("ruleset")
    if row.digest in _rulesets_by_digest:
        return _rulesets_by_digest[row.digest]
    ruleset = _parse_evaluable(row)
    if (
        canonical_json.digest(row.content) == row.digest
    ):  # otherwise the row was changed outside the service: not cached
        _rulesets_by_digest[row.digest] = ruleset
    return ruleset


def _parse_evaluable(row: RulesetRow) -> Ruleset:
    name = f"{row.scheme_code} {row.version}"
    message = Message(
        "The ruleset %(ruleset)s is of an earlier edition of the rules: it can be shown, but it cannot be used "
        "for assessments.",
        ruleset=name,
    )
    if "lists_digest" not in row.content:
        raise Conflict(message, code=NOT_EVALUABLE)
    if row.content["lists_digest"] != load_lists().digest:
        raise Conflict(
            Message(
                "The ruleset %(ruleset)s was published over other closed lists than this version of the service has: "
                "it can be shown, but it cannot be used for assessments.",
                ruleset=name,
            ),
            code=NOT_EVALUABLE,
        )
    try:
        return Ruleset.model_validate_json(dumps_canonical(row.content))
    except ValidationError as error:
        raise Conflict(message, code=NOT_EVALUABLE) from error
