"""How to apply: the way and its times, the rules of each mark in words, and a form to try them without an account."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.applications.application_deadlines import steps
from app.core.dates import baku_day
from app.core.i18n import DEFAULT
from app.pages.public import eligibility_form
from app.pages.public.rule_texts import OUTCOMES, evidence_of, explain
from app.pages.rendering import language_of, render
from app.reference.hs_nomenclature import HEADING
from app.reference.territory import territory
from app.schemes import publishing, scheme_repository
from app.schemes.closed_lists import lists
from app.schemes.evaluator import assess
from app.schemes.evidence_kinds import Supplier
from app.schemes.outcome import Outcome
from app.web.dependencies import NowDep, SessionDep
from app.web.routes import OrderedRoute

router = APIRouter(route_class=OrderedRoute, include_in_schema=False)

REASON_LANGUAGES = ("az", "en")
"""In which the rules give their reasons; other readers get the English ones, marked as such."""


@router.get("/apply")
def apply(request: Request, session: SessionDep) -> Response:
    marks = [publishing.mark(session, row.code) for row in scheme_repository.schemes(session)]
    return render(
        request,
        "apply.html",
        marks=marks,
        within={step.name: step.within for step in steps()},
        evidence={mark.code: evidence_of(mark.ruleset, Supplier.APPLICANT) for mark in marks},
    )


@router.get("/apply/check")
def check(request: Request, session: SessionDep, now: NowDep) -> Response:
    """The form, and below it what the rules say of what was entered: the same assessment as for an application.

    All that is entered stands in the address: nothing is kept here, and the page can be sent to a colleague.
    """
    marks = {row.code: row.content["names"] for row in scheme_repository.schemes(session)}
    query, language = request.query_params, language_of(request).language
    said = language if language in REASON_LANGUAGES else DEFAULT
    tried = eligibility_form.read(query, territory(), lists(), baku_day(now), language=said)
    code = tried.given.get("scheme") or next(iter(marks), "")
    asked = bool(tried.given.keys() - {"scheme"})
    assessed = None
    if asked and tried.facts is not None and code in marks:
        assessed = assess(publishing.mark(session, code).ruleset, tried.facts)
    return render(
        request,
        "apply_check.html",
        status=422 if tried.wrong or code not in marks else 200,
        tried=tried,
        code=code,
        marks=marks,
        regions=territory().regions.values(),
        residence=eligibility_form.RESIDENCE,
        work=eligibility_form.work_choices(lists(), language),
        places=eligibility_form.STEP_PLACES,
        assessed=assessed,
        own_heading=(tried.facts.product.hs6 or "")[:HEADING] if tried.facts else "",
        titles={rule.id: rule.title for rule in publishing.mark(session, code).ruleset.rules} if assessed else {},
        outcomes=OUTCOMES,
        unchecked=[each for each in assessed.findings if each.outcome is Outcome.NOT_ASSESSED] if assessed else [],
        not_about=[each for each in assessed.findings if each.outcome is Outcome.NOT_APPLICABLE] if assessed else [],
        said=said,
    )


@router.get("/apply/{code}")
def rules(code: str, request: Request, session: SessionDep) -> Response:
    """The rules of one mark, as they judge now."""
    known = [row.code for row in scheme_repository.schemes(session)]
    mark = publishing.mark(session, code if code in known else "")
    return render(
        request,
        "apply_rules.html",
        scheme=mark,
        rules=explain(mark.ruleset),
        outcomes=OUTCOMES,
        staff_only=(Supplier.STAFF,),
    )
