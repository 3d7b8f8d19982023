"""Serve the start page: the marks, the number of valid certificates, and links to all other pages."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.certificates.read_model import search_repository
from app.certificates.read_model.search import EffectiveStatus, RegisterSearch
from app.core.dates import baku_day
from app.pages.rendering import render
from app.schemes import scheme_repository
from app.web.dependencies import NowDep, SessionDep
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/")
def show_home(request: Request, session: SessionDep, now: NowDep) -> Response:
    wanted = RegisterSearch(status=EffectiveStatus.ACTIVE)
    in_force = search_repository.count_facets(session, wanted, baku_day(now)).total(wanted)
    marks = [(row.code, row.content) for row in scheme_repository.list_schemes(session)]
    return render(request, "start.html", in_force=in_force, marks=marks)
