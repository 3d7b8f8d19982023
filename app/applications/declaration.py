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
from app.applications.assessment.declared_hash import declarable, declared_hash
from app.applications.model import Application, Declaration, DeclarationMethod, Evidence
from app.applications.workflow import OPEN, State
from app.audit import recorder
from app.auth.permissions import own_organisation, person
from app.core.actor import Actor
from app.core.database import new_id
from app.core.errors import Conflict
from app.core.messages import Message, word_of
from app.organisations import organisation_repository
from app.organisations.model import Site
from app.products import product_repository
from app.products.product_repository import WholeProduct


@dataclass(frozen=True, slots=True)
class DeclarationText:
    version: str
    text: Mapping[str, str]  # language → sentence: az, en


@cache
def declaration_text() -> DeclarationText:
    """The text in force."""
    raw = tomllib.loads((files("app.applications") / "declaration.toml").read_text("utf-8"))
    return DeclarationText(raw["version"], raw["text"])


@dataclass(frozen=True, slots=True)
class Declared:
    """What a declaration has to cover as of now, and the newest one."""

    hash: str
    documents: tuple[UUID, ...]
    newest: Declaration | None

    @property
    def is_covered(self) -> bool:
        """Whether the newest declaration is over the text and the content as they are now."""
        text = declaration_text()
        return self.newest is not None and (self.newest.declared_hash, self.newest.text_version) == (
            self.hash,
            text.version,
        )


def declared_now(
    session: Session,
    application: Application,
    wholes: Collection[WholeProduct],
    sites: Collection[Site],
    evidence: Sequence[Evidence],
) -> Declared:
    newest = application_repository.declaration(session, application.id)
    documents = declarable(application, wholes, evidence, newest)
    return Declared(declared_hash(wholes, sites, documents), tuple(row.id for row in documents), newest)


def present(session: Session, application: Application) -> Declared:
    """What a declaration has to cover, read from the tables."""
    wholes = product_repository.by_id(session, application_repository.product_ids(session, application.id))
    sites = organisation_repository.sites_by_id(session, [each.product.site_id for each in wholes.values()])
    evidence = application_repository.evidence_for(session, application.organisation_id, application.id)
    return declared_now(session, application, list(wholes.values()), list(sites.values()), evidence)


def takes_declaration(
    session: Session, actor: Actor, application_id: UUID, ask_first: Callable[[], None] = lambda: None
) -> Application:
    """The company's own application, locked, while it can be declared for: 404, 403 (staff, API clients), 409.

    `ask_first` is called between 403 and 409: a retry may come when the application is over.
    """
    application = case_access.visible(session, actor, application_id, lock=True)
    own_organisation(actor)
    person(actor)
    ask_first()
    if State(application.state) not in OPEN:
        raise Conflict(
            Message(
                "The application is %(state)s; nothing is declared for it any more.", state=word_of(application.state)
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
    application = takes_declaration(session, actor, application_id)
    user_id = person(actor)
    now_declared = present(session, application)
    text = declaration_text()
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


def check_declared(declared: Declared) -> None:
    """Refuse what nobody has declared as it stands: 409 `declaration-missing` names the hash to declare."""
    if not declared.is_covered:
        raise Conflict(
            "A member of the company has to declare first that what stands here is true and complete "
            "(POST /v1/applications/{id}/declaration).",
            code="declaration-missing",
            data={"text_version": declaration_text().version, "declared_hash": declared.hash},
        )
