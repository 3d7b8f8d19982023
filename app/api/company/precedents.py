"""List earlier decisions on the same HS headings: in full to staff, others' as counts to a company."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.api.shared.application_schemas import DecisionOutcome
from app.applications import case_access
from app.applications.assessment import precedents
from app.applications.assessment.precedents import Precedent
from app.applications.model import Application
from app.certificates import certificate_repository
from app.organisations import organisation_repository
from app.products import product_repository
from app.web.dependencies import ActorDep, SessionDep, parse_id
from app.web.pagination import CursorPage, PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel

router = APIRouter(prefix="/v1/applications", tags=["applications"], route_class=GuardedRoute)


class OwnDecisionResponse(ResponseModel):
    application_id: UUID
    number: str
    product_id: UUID
    hs6: str
    outcome: DecisionOutcome
    reasons: list[str]
    failed: list[dict[str, Any]] = Field(description="criteria that were not met, with rule, clause and reason")
    decided_at: datetime


class DecidingRuleResponse(ResponseModel):
    rule: str = Field(examples=["K-06"])
    title: dict[str, str]
    clause: dict[str, str]
    failed: int = Field(description="products that did not meet it")
    accepted: int = Field(description="products that a reviewer accepted under it")


class OtherDecisionsResponse(ResponseModel):
    approved: int
    rejected: int
    rules: list[DecidingRuleResponse] = Field(description="rules that decided the newest decisions")


class HeadingDecisions(ResponseModel):
    heading: str = Field(examples=["7306"])
    own: list[OwnDecisionResponse] = Field(description="your own decisions, newest first, at most fifty")
    others: OtherDecisionsResponse = Field(description="counts of other companies' decisions, without names")


class EarlierProductResponse(ResponseModel):
    product_id: UUID
    name: dict[str, str] = Field(description="language → name, as it is today")
    hs6: str = Field(description="HS subheading at the time of the decision")
    heading: str = Field(examples=["7306"])
    outcome: DecisionOutcome
    reasons: list[str]
    failed: list[dict[str, Any]] = Field(description="criteria that were not met, with rule, clause and reason")
    resolutions: list[dict[str, Any]] = Field(description="manual rules and how the reviewer resolved them")
    certificate: str | None


class EarlierDecisionResponse(ResponseModel):
    application_id: UUID
    number: str
    organisation: application_schemas.CompanyName
    same_company: bool
    decided_at: datetime
    ruleset_version: str
    outcome: DecisionOutcome
    products: list[EarlierProductResponse]


@router.get(
    "/{application_id}/earlier-decisions",
    summary="List earlier decisions on the same HS headings",
    responses=error_responses(*READ_ERRORS),
)
def list_earlier_decisions(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    page: PageDep,
    same_company: Annotated[
        bool | None, Query(description="staff only; true: decisions on this company, false: on others")
    ] = None,
) -> Page[EarlierDecisionResponse] | Page[HeadingDecisions]:
    """Decisions under the same scheme on the HS headings of this application. Staff get a page of decisions; a company
    gets, for each heading, its own decisions and the counts of others, without pages."""
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    if actor.is_staff:
        return _decisions(session, row, page, same_company)
    return _headings(session, row)


def _decisions(
    session: Session, row: Application, page: CursorPage, same_company: bool | None
) -> Page[EarlierDecisionResponse]:
    found = precedents.list_precedents(session, row, same_company=same_company, before=page.after, limit=page.fetch)
    shown = page.cut(found, lambda each: each.decision.id)
    companies = organisation_repository.find_organisations(
        session, [each.application.organisation_id for each in shown]
    )
    return Page[EarlierDecisionResponse](
        items=[
            EarlierDecisionResponse(
                application_id=each.application.id,
                number=each.application.number,
                organisation=application_schemas.organisation_fields(companies[each.application.organisation_id]),
                same_company=each.application.organisation_id == row.organisation_id,
                decided_at=each.decision.decided_at,
                ruleset_version=each.decision.ruleset_version,
                outcome=DecisionOutcome(each.decision.outcome),
                products=_earlier_products(session, each),
            )
            for each in shown
        ]
    )


def _earlier_products(session: Session, each: Precedent) -> list[EarlierProductResponse]:
    whole = product_repository.load_aggregates_by_id(session, [row.product_id for row, _ in each.products])
    numbers = certificate_repository.numbers_of_application(session, each.application.id)
    return [
        EarlierProductResponse(
            product_id=row.product_id,
            name=whole[row.product_id].product.names,
            hs6=row.hs6,
            heading=row.hs4,
            outcome=DecisionOutcome(row.outcome),
            reasons=said["reasons"],
            failed=said["failed"],
            resolutions=said["resolutions"],
            certificate=numbers.get(row.product_id),
        )
        for row, said in each.products
    ]


def _headings(session: Session, row: Application) -> Page[HeadingDecisions]:
    return Page[HeadingDecisions](
        items=[
            HeadingDecisions(
                heading=heading.hs4,
                own=[
                    OwnDecisionResponse(
                        application_id=each.application.id,
                        number=each.application.number,
                        product_id=product.product_id,
                        hs6=product.hs6,
                        outcome=DecisionOutcome(product.outcome),
                        reasons=said["reasons"],
                        failed=said["failed"],
                        decided_at=each.decision.decided_at,
                    )
                    for each in heading.own
                    for product, said in each.products
                ],
                others=OtherDecisionsResponse(
                    approved=heading.approved,
                    rejected=heading.rejected,
                    rules=[DecidingRuleResponse.model_validate(rule, from_attributes=True) for rule in heading.rules],
                ),
            )
            for heading in precedents.list_heading_precedents(session, row)
        ]
    )
