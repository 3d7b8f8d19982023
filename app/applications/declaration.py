"""The applicant's declaration (C-16): the text, and a member's acceptance of it over the declared hash.

It is made by a person of the company. An API client may submit once a member has declared what stands there now.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from sqlalchemy.orm import Session

from app import audit
from app.access.rights import own_organisation, person
from app.actor import Actor
from app.applications import cases, store
from app.applications.declared import declared_hash
from app.applications.model import Application, Declaration, DeclarationMethod, Evidence
from app.applications.workflow import OPEN, State
from app.db import new_id
from app.errors import Conflict
from app.products import store as products
from app.registry import store as registry


@dataclass(frozen=True, slots=True)
class DeclarationText:
    version: str
    text: Mapping[str, str]  # language → sentence: az, en


@cache
def declaration_text() -> DeclarationText:
    """The text in force."""
    raw = tomllib.loads((files("app.applications") / "declaration.toml").read_text("utf-8"))
    return DeclarationText(raw["version"], raw["text"])


def present_hash(session: Session, application: Application, evidence: Sequence[Evidence] | None = None) -> str:
    """The declared hash as of now."""
    if evidence is None:
        evidence = store.evidence_for(session, application.organisation_id, application.id)
    wholes = products.by_id(session, store.product_ids(session, application.id))
    sites = registry.sites_by_id(session, [each.product.site_id for each in wholes.values()])
    return declared_hash(application.id, wholes.values(), sites.values(), evidence)


def takes_declaration(session: Session, actor: Actor, application_id: UUID) -> Application:
    """The company's own application, locked: 404, then 403 for staff and for API clients."""
    application = cases.visible(session, actor, application_id, lock=True)
    own_organisation(actor)
    person(actor)
    return application


def declare(
    session: Session, actor: Actor, application_id: UUID, *, text_version: str, declared_hash: str, now: datetime
) -> Declaration:
    """Accept the text over what stands in the application now.

    Raises `NotFound`, `Forbidden` (staff, API clients), `Conflict`: `application-frozen` (it is over) or
    `declaration-outdated` (another hash or text than the present ones, which it names).
    """
    application = takes_declaration(session, actor, application_id)
    user_id = person(actor)
    if State(application.state) not in OPEN:
        raise Conflict(
            f"The application is {application.state}; nothing is declared for it any more.",
            code="application-frozen",
            data={"state": application.state, "allowed": []},
        )
    present = present_hash(session, application)
    text = declaration_text()
    if (text_version, declared_hash) != (text.version, present):
        raise Conflict(
            "This is not the text and content as they are now. Read both again, then declare.",
            code="declaration-outdated",
            data={"text_version": text.version, "declared_hash": present},
        )
    row = Declaration(
        id=new_id(),
        application_id=application.id,
        text_version=text.version,
        declared_hash=present,
        method=DeclarationMethod.CLICK.value,
        made_by=user_id,
        made_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "application.declared",
        ("application", application.id),
        now,
        case_id=application.id,
        declared_hash=present,
        text_version=text.version,
    )
    return row


def check_declared(present: str, newest: Declaration | None) -> None:
    """Refuse what nobody has declared as it stands: 409 `declaration-missing` names the hash to declare."""
    text = declaration_text()
    if newest is None or (newest.declared_hash, newest.text_version) != (present, text.version):
        raise Conflict(
            "A member of the company has to declare first that what stands here is true and complete "
            "(POST /v1/applications/{id}/declaration).",
            code="declaration-missing",
            data={"text_version": text.version, "declared_hash": present},
        )
