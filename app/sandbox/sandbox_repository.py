"""Query what robots act on, and empty the database of a sandbox."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Application
from app.applications.workflow import State
from app.certificates.model import Certificate, CertificateStatus
from app.core.database import Database
from app.organisations.model import Organisation


def list_applications(session: Session, states: Collection[State]) -> Sequence[UUID]:
    query = sa.select(Application.id).where(Application.state.in_([state.value for state in states]))
    return session.scalars(query.order_by(Application.id)).all()


def list_unchanged_certificates(session: Session) -> list[tuple[str, str]]:
    """Return number and holder's taxpayer number of the active certificates whose status never changed."""
    query = (
        sa.select(Certificate.number, Organisation.voen)
        .join(Organisation, Organisation.id == Certificate.organisation_id)
        .where(Certificate.status == CertificateStatus.ACTIVE.value, Certificate.status_since == Certificate.issued_at)
        .order_by(Certificate.number)
    )
    return [(number, voen) for number, voen in session.execute(query)]


def certificate_version(session: Session, number: str) -> int:
    return session.scalars(sa.select(Certificate.version).where(Certificate.number == number)).one()


def has_tables(database: Database) -> bool:
    return sa.inspect(database.write_engine).has_table("alembic_version")


def drop_schema(database: Database) -> None:
    """Drop everything in the schema that the address of the database leads to (PostgreSQL)."""
    with database.write_engine.begin() as connection:
        schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
        connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
