"""For a company: how goods of its headings were decided before, its own whole and others' only in figures."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.applications import cases, precedents
from app.web.deps import ActorDep, SessionDep, parse_id
from app.web.fields import Answer
from app.web.refusals import READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1", tags=["applicant"], route_class=OrderedRoute)


class OwnDecision(Answer):
    application_id: UUID
    number: str
    product_id: UUID
    hs6: str
    outcome: str = Field(examples=["rejected"])
    reasons: list[str]
    failed: list[dict[str, Any]] = Field(description="criteria that were not met, with rule, clause and reason")
    decided_at: datetime


class DecidingRule(Answer):
    rule: str = Field(examples=["K-06"])
    title: dict[str, str]
    clause: dict[str, str]
    failed: int = Field(description="products that did not meet it")
    accepted: int = Field(description="products that a person accepted under it")


class Others(Answer):
    approved: int
    rejected: int
    rules: list[DecidingRule] = Field(description="of the newest decisions")


class HeadingAnswer(Answer):
    heading: str = Field(examples=["7306"])
    own: list[OwnDecision] = Field(description="newest first, the last fifty")
    others: Others = Field(description="in figures: whose they were is not told")


@router.get(
    "/applications/{application_id}/earlier-decisions",
    summary="Earlier decisions on the same heading",
    responses=refuses(*READS),
)
def earlier_decisions(application_id: str, actor: ActorDep, session: SessionDep) -> dict[str, list[HeadingAnswer]]:
    """Under the same mark, for each HS heading of the application."""
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    return {
        "items": [
            HeadingAnswer(
                heading=heading.hs4,
                own=[
                    OwnDecision(
                        application_id=each.application.id,
                        number=each.application.number,
                        product_id=product.product_id,
                        hs6=product.hs6,
                        outcome=product.outcome,
                        reasons=said["reasons"],
                        failed=said["failed"],
                        decided_at=each.decision.decided_at,
                    )
                    for each in heading.own
                    for product, said in each.products
                ],
                others=Others(
                    approved=heading.approved,
                    rejected=heading.rejected,
                    rules=[DecidingRule.model_validate(rule, from_attributes=True) for rule in heading.rules],
                ),
            )
            for heading in precedents.headings(session, row)
        ]
    }
