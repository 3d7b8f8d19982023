"""Who is asking, as a value. Services take an Actor; nothing below the edge knows sessions or tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    APPLICANT = "applicant"  # acts for one company: its members and its API clients
    REGISTRAR = "registrar"  # confirms companies and residents
    REVIEWER = "reviewer"  # evaluates a case and recommends
    APPROVER = "approver"  # decides on a recommendation that somebody else made
    OWNER = "owner"  # of the mark: suspends and revokes, rulesets, keys, users
    AUDITOR = "auditor"  # reads everything, changes nothing
    INSPECTOR = "inspector"  # customs desk
    SYSTEM = "system"  # the command line and what falls due; never granted to a person


STAFF_ROLES = frozenset(Role) - {Role.APPLICANT, Role.SYSTEM}


class Scope(StrEnum):
    """What an API client of a company may be trusted with. People are not narrowed by scopes."""

    READ = "read"
    PRODUCTS_WRITE = "products:write"  # sites and products
    APPLICATIONS_WRITE = "applications:write"  # drafts and their evidence
    APPLICATIONS_SUBMIT = "applications:submit"  # what binds the company: submit, answer, withdraw
    CERTIFICATES_SURRENDER = "certificates:surrender"


class ActorKind(StrEnum):
    USER = "user"
    CLIENT = "client"  # an API client of a company
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    kind: ActorKind
    id: UUID | None  # None only for the system itself
    roles: frozenset[Role]
    organisation_id: UUID | None = None  # the one company that an applicant acts for
    is_administrator: bool = False  # of that company
    session_id: UUID | None = None  # the sign-in of a person
    second_factor_at: datetime | None = None  # when it was given in this session; None too if that is not recent
    scopes: frozenset[Scope] | None = None  # of an API client; None: a person

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF_ROLES) or Role.SYSTEM in self.roles

    def has_role(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


SYSTEM = Actor(ActorKind.SYSTEM, None, frozenset({Role.SYSTEM}))
