"""Serve the pages that explain problem codes, the `type` of problem documents. In English, for developers."""

import json
from textwrap import fill

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response

from app.pages.rendering import render, services_of
from app.web.headers import negotiate_media_type
from app.web.problems.problem_codes import PATH, ProblemCode, address, problem_codes
from app.web.problems.problem_details import problem_document
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get(PATH)
def list_codes(request: Request) -> Response:
    """List every code with its status and cause."""
    if _wants_text(request):
        return _text_response(
            "\n".join(f"{each.code} ({each.status}): {each.cause}" for each in problem_codes().values())
        )
    return render(request, "problems.html", problems=problem_codes().values())


@router.get(PATH + "/{code}")
def explain_code(request: Request, code: str) -> Response:
    """Explain cause, remedy and example of one code, as a page or as text. Responds 404 for an unknown code."""
    if code not in problem_codes():
        raise HTTPException(404)
    problem = problem_codes()[code]
    example = example_of(problem, services_of(request).frame.base_url)
    if _wants_text(request):
        title = f"{problem.code} (HTTP status {problem.status})"
        cause, remedy = fill(f"Cause: {problem.cause}", 100), fill(f"Remedy: {problem.remedy}", 100)
        return _text_response(f"{title}\n\n{cause}\n\n{remedy}\n\nExample:\n\n{example}")
    return render(request, "problem.html", problem=problem, example=example)


def example_of(problem: ProblemCode, base_url: str) -> str:
    """Return a problem document with this code as JSON text."""
    document = problem_document(problem.status, problem.code, problem.detail, **problem.members)
    return json.dumps(document | {"type": address(base_url, problem.code)}, ensure_ascii=False, indent=2)


def _wants_text(request: Request) -> bool:
    """Return whether the client prefers text: browsers accept text/html, curl states no preference and gets text."""
    return negotiate_media_type(request.headers.get("accept"), ("text/plain", "text/html")) == "text/plain"


def _text_response(text: str) -> Response:
    headers = {"Vary": "Accept", "Content-Language": "en", "Cache-Control": "public, max-age=3600"}
    return PlainTextResponse(text + "\n", headers=headers)
