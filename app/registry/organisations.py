"""Companies: how they come in, and who confirms that these people act for them.

A company is `listed` by an import of the register, or made by its own registration. Whoever registers it claims it
(`unconfirmed`); the registrar confirms the claim on evidence, or refuses it, and then nobody acts for the company.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.access import service as access
from app.access.model import User
from app.access.rights import may_see, require, require_second_factor, require_staff
from app.actor import SYSTEM, Actor, Role
from app.db import new_id
from app.errors import Conflict, Invalid, MikError, NotFound, Version, WrongState, check_version
from app.registry import lookalikes, store, voen
from app.registry.model import Organisation, Source, Standing
from app.registry.text import fold, tidy, wrong_with

LONGEST_NAME = 250
LONGEST_FORM = 60
LONGEST_BASIS = 2_000


class Decision(StrEnum):
    CONFIRM = "confirm"
    REFUSE = "refuse"


DECISIONS: Mapping[tuple[Standing, Decision], Standing] = MappingProxyType(
    {
        (Standing.UNCONFIRMED, Decision.CONFIRM): Standing.CONFIRMED,
        (Standing.UNCONFIRMED, Decision.REFUSE): Standing.LISTED,
    }
)
"""The registrar's moves. The other one, listed → unconfirmed, is the company's own: it registers."""


def register_company(
    session: Session,
    *,
    legal_name_az: str,
    legal_name_en: str,
    legal_form: str,
    voen: str,
    email: str,
    full_name: str,
    password_hash: str,
    now: datetime,
) -> tuple[Organisation, User]:
    """A company registers itself with its first member; it may draft, but not submit, until it is confirmed.

    A company that an import listed is claimed: what the register says of it stays. Errors: Invalid; Conflict
    `voen-taken` where somebody acts, or says to act, for it already; Conflict `email-taken`.
    """
    names, number = _checked(
        {"legal_name_az": legal_name_az, "legal_name_en": legal_name_en}, legal_form, full_name, voen
    )
    try:
        with session.begin_nested():  # keeps the transaction usable when somebody else was faster by an instant
            organisation, claimed = _claim_or_create(session, names, number.digits, number.needs_review, now)
            member = access.create_member(
                session,
                SYSTEM,
                organisation_id=organisation.id,
                email=email,
                full_name=tidy(full_name),
                password_hash=password_hash,
                now=now,
            )
    except IntegrityError as why:
        raise _lost_the_race(session, number.digits) from why
    audit.record(
        session,
        SYSTEM,
        "organisation.registered",
        ("organisation", organisation.id),
        now,
        claimed=claimed,
        member=member.id,
        voen_needs_review=number.needs_review,
    )
    return organisation, member


def _claim_or_create(
    session: Session, names: Mapping[str, str], digits: str, needs_review: bool, now: datetime
) -> tuple[Organisation, bool]:
    known = store.organisation_by_voen(session, digits, lock=True)
    if known is None:
        organisation = Organisation(
            id=new_id(),
            **names,
            voen=digits,
            voen_needs_review=needs_review,
            source=Source.APPLICANT.value,
            search_text=search_text(names["legal_name_az"], names["legal_name_en"], digits),
            standing=Standing.UNCONFIRMED.value,
            created_at=now,
        )
        session.add(organisation)
        session.flush()
        return organisation, False
    if known.standing != Standing.LISTED:
        raise _taken(Standing(known.standing))
    known.standing = Standing.UNCONFIRMED.value
    if known.source == Source.APPLICANT:  # a refused registration named it, not the register
        known.legal_name_az, known.legal_name_en = names["legal_name_az"], names["legal_name_en"]
        known.legal_form = names["legal_form"]
        known.search_text = search_text(known.legal_name_az, known.legal_name_en, digits)
    known.version += 1
    session.flush()
    return known, True


def confirm_organisation(
    session: Session, actor: Actor, *, organisation_id: UUID, version: Version, basis: str, now: datetime
) -> Organisation:
    """The registrar has seen evidence that these people act for the company. `basis` says which."""
    organisation = _decide(session, actor, organisation_id, version, Decision.CONFIRM)
    organisation.confirmation_basis = _free_text(basis, "/basis")
    organisation.confirmed_by, organisation.confirmed_at = actor.id, now
    organisation.refusal_reason = None
    audit.record(session, actor, "organisation.confirmed", ("organisation", organisation.id), now)
    return organisation


def refuse_organisation(
    session: Session, actor: Actor, *, organisation_id: UUID, version: Version, reason: str, now: datetime
) -> Organisation:
    """The claim is refused: its members and clients are cut off, and the company can be claimed anew."""
    organisation = _decide(session, actor, organisation_id, version, Decision.REFUSE)
    organisation.refusal_reason = _free_text(reason, "/reason")
    access.deactivate_members(session, actor, organisation.id, now)
    audit.record(session, actor, "organisation.refused", ("organisation", organisation.id), now)
    return organisation


def guard(session: Session, actor: Actor, organisation_id: UUID, version: Version, decision: Decision) -> Organisation:
    """The company, locked; all refusals that do not depend on what is written: 404, 403, 428, 412, 409."""
    organisation = store.organisation(session, organisation_id, lock=True) if may_see(actor, organisation_id) else None
    if organisation is None:
        raise NotFound.of("company")
    require(actor, Role.REGISTRAR)
    require_second_factor(actor)
    check_version(version, organisation.version)
    standing = Standing(organisation.standing)
    if (standing, decision) not in DECISIONS:
        allowed = [other.value for state, other in DECISIONS if state is standing]
        raise WrongState("company", state=standing, action=decision, allowed=allowed)
    return organisation


def _decide(
    session: Session, actor: Actor, organisation_id: UUID, version: Version, decision: Decision
) -> Organisation:
    organisation = guard(session, actor, organisation_id, version, decision)
    organisation.standing = DECISIONS[Standing(organisation.standing), decision].value
    organisation.version += 1
    return organisation


def get_organisation(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    organisation = store.organisation(session, organisation_id) if may_see(actor, organisation_id) else None
    if organisation is None:
        raise NotFound.of("company")
    return organisation


def list_organisations(
    session: Session,
    actor: Actor,
    *,
    standing: Standing | None = None,
    q: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Organisation]:
    """Staff only; by id, `q` somewhere in the names or the VÖEN."""
    require_staff(actor)
    return store.organisations(session, standing=standing, q=q, after=after, limit=limit)


def search_text(legal_name_az: str, legal_name_en: str, digits: str) -> str:
    """What a search looks through."""
    return fold(f"{legal_name_az} {legal_name_en} {digits}")


def _checked(
    legal_names: Mapping[str, str], legal_form: str, full_name: str, number: str
) -> tuple[dict[str, str], voen.Voen]:
    texts = {**legal_names, "legal_form": legal_form, "full_name": full_name}
    errors = []
    for name, text in texts.items():
        if wrong := wrong_with(text, LONGEST_FORM if name == "legal_form" else LONGEST_NAME):
            errors.append({"pointer": f"/{name}", "detail": wrong})
        elif name in legal_names and (disguised := lookalikes.wrong_with(tidy(text))):
            errors.append(
                {"pointer": f"/{name}", "detail": f"This name {disguised}: it could not stand on a certificate."}
            )
    read = voen.read(number)
    if isinstance(read, voen.NotAVoen):
        errors.append({"pointer": "/voen", "detail": read.reason})
    if errors or isinstance(read, voen.NotAVoen):
        raise Invalid("The registration cannot be right as it is.", errors)
    return {name: tidy(text) for name, text in texts.items() if name != "full_name"}, read


def _free_text(text: str, pointer: str) -> str:
    if wrong := wrong_with(text, LONGEST_BASIS, lines=True):
        raise Invalid.at(pointer, wrong)
    return tidy(text)


def _taken(standing: Standing) -> Conflict:
    if standing is Standing.CONFIRMED:
        message = "This company is registered and confirmed. New members come by invitation of its present members."
    else:
        message = "Somebody has registered this company already; the registrar is checking that registration."
    return Conflict(message, code="voen-taken", data={"errors": [{"pointer": "/voen", "detail": message}]})


def _lost_the_race(session: Session, digits: str) -> MikError:
    """What a broken uniqueness means: the same company, or the same address, a moment earlier."""
    known = store.organisation_by_voen(session, digits)
    if known is not None and known.standing != Standing.LISTED:
        return _taken(Standing(known.standing))
    return Conflict("This e-mail address is registered already.", code="email-taken")
