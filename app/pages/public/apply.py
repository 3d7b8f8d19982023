"""Serve the pages on how to apply: steps and deadlines, the rules of each mark, and an eligibility check."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.applications.application_deadlines import load_deadline_steps
from app.core.dates import baku_day
from app.core.i18n import DEFAULT_LANGUAGE
from app.pages.public import eligibility_form
from app.pages.public.rule_texts import OUTCOME_TEXTS, evidence_kinds_of, explain_rules
from app.pages.rendering import language_of, render
from app.reference.hs_nomenclature import HEADING_DIGITS
from app.reference.territory import load_territory
from app.schemes import publishing, scheme_repository
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import evaluate
from app.schemes.evidence_kinds import Supplier
from app.schemes.outcome import Outcome
from app.web.dependencies import NowDep, SessionDep
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

REASON_LANGUAGES = ("az", "en")
"""Languages of the reasons of rules; other readers get the English ones, marked as such."""


@router.get("/apply")
def show_apply(request: Request, session: SessionDep) -> Response:
    marks = [publishing.current_scheme(session, row.code) for row in scheme_repository.list_schemes(session)]
    return render(
        request,
        "apply.html",
        marks=marks,
        within={step.name: step.working_days for step in load_deadline_steps()},
        evidence={mark.code: evidence_kinds_of(mark.ruleset, Supplier.APPLICANT) for mark in marks},
    )


@router.get("/apply/check")
def show_check(request: Request, session: SessionDep, now: NowDep) -> Response:
    """Show the eligibility form and the assessment of the entered values, by the rules that judge applications.

    The address contains all entered values: nothing is stored, and the page can be shared.
    """
    marks = {row.code: row.content["names"] for row in scheme_repository.list_schemes(session)}
    query, language = request.query_params, language_of(request).language
    said = language if language in REASON_LANGUAGES else DEFAULT_LANGUAGE
    tried = eligibility_form.parse_form(query, load_territory(), load_lists(), baku_day(now), language=said)
    code = tried.given.get("scheme") or next(iter(marks), "")
    asked = bool(tried.given.keys() - {"scheme"})
    assessed = None
    if asked and tried.facts is not None and code in marks:
        assessed = evaluate(publishing.current_scheme(session, code).ruleset, tried.facts)
    return render(
        request,
        "apply_check.html",
        status=422 if tried.wrong or code not in marks else 200,
        tried=tried,
        code=code,
        marks=marks,
        regions=load_territory().regions.values(),
        residence=eligibility_form.RESIDENCE_TEXTS,
        work=eligibility_form.work_choices(load_lists(), language),
        places=eligibility_form.STEP_PLACES,
        assessed=assessed,
        own_heading=(tried.facts.product.hs6 or "")[:HEADING_DIGITS] if tried.facts else "",
        titles={rule.id: rule.title for rule in publishing.current_scheme(session, code).ruleset.rules}
        if assessed
        else {},
        outcomes=OUTCOME_TEXTS,
        unchecked=[each for each in assessed.findings if each.outcome is Outcome.NOT_ASSESSED] if assessed else [],
        not_about=[each for each in assessed.findings if each.outcome is Outcome.NOT_APPLICABLE] if assessed else [],
        said=said,
    )


@router.get("/apply/{code}")
def show_rules(code: str, request: Request, session: SessionDep) -> Response:
    """Show the current rules of one mark."""
    codes = [row.code for row in scheme_repository.list_schemes(session)]
    mark = publishing.current_scheme(session, code if code in codes else "")
    return render(
        request,
        "apply_rules.html",
        scheme=mark,
        rules=explain_rules(mark.ruleset),
        outcomes=OUTCOME_TEXTS,
        staff_only=(Supplier.STAFF,),
    )
