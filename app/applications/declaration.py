"""Read and record the applicant's declaration (C-16): acceptance of the text for a declared hash.

Only a member of the company can declare. An API client can submit once a member has declared the present content.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.assessment.declared_hash import compute_declared_hash, declarable_documents
from app.applications.model import Application, Declaration, DeclarationMethod, Evidence
from app.applications.workflow import OPEN_STATES, State
from app.audit import recorder
from app.auth.permissions import require_organisation_id, require_user_id
from app.core.actor import Actor
from app.core.database import new_id
from app.core.errors import Conflict
from app.core.messages import Message, to_value_message
from app.organisations import organisation_repository
from app.organisations.model import Site
from app.products import product_repository
from app.products.product_repository import ProductAggregate


@dataclass(frozen=True, slots=True)
class DeclarationText:
    version: str
    text: Mapping[str, str]  # language (az, en) → sentence


@cache
def load_declaration_text() -> DeclarationText:
    """Return the declaration text in force."""
    raw = tomllib.loads((files("app.applications") / "declaration.toml").read_text("utf-8"))
    return DeclarationText(raw["version"], raw["text"])


@dataclass(frozen=True, slots=True)
class DeclarationScope:
    """Hold what a declaration must cover now, and the newest declaration."""

    hash: str
    documents: tuple[UUID, ...]
    latest: Declaration | None

    @property
    def is_covered(self) -> bool:
        """Return whether the newest declaration covers the present text and content."""
        text = load_declaration_text()
        return self.latest is not None and (self.latest.declared_hash, self.latest.text_version) == (
            self.hash,
            text.version,
        )


def build_declaration_scope(
    session: Session,
    application: Application,
    aggregates: Collection[ProductAggregate],
    sites: Collection[Site],
    evidence: Sequence[Evidence],
) -> DeclarationScope:
    newest = application_repository.latest_declaration(session, application.id)
    documents = declarable_documents(application, aggregates, evidence, newest)
    return DeclarationScope(
        compute_declared_hash(aggregates, sites, documents), tuple(row.id for row in documents), newest
    )


def load_declaration_scope(session: Session, application: Application) -> DeclarationScope:
    """Load what a declaration of the application must cover."""
    aggregates = product_repository.load_aggregates_by_id(
        session, application_repository.product_ids(session, application.id)
    )
    sites = organisation_repository.find_sites(session, [each.product.site_id for each in aggregates.values()])
    evidence = application_repository.list_usable_evidence(session, application.organisation_id, application.id)
    return build_declaration_scope(session, application, list(aggregates.values()), list(sites.values()), evidence)


def load_for_declaration(
    session: Session, actor: Actor, application_id: UUID, before_check: Callable[[], None] = lambda: None
) -> Application:
    """Lock the company's own application and check that it can be declared for.

    Raises `NotFound`, `Forbidden` (staff, API clients), `Conflict` (`application-frozen`). `before_check` is called
    before the state is checked, so that a retry is answered after the application was decided.
    """
    application = case_access.get_visible(session, actor, application_id, lock=True)
    require_organisation_id(actor)
    require_user_id(actor)
    before_check()
    if State(application.state) not in OPEN_STATES:
        raise Conflict(
            Message(
                "The application is %(state)s; nothing is declared for it any more.",
                state=to_value_message(application.state),
            ),
            code="application-frozen",
            data={"state": application.state, "allowed": []},
        )
    return application


def declare(
    session: Session, actor: Actor, application_id: UUID, *, text_version: str, content_hash: str, now: datetime
) -> Declaration:
    """Record that the actor accepts the declaration text for the present content of the application.

    Raises `NotFound`, `Forbidden` (staff, API clients), `Conflict`: `application-frozen` (decided or ended) or
    `declaration-outdated` (hash or text differ from the present ones, which the error names).
    """
    application = load_for_declaration(session, actor, application_id)
    user_id = require_user_id(actor)
    now_declared = load_declaration_scope(session, application)
    text = load_declaration_text()
    if (text_version, content_hash) != (text.version, now_declared.hash):
        raise Conflict(
            "This is not the text and content as they are now. Read both again, then declare.",
            code="declaration-outdated",
            data={"text_version": text.version, "declared_hash": now_declared.hash},
        )
    row = Declaration(
        id=new_id(),
        application_id=application.id,
        text_version=text.version,
        declared_hash=now_declared.hash,
        documents=[str(each) for each in now_declared.documents],
        method=DeclarationMethod.CLICK.value,
        made_by=user_id,
        made_at=now,
    )
    session.add(row)
    session.flush()
    recorder.record(
        session,
        actor,
        "application.declared",
        ("application", application.id),
        now,
        case_id=application.id,
        declared_hash=row.declared_hash,
        text_version=text.version,
    )
    return row


def require_declared(declared: DeclarationScope) -> None:
    """Require a declaration of the present content. Raises `Conflict` (`declaration-missing`) with the present hash."""
    if not declared.is_covered:
        raise Conflict(
            "A member of the company must first declare that all data and documents are true and "
            "complete (POST /v1/applications/{id}/declaration).",
            code="declaration-missing",
            data={"text_version": load_declaration_text().version, "declared_hash": declared.hash},
        )
