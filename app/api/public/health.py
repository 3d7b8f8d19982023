"""Report liveness and readiness of the service."""

from typing import Literal

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Unavailable
from app.web.dependencies import DatabaseDep, get_container
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import ResponseModel

router = PublicRouter(route_class=GuardedRoute)


class HealthResponse(ResponseModel):
    status: Literal["ok"]


@router.get("/health/live", tags=["health"], summary="Check that the process runs")
def get_liveness() -> HealthResponse:
    """Answers without the database."""
    return HealthResponse(status="ok")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Check that the database is reachable and migrated",
    responses=error_responses(503),
)
def get_readiness(database: DatabaseDep, request: Request) -> HealthResponse:
    """503 while the database does not answer or is not migrated to this version."""
    try:
        database.ping()
        if not get_container(request).is_migrated(database):
            raise Unavailable("The database is not migrated to this version.")
    except SQLAlchemyError as why:
        raise Unavailable("The database does not answer.") from why
    return HealthResponse(status="ok")
