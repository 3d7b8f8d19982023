"""Carry out acts of two people: one proposes, another confirms, and neither is the one whom the act is about.

`proposed → confirmed | refused | withdrawn`, or expired by its date. A proposal holds exactly what is done. Proposer
and confirmer each decide on a document (`proposal_document`, `confirmation_document`), whose SHA-256 is stored and
recorded.

Each kind of act is one `ProposalKind`: who may propose, who may confirm, how its content is checked and how it is
applied. `app/proposal_kinds.py` lists all kinds; this module knows none of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import proposal_repository, user_repository
from app.auth.credentials.confirmations import is_confirmed, require_confirmation
from app.auth.model import Proposal, ProposalState
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import Actor, Role
from app.core.canonical_json import digest
from app.core.database import new_id
from app.core.errors import Conflict, ExpectedVersion, Forbidden, FourEyes, NotFound, WrongState, require_version

READER_ROLES = (Role.OWNER, Role.AUDITOR)
DOCUMENT_VERSION = 1
UNSIGNED_KINDS = frozenset({"role", "staff-credential"})
"""Kinds whose proposer signs nothing: they may have no authenticator yet, or propose a role together with its account.

Everything that is confirmed is signed by its confirmer.
"""

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProposalTarget:
    """What an act changes, named as in audit events; and the person whom it is about, if it is about a person."""

    subject_type: str
    subject_id: str
    user_id: UUID | None = None

    @classmethod
    def of_user(cls, user_id: UUID) -> "ProposalTarget":
        return cls("user", str(user_id), user_id)


@dataclass(frozen=True, slots=True)
class ProposalKind:
    """A kind of act.

    `parse` validates content from outside and returns it as JSON (`Invalid`). `check` loads and locks what the act
    changes and raises whatever refuses the act; it runs when the act is proposed and again when it is confirmed.
    `apply` carries the act out, after `check` in the same transaction; the actor is the confirmer.
    """

    proposers: frozenset[Role]
    confirmers: frozenset[Role]
    parse: Callable[[Content], dict[str, Any]]
    check: Callable[[Session, Actor, Content, datetime], ProposalTarget]
    apply: Callable[[Session, Actor, Proposal, datetime], None]


def proposal_document(kind: str, content: Content, proposer: UUID) -> dict[str, Any]:
    """Return what the proposer decides. It holds nothing that the server chooses, so it can be signed beforehand."""
    return {"v": DOCUMENT_VERSION, "act": "propose", "kind": kind, "content": dict(content), "by": str(proposer)}


def confirmation_document(proposal: Proposal, confirmer: UUID) -> dict[str, Any]:
    """Return what the confirmer decides: this proposal, as its proposer made it."""
    return {
        "v": DOCUMENT_VERSION,
        "act": "confirm",
        "kind": proposal.kind,
        "content": dict(proposal.content),
        "proposal": str(proposal.id),
        "proposed": proposal.sha256,
        "by": str(confirmer),
    }


@dataclass(frozen=True, slots=True)
class ProposalService:
    """Propose, confirm, refuse and withdraw acts of the registered kinds."""

    kinds: Mapping[str, ProposalKind]
    lifetime: timedelta

    def propose(self, session: Session, actor: Actor, kind: str, content: Content, now: datetime) -> Proposal:
        """Store a proposal. Raises `Forbidden`, `SecondFactorRequired`, `Invalid`, and what refuses the act."""
        rules = self.kinds[kind]
        require_role(actor, *sorted(rules.proposers))
        require_second_factor(actor)
        proposer = require_user_id(actor)
        parsed = rules.parse(content)
        target = rules.check(session, actor, parsed, now)
        document = proposal_document(kind, parsed, proposer)
        signed = require_confirmation(session, actor, document, once=False) if kind not in UNSIGNED_KINDS else None
        proposal = Proposal(
            id=new_id(),
            kind=kind,
            content=parsed,
            sha256=digest(document),
            proposer_confirmation=signed,
            subject_type=target.subject_type,
            subject_id=target.subject_id,
            user_id=target.user_id,
            state=ProposalState.PROPOSED.value,
            proposed_by=proposer,
            proposed_at=now,
            expires_at=now + self.lifetime,
            version=1,
        )
        session.add(proposal)
        _record_event(session, actor, ProposalState.PROPOSED, proposal, proposal.sha256, now)
        return proposal

    def confirm(
        self, session: Session, actor: Actor, proposal_id: UUID, version: ExpectedVersion, now: datetime
    ) -> Proposal:
        """Confirm a proposal as second person and carry it out.

        Raises, in this order: `Forbidden`; `NotFound`; `SecondFactorRequired`; `FourEyes`; `VersionRequired`,
        `StaleVersion`; `WrongState`; `Conflict` (`asker-left`); what refuses the act; `Conflict` (`proposal-unsigned`);
        `ConfirmationRequired` and what else refuses a confirmation.
        """
        proposal, rules = self._load_decidable(session, actor, proposal_id)
        if actor.id in {proposal.proposed_by, proposal.user_id}:
            raise FourEyes("You proposed this, or it is for you; another person must confirm it.")
        _require_open(proposal, version, "confirm", now)
        if not user_repository.has_active_role(session, proposal.proposed_by, rules.proposers):
            raise Conflict("Whoever proposed this no longer has the role for it; propose it again.", code="asker-left")
        rules.check(session, actor, proposal.content, now)
        _require_proposed(session, proposal)
        document = confirmation_document(proposal, require_user_id(actor))
        proposal.confirmer_confirmation = require_confirmation(session, actor, document)
        proposal.confirmed_sha256 = digest(document)
        _close(session, actor, proposal, ProposalState.CONFIRMED, now)
        rules.apply(session, actor, proposal, now)
        return proposal

    def refuse(
        self, session: Session, actor: Actor, proposal_id: UUID, version: ExpectedVersion, now: datetime
    ) -> Proposal:
        """Refuse a proposal of somebody else. Raises as `confirm` does."""
        proposal, _ = self._load_decidable(session, actor, proposal_id)
        if actor.id == proposal.proposed_by:
            raise Forbidden("You proposed this: withdraw it instead.")
        _require_open(proposal, version, "refuse", now)
        _close(session, actor, proposal, ProposalState.REFUSED, now)
        return proposal

    def withdraw(
        self, session: Session, actor: Actor, proposal_id: UUID, version: ExpectedVersion, now: datetime
    ) -> Proposal:
        """Withdraw one's own proposal. Raises as `confirm` does."""
        self.require_proposer(actor)
        proposal = proposal_repository.find_proposal(session, proposal_id, lock=True)
        if proposal is None:
            raise NotFound.of("proposal")
        require_role(actor, *sorted(self.kinds[proposal.kind].proposers))
        require_second_factor(actor)
        if actor.id != proposal.proposed_by:
            raise Forbidden("Somebody else proposed this: refuse it instead.")
        _require_open(proposal, version, "withdraw", now)
        _close(session, actor, proposal, ProposalState.WITHDRAWN, now)
        return proposal

    def require_proposer(self, actor: Actor) -> None:
        """Require a role that proposes some kind, before anything is looked up: nobody else learns what exists.

        What people propose who confirm nothing themselves is refused by those who do.
        """
        kinds = (kind for kind in self.kinds.values() if kind.proposers <= kind.confirmers)
        require_role(actor, *sorted({role for kind in kinds for role in kind.proposers}))

    def require_confirmer(self, actor: Actor) -> None:
        """Require a role that confirms some kind, before anything is looked up."""
        require_role(actor, *sorted({role for kind in self.kinds.values() for role in kind.confirmers}))

    def _load_decidable(self, session: Session, actor: Actor, proposal_id: UUID) -> tuple[Proposal, ProposalKind]:
        """Return the proposal, locked, and its kind, for somebody who may decide it.

        The owners are locked before anything else: of two owners who remove each other concurrently, the second is no
        longer an owner when the lock is granted.
        """
        self.require_confirmer(actor)
        found = proposal_repository.find_proposal(session, proposal_id)
        if found is None:
            raise NotFound.of("proposal")
        rules = self.kinds[found.kind]
        require_role(actor, *sorted(rules.confirmers))
        require_second_factor(actor)
        user_repository.lock_active_owner_ids(session)
        if not user_repository.has_active_role(session, require_user_id(actor), rules.confirmers):
            raise Forbidden("You no longer have the role for this.")
        proposal = proposal_repository.find_proposal(session, proposal_id, lock=True)
        assert proposal is not None  # found above, and proposals are never deleted
        return proposal, rules


def get_proposal(session: Session, actor: Actor, proposal_id: UUID) -> Proposal:
    """Load a proposal for owners and auditors. Raises `NotFound`."""
    require_role(actor, *READER_ROLES)
    proposal = proposal_repository.find_proposal(session, proposal_id)
    if proposal is None:
        raise NotFound.of("proposal")
    return proposal


def close_proposals_of_user(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Close the open proposals about this person or by them, when the account is deactivated."""
    for proposal in proposal_repository.lock_open_proposals_of_user(session, user_id, now):
        is_own = proposal.proposed_by == actor.id
        _close(session, actor, proposal, ProposalState.WITHDRAWN if is_own else ProposalState.REFUSED, now)


def _require_proposed(session: Session, proposal: Proposal) -> None:
    """Require that the row holds what its proposer proposed. Raises `Conflict` (`proposal-unsigned`)."""
    document = proposal_document(proposal.kind, proposal.content, proposal.proposed_by)
    if digest(document) != proposal.sha256 or (
        proposal.kind not in UNSIGNED_KINDS
        and not is_confirmed(session, proposal.proposer_confirmation, document, proposal.proposed_by)
    ):
        raise Conflict(
            "The proposal does not carry the signature of its proposer: propose it again.", code="proposal-unsigned"
        )


def _require_open(proposal: Proposal, version: ExpectedVersion, action: str, now: datetime) -> None:
    require_version(version, proposal.version)
    state = proposal.state_at(now)
    if state is not ProposalState.PROPOSED:
        raise WrongState("proposal", state=state, action=action, allowed=())


def _close(session: Session, actor: Actor, proposal: Proposal, state: ProposalState, now: datetime) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state.value, require_user_id(actor), now
    proposal.version += 1
    _record_event(session, actor, state, proposal, proposal.confirmed_sha256 or proposal.sha256, now)


def _record_event(
    session: Session, actor: Actor, state: ProposalState, proposal: Proposal, sha256: str, now: datetime
) -> None:
    subject = (proposal.subject_type, proposal.subject_id)
    recorder.record(
        session, actor, f"proposal.{state}", subject, now, proposal=proposal.id, kind=proposal.kind, sha256=sha256
    )
