"""List background jobs, and retry those that failed too often."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.core.actor import Actor
from app.jobs import job_admin, job_repository
from app.jobs.model import Job, JobState
from app.web.dependencies import ActorDep, NowDep, SessionDep, VersionDep, format_etag, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(*job_admin.READER_ROLES)]


class JobProgressResponse(ResponseModel):
    done: int = Field(description="parts of the newest attempt that are done")
    total: int | None = Field(description="null: not known")


class JobResponse(ResponseModel):
    id: UUID
    name: str = Field(description="type of the job", examples=["applications.lapse"])
    key: str | None = Field(description="of all jobs of a type one has this key; empty: the one that recurs")
    payload: dict[str, Any] = Field(description="ids, codes and numbers")
    state: JobState = Field(description="`parked`: it failed too often, or another attempt cannot help")
    attempts: int = Field(description="begun since it last succeeded or was retried")
    last_error: str | None = Field(description="of the newest attempt that failed")
    progress: JobProgressResponse | None
    created_at: datetime
    due_at: datetime | None = Field(
        description="when a worker may take it; of a running one, when another worker may unless it is prolonged"
    )
    started_at: datetime | None = Field(description="of the newest attempt")
    finished_at: datetime | None = Field(description="when it last succeeded or was parked")
    version: int


def job_response(row: Job, response: Response | None = None) -> JobResponse:
    """Describe a job, and set the `ETag`."""
    if response is not None:
        response.headers["ETag"] = format_etag(row.version)
    columns = {name: getattr(row, name) for name in JobResponse.model_fields if name != "progress"}
    progress = None if row.progress_done is None else {"done": row.progress_done, "total": row.progress_total}
    return JobResponse.model_validate(columns | {"progress": progress})


@router.get("", summary="List background jobs", responses=error_responses(*READ_ERRORS))
def list_jobs(
    _actor: Reader,
    session: SessionDep,
    page: PageDep,
    state: Annotated[JobState | None, Query(description="only jobs in this state")] = None,
    name: Annotated[
        str | None, Query(max_length=100, description="only jobs of this type", examples=["applications.lapse"])
    ] = None,
) -> Page[JobResponse]:
    """Oldest first, for owners and auditors. Jobs that are done are deleted after 30 days."""
    rows = job_repository.list_jobs(session, state=state, name=storable_text(name), after=page.after, limit=page.fetch)
    return Page[JobResponse](items=[job_response(row) for row in page.cut(rows, lambda row: row.id)])


@router.get("/{job_id}", summary="Get a background job", responses=error_responses(*READ_ERRORS))
def get_job(job_id: str, actor: Reader, session: SessionDep, response: Response) -> JobResponse:
    """The `ETag` is the version to send in `If-Match` when you retry it."""
    return job_response(job_admin.get_job(session, actor, parse_id(job_id, "job")), response)


def _id_to_retry(job_id: str, _actor: Annotated[Actor, require_role(*job_admin.RETRIER_ROLES)]) -> UUID:
    """Check the role before the id, so that nobody else learns which jobs exist."""
    return parse_id(job_id, "job")


@router.post("/{job_id}/retry", summary="Retry a parked job", responses=error_responses(*UPDATE_ERRORS))
def retry_job(
    job_id: Annotated[UUID, Depends(_id_to_retry, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> JobResponse:
    """For owners. A worker runs it at once, and again after failures, as when it was new."""
    return job_response(job_admin.retry_job(session, actor, job_id, version, now), response)
