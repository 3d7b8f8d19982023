"""Validate the reviewer's questions and the applicant's answers against the application."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.applications.model import InformationRequest
from app.core.errors import Invalid
from app.core.messages import Message

MAX_FILES_PER_ANSWER = 20


class QuestionField(StrEnum):
    """List the subjects of a question: a member of a product, or a part of the whole dossier."""

    NAMES = "/names"
    HS6 = "/hs6"
    NATIONAL_CODE = "/national_code"
    GTIN = "/gtin"
    UNIT = "/unit"
    BRAND = "/brand"
    FLAGS = "/flags"
    JOINT_PRODUCTION = "/joint_production"
    EX_WORKS = "/ex_works"
    MATERIALS = "/materials"
    STEPS = "/steps"
    COSTS = "/costs"
    SITE = "/site"
    PRODUCTION_STARTED = "/site/production_started_on"
    COMPANY = "/organisation"
    RESIDENCY = "/residency"
    EVIDENCE = "/evidence"
    TERM = "/term"  # whether the applicant accepts a short term


DOSSIER_FIELDS = frozenset(
    {
        QuestionField.SITE,
        QuestionField.PRODUCTION_STARTED,
        QuestionField.COMPANY,
        QuestionField.RESIDENCY,
        QuestionField.EVIDENCE,
        QuestionField.TERM,
    },
)
"""Subjects that need no product; all others are members of a product."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    product_id: UUID | None = None
    field: QuestionField | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an answer and the evidence documents that it refers to."""

    question_id: UUID
    text: str
    evidence_ids: Sequence[UUID] = ()
    accepts: bool | None = None  # the answer to a question about the term


def require_valid_questions(questions: Sequence[Question], product_ids: Collection[UUID]) -> None:
    errors = []
    for i, question in enumerate(questions):
        if question.product_id is not None and question.product_id not in product_ids:
            detail = Message("This product is not in the application.", code="unknown-product")
            errors.append({"pointer": f"/questions/{i}/product_id", "detail": detail})
        if question.product_id is None and question.field is not None and question.field not in DOSSIER_FIELDS:
            detail = Message(
                "“%(member)s” is a member of a product: name the product.", code="required", member=str(question.field)
            )
            errors.append({"pointer": f"/questions/{i}/product_id", "detail": detail})
    if errors:
        raise Invalid.with_errors(errors)


def require_valid_replies(
    replies: Sequence[Reply], waiting: Mapping[UUID, InformationRequest], evidence_ids: Collection[UUID]
) -> None:
    """Require one answer to every open question, with files of this application only."""
    errors = []
    seen: set[UUID] = set()
    for i, reply in enumerate(replies):
        if reply.question_id not in waiting:
            detail = Message(
                "There is no open question %(question_id)s.",
                code="unknown-question",
                question_id=str(reply.question_id),
            )
            errors.append({"pointer": f"/answers/{i}/question_id", "detail": detail})
        elif reply.question_id in seen:
            errors.append(
                {
                    "pointer": f"/answers/{i}/question_id",
                    "detail": Message("This question is answered twice.", code="duplicate"),
                }
            )
        elif (waiting[reply.question_id].field == QuestionField.TERM) != (reply.accepts is not None):
            detail = Message(
                "Answer a question about the term with true or false, and leave this out of any other answer.",
                code="not-taken",
            )
            errors.append({"pointer": f"/answers/{i}/accepts", "detail": detail})
        seen.add(reply.question_id)
        errors += [
            {
                "pointer": f"/answers/{i}/evidence_ids/{j}",
                "detail": Message("There is no such file in the application.", code="unknown-document"),
            }
            for j, evidence_id in enumerate(reply.evidence_ids)
            if evidence_id not in evidence_ids
        ]
    for question_id in waiting:
        if question_id not in seen:
            errors.append(
                {
                    "pointer": "/answers",
                    "detail": Message(
                        "The question %(question_id)s has no answer.", code="required", question_id=str(question_id)
                    ),
                }
            )
    if errors:
        raise Invalid.with_errors(errors)
