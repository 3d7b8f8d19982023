"""The start page: what the mark is, and the ways on from here."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.certificates import search_store
from app.certificates.search import Search, Standing
from app.core.dates import baku_day
from app.pages.frame import render
from app.schemes import store as schemes
from app.web.deps import NowDep, SessionDep
from app.web.routing import OrderedRoute

router = APIRouter(route_class=OrderedRoute, include_in_schema=False)


@router.get("/")
def start(request: Request, session: SessionDep, now: NowDep) -> Response:
    wanted = Search(status=Standing.ACTIVE)
    in_force = search_store.count(session, wanted, baku_day(now)).total(wanted)
    marks = [(row.code, row.content) for row in schemes.schemes(session)]
    return render(request, "start.html", in_force=in_force, marks=marks)
