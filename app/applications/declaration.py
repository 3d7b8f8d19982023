"""The applicant's declaration (C-16): the text, and a member's acceptance of it over the declared hash.

It is made by a person of the company. An API client may submit once a member has declared what stands there now.
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
    text: Mapping[str, str]  # language → sentence: az, en


@cache
def load_declaration_text() -> DeclarationText:
    """The text in force."""
    raw = tomllib.loads((files("app.applications") / "declaration.toml").read_text("utf-8"))
    return DeclarationText(raw["version"], raw["text"])


@dataclass(frozen=True, slots=True)
class DeclarationScope:
    """What a declaration has to cover as of now, and the newest one."""

    hash: str
    documents: tuple[UUID, ...]
    latest: Declaration | None

    @property
    def is_covered(self) -> bool:
        """Whether the newest declaration is over the text and the content as they are now."""
        text = load_declaration_text()
        return self.latest is not None and (self.latest.declared_hash, self.latest.text_version) == (
            self.hash,
            text.version,
        )


def build_declaration_scope(
    session: Session,
    application: Application,
    wholes: Collection[ProductAggregate],
    sites: Collection[Site],
    evidence: Sequence[Evidence],
) -> DeclarationScope:
    newest = application_repository.latest_declaration(session, application.id)
    documents = declarable_documents(application, wholes, evidence, newest)
    return DeclarationScope(compute_declared_hash(wholes, sites, documents), tuple(row.id for row in documents), newest)


def load_declaration_scope(session: Session, application: Application) -> DeclarationScope:
    """What a declaration has to cover, read from the tables."""
    wholes = product_repository.load_aggregates_by_id(
        session, application_repository.product_ids(session, application.id)
    )
    sites = organisation_repository.find_sites(session, [each.product.site_id for each in wholes.values()])
    evidence = application_repository.list_usable_evidence(session, application.organisation_id, application.id)
    return build_declaration_scope(session, application, list(wholes.values()), list(sites.values()), evidence)


def load_for_declaration(
    session: Session, actor: Actor, application_id: UUID, ask_first: Callable[[], None] = lambda: None
) -> Application:
    """The company's own application, locked, while it can be declared for: 404, 403 (staff, API clients), 409.

    `ask_first` is called between 403 and 409: a retry may come when the application is over.
    """
    application = case_access.get_visible(session, actor, application_id, lock=True)
    require_organisation_id(actor)
    require_user_id(actor)
    ask_first()
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
    """Accept the text over what stands in the application now.

    Raises `NotFound`, `Forbidden` (staff, API clients), `Conflict`: `application-frozen` (it is over) or
    `declaration-outdated` (another hash or text than the present ones, which it names).
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
    """Refuse what nobody has declared as it stands: 409 `declaration-missing` names the hash to declare."""
    if not declared.is_covered:
        raise Conflict(
            "A member of the company has to declare first that what stands here is true and complete "
            "(POST /v1/applications/{id}/declaration).",
            code="declaration-missing",
            data={"text_version": load_declaration_text().version, "declared_hash": declared.hash},
        )
