"""Map routes to the scope that an API client needs; a route that is not listed is closed to API clients.

The scope is checked before anything is loaded: a missing scope concerns the token, not the resource. `NO_SCOPE_NEEDED`
needs none. API clients never manage users, API clients, passwords or second factors.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.core.actor import Actor, ActorKind, Scope
from app.core.errors import Forbidden, InsufficientScope
from app.core.messages import Message

NO_SCOPE_NEEDED = None

ROUTE_SCOPES: Mapping[str, Scope | None] = MappingProxyType(
    {
        "GET /v1/me": NO_SCOPE_NEEDED,
        "GET /v1/sites": Scope.READ,
        "POST /v1/sites": Scope.PRODUCTS_WRITE,
        "GET /v1/sites/{site_id}": Scope.READ,
        "PUT /v1/sites/{site_id}": Scope.PRODUCTS_WRITE,
        "GET /v1/products": Scope.READ,
        "POST /v1/products": Scope.PRODUCTS_WRITE,
        "GET /v1/products/{product_id}": Scope.READ,
        "PUT /v1/products/{product_id}": Scope.PRODUCTS_WRITE,
        "POST /v1/products/{product_id}/retire": Scope.PRODUCTS_WRITE,
        "POST /v1/imports/products": Scope.PRODUCTS_WRITE,
        "POST /v1/imports/applications": Scope.APPLICATIONS_WRITE,
        "POST /v1/verify/manifests": Scope.READ,  # it changes nothing of the company
        "GET /v1/verify/manifests": Scope.READ,
        "GET /v1/verify/manifests/{manifest_id}": Scope.READ,
        "POST /v1/verify/manifests/{manifest_id}/cancel": Scope.READ,
        "GET /v1/verify/manifests/{manifest_id}/result.csv": Scope.READ,
        "GET /v1/verify/manifests/{manifest_id}/result.jwt": Scope.READ,
        "GET /v1/products.csv": Scope.READ,
        "GET /v1/products.jsonl": Scope.READ,
        "GET /v1/my/certificates": Scope.READ,
        "GET /v1/my/certificates.csv": Scope.READ,
        "GET /v1/my/certificates.jsonl": Scope.READ,
        "GET /v1/applications.csv": Scope.READ,
        "GET /v1/applications.jsonl": Scope.READ,
        "POST /v1/applications/{application_id}/copy": Scope.APPLICATIONS_WRITE,
        "POST /v1/schemes/{code}/assessments": Scope.READ,  # a dry run changes nothing
        "GET /v1/applications": Scope.READ,
        "POST /v1/applications": Scope.APPLICATIONS_WRITE,
        "GET /v1/applications/{application_id}": Scope.READ,
        "PUT /v1/applications/{application_id}": Scope.APPLICATIONS_WRITE,
        "POST /v1/applications/{application_id}/submit": Scope.APPLICATIONS_SUBMIT,
        "POST /v1/applications/{application_id}/respond": Scope.APPLICATIONS_SUBMIT,
        "POST /v1/applications/{application_id}/withdraw": Scope.APPLICATIONS_SUBMIT,
        "GET /v1/applications/{application_id}/assessment": Scope.READ,
        "GET /v1/applications/{application_id}/timeline": Scope.READ,
        "GET /v1/applications/{application_id}/declaration": Scope.READ,
        "POST /v1/applications/{application_id}/evidence": Scope.APPLICATIONS_WRITE,
        "GET /v1/applications/{application_id}/evidence": Scope.READ,
        "GET /v1/applications/{application_id}/evidence/{evidence_id}": Scope.READ,
        "DELETE /v1/applications/{application_id}/evidence/{evidence_id}": Scope.APPLICATIONS_WRITE,
        "GET /v1/applications/{application_id}/earlier-decisions": Scope.READ,
        "GET /v1/organisations/{organisation_id}/evidence": Scope.READ,
        "POST /v1/organisations/{organisation_id}/evidence": Scope.APPLICATIONS_WRITE,
        "GET /v1/evidence/{evidence_id}": Scope.READ,
        "GET /v1/evidence/{evidence_id}/file": Scope.READ,
        "GET /v1/events": Scope.READ,
        "GET /v1/webhooks": Scope.WEBHOOKS,
        "POST /v1/webhooks": Scope.WEBHOOKS,
        "GET /v1/webhooks/{webhook_id}": Scope.WEBHOOKS,
        "PUT /v1/webhooks/{webhook_id}": Scope.WEBHOOKS,
        "DELETE /v1/webhooks/{webhook_id}": Scope.WEBHOOKS,
        "POST /v1/webhooks/{webhook_id}/rotate-secret": Scope.WEBHOOKS,
        "POST /v1/webhooks/{webhook_id}/enable": Scope.WEBHOOKS,
        "POST /v1/webhooks/{webhook_id}/test": Scope.WEBHOOKS,
        "POST /v1/webhooks/{webhook_id}/redeliver": Scope.WEBHOOKS,
        "GET /v1/webhooks/{webhook_id}/deliveries": Scope.WEBHOOKS,
        "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Scope.WEBHOOKS,
        "GET /v1/api-clients": Scope.READ,
        "GET /v1/api-clients/{client_id}": Scope.READ,
        "GET /v1/organisations/{organisation_id}": Scope.READ,
        "GET /v1/residencies": Scope.READ,
        "GET /v1/residencies/{residency_id}": Scope.READ,
        "POST /v1/certificates/{number}/surrender": Scope.CERTIFICATES_SURRENDER,
        "GET /v1/certificates/{number}/description": Scope.READ,
    }
)


SCOPE_DESCRIPTIONS: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.READ: "read what is the company's",
        Scope.PRODUCTS_WRITE: "sites and products",
        Scope.APPLICATIONS_WRITE: "drafts of applications and their documents",
        Scope.APPLICATIONS_SUBMIT: "submit, answer and withdraw applications",
        Scope.CERTIFICATES_SURRENDER: "give certificates back",
        Scope.WEBHOOKS: "make and change webhooks, which are told of the company's events",
    }
)
"""Description of each scope in the OpenAPI document."""


SANDBOX_SCOPES: Mapping[str, Scope | None] = MappingProxyType(
    {"POST /v1/sample-product": Scope.PRODUCTS_WRITE, "POST /v1/clock": Scope.APPLICATIONS_SUBMIT}
)
"""Of the routes that only the sandbox has."""
_ALL_SCOPES = {**ROUTE_SCOPES, **SANDBOX_SCOPES}


class OrganisationRequired(Forbidden):
    """An agent acts for several companies, and the request names none."""

    code = "organisation-required"


def require_organisation_named(actor: Actor, path: str) -> None:
    """Require of an agent that the request names a company, unless it is about their own account.

    Raises `OrganisationRequired`.
    """
    if actor.must_name_organisation and path != "/v1/me" and not path.startswith(("/v1/me/", "/v1/auth/")):
        raise OrganisationRequired(
            "You act for several companies: name the one that this request is about, in the header Organisation."
        )


def require_scope(actor: Actor, method: str, path: str) -> None:
    """Require the route's scope of an API client or an agent; others pass. `path`: route template.

    Raises `Forbidden`.
    """
    if actor.scopes is None:
        return
    route = f"{method} {path}"
    if route not in _ALL_SCOPES and actor.kind is ActorKind.USER:
        raise Forbidden("This is done by members of the company, or without the header Organisation.")
    if route not in _ALL_SCOPES:
        raise Forbidden("This is done by people, not by API clients.")
    needed = _ALL_SCOPES[route]
    if needed is not NO_SCOPE_NEEDED and needed not in actor.scopes:
        if actor.kind is ActorKind.USER:
            raise InsufficientScope(
                Message("Your authority does not cover “%(scope)s”; ask the company.", scope=needed.value),
                data={"scope": needed.value},
            )
        raise InsufficientScope(
            Message(
                "This token lacks the scope %(scope)s. Ask for it in `scope`, or let a person of the company make a "
                "client that has it.",
                scope=needed.value,
            ),
            data={"scope": needed.value},
        )
