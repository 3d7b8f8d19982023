"""Query marks and their published rulesets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import core_table
from app.schemes.model import RulesetRow, SchemeRow


@dataclass(frozen=True, slots=True)
class CurrentRuleset:
    """A mark, and the version and digest of its ruleset in force, without the rules."""

    content: dict[str, Any]
    version: str
    digest: str


_SCHEME, _RULESET = core_table(SchemeRow).c, core_table(RulesetRow).c
_CURRENT = (
    sa.select(_SCHEME.content, _RULESET.version, _RULESET.digest)
    .join_from(core_table(SchemeRow), core_table(RulesetRow), _RULESET.scheme_code == _SCHEME.code)
    .where(_SCHEME.code == sa.bindparam("code"), _RULESET.version == _SCHEME.current_ruleset)
)


def find_current(session: Session, code: str) -> CurrentRuleset | None:
    row = session.execute(_CURRENT, {"code": code}).one_or_none()
    return None if row is None else CurrentRuleset(row.content, row.version, row.digest)


def find_scheme(session: Session, code: str) -> SchemeRow | None:
    return session.get(SchemeRow, code)


def list_schemes(session: Session) -> Sequence[SchemeRow]:
    return session.scalars(sa.select(SchemeRow).order_by(SchemeRow.code)).all()


def find_ruleset(session: Session, code: str, version: str) -> RulesetRow | None:
    return session.get(RulesetRow, (code, version))


def list_all_rulesets(session: Session) -> Sequence[RulesetRow]:
    """Return the rulesets of every mark, oldest first."""
    order = (RulesetRow.published_at, RulesetRow.scheme_code, RulesetRow.version)
    return session.scalars(sa.select(RulesetRow).order_by(*order)).all()


def list_rulesets(session: Session, code: str) -> Sequence[RulesetRow]:
    """Return the rulesets of a mark, newest first."""
    query = sa.select(RulesetRow).where(RulesetRow.scheme_code == code)
    return session.scalars(query.order_by(RulesetRow.published_at.desc(), RulesetRow.version.desc())).all()
