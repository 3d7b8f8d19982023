"""Liveness and readiness of the service."""

from typing import Literal

import sqlalchemy as sa
from fastapi import Request

from app.api.public.certificates import router
from app.core.errors import Unavailable
from app.web.dependencies import DatabaseDep, get_container
from app.web.problems.openapi_responses import refuses
from app.web.schema_types import Answer


class Health(Answer):
    status: Literal["ok"]


@router.get("/health/live", tags=["health"], summary="The process is running")
def live() -> Health:
    return Health(status="ok")


@router.get("/health/ready", tags=["health"], summary="The database is reachable and migrated", responses=refuses(503))
def ready(database: DatabaseDep, request: Request) -> Health:
    try:
        with database.read_session() as session:
            session.execute(sa.text("SELECT 1"))
        if not get_container(request).is_migrated(database):
            raise Unavailable("The database is not migrated to this version.")
    except sa.exc.SQLAlchemyError as why:
        raise Unavailable("The database does not answer.") from why
    return Health(status="ok")
