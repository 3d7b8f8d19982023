"""Map marks and their published rulesets to tables.

A published ruleset never changes: a trigger refuses it, and the digest would show it.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base


class SchemeRow(Base):
    __tablename__ = "schemes"

    code: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(comment="names, owner, terms; as in the scheme file")
    current_ruleset: Mapped[str]
    updated_at: Mapped[datetime]


class RulesetRow(Base):
    __tablename__ = "rulesets"

    scheme_code: Mapped[str] = mapped_column(sa.ForeignKey("schemes.code"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(comment="SHA-256 over the canonical JSON of the content")
    content: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
