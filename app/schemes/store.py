"""Queries over marks and their published rulesets."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.schemes.model import RulesetRow, SchemeRow


def scheme(session: Session, code: str) -> SchemeRow | None:
    return session.get(SchemeRow, code)


def schemes(session: Session) -> Sequence[SchemeRow]:
    return session.scalars(sa.select(SchemeRow).order_by(SchemeRow.code)).all()


def ruleset(session: Session, code: str, version: str) -> RulesetRow | None:
    return session.get(RulesetRow, (code, version))


def all_rulesets(session: Session) -> Sequence[RulesetRow]:
    """Of every mark, oldest first."""
    order = (RulesetRow.published_at, RulesetRow.scheme_code, RulesetRow.version)
    return session.scalars(sa.select(RulesetRow).order_by(*order)).all()


def rulesets(session: Session, code: str) -> Sequence[RulesetRow]:
    """Newest first."""
    query = sa.select(RulesetRow).where(RulesetRow.scheme_code == code)
    return session.scalars(query.order_by(RulesetRow.published_at.desc(), RulesetRow.version.desc())).all()
