"""Represent the authenticated caller as a value. Only `web/` and `auth/` handle sessions and access tokens; services
take an `Actor`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    APPLICANT = "applicant"  # acts for one company: its members and its API clients
    REGISTRAR = "registrar"  # confirms companies and residents
    REVIEWER = "reviewer"  # evaluates a case and recommends
    APPROVER = "approver"  # decides on a recommendation of another person
    OWNER = "owner"  # of the mark: suspends and revokes, rulesets, keys, users
    AUDITOR = "auditor"  # reads everything, changes nothing
    INSPECTOR = "inspector"  # customs officer
    SYSTEM = "system"  # the `mik` command and due tasks; never granted to a person


STAFF_ROLES = frozenset(Role) - {Role.APPLICANT, Role.SYSTEM}


class Scope(StrEnum):
    """Permission of an API client or an agent of a company. Scopes do not narrow what its members may do."""

    READ = "read"
    PRODUCTS_WRITE = "products:write"  # sites and products
    APPLICATIONS_WRITE = "applications:write"  # drafts and their evidence
    APPLICATIONS_SUBMIT = "applications:submit"  # actions that bind the company: submit, respond, withdraw
    CERTIFICATES_SURRENDER = "certificates:surrender"
    WEBHOOKS = "webhooks"  # where the company's events are sent, those about accounts too


class ActorKind(StrEnum):
    USER = "user"
    CLIENT = "client"  # an API client of a company
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a service function: kind, id, roles and, for an applicant, the company."""

    kind: ActorKind
    id: UUID | None  # None only for the system itself
    roles: frozenset[Role]
    organisation_id: UUID | None = None  # the one company that an applicant acts for
    is_administrator: bool = False  # of that company
    session_id: UUID | None = None  # the user session of a person
    second_factor_at: datetime | None = None  # when a code was accepted in this session; None also if not recent
    scopes: frozenset[Scope] | None = None  # of an API client or an agent; None: a member, or staff
    authority_id: UUID | None = None  # of an agent, by which they act for the company
    must_name_organisation: bool = False  # an agent whose request names no company
    confirmation: str | None = None  # what the request carries to confirm its decision, not yet verified

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF_ROLES) or Role.SYSTEM in self.roles

    def has_role(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


SYSTEM = Actor(ActorKind.SYSTEM, None, frozenset({Role.SYSTEM}))
