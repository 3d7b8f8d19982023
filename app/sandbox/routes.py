"""Routes that only the sandbox has: register without a person, read the magic numbers, move the clock."""

import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from app.auth import login_throttle
from app.auth.permissions import require_organisation_id
from app.core.actor import Actor
from app.sandbox import self_service
from app.sandbox.clock import MAX_DAYS, SandboxClock
from app.sandbox.robots import Robots
from app.sandbox.scenarios import Scenario, load_scenarios
from app.web.dependencies import (
    ActorDep,
    ClientAddressDep,
    NowDep,
    PasswordsDep,
    SessionDep,
    SettingsDep,
    get_container,
)
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel, StrictInteger, Text100

router = APIRouter(prefix="/v1", tags=["sandbox"], route_class=GuardedRoute)


async def get_robots(request: Request) -> Robots:
    return Robots(get_container(request))


async def get_sandbox_clock(request: Request) -> SandboxClock:
    clock = get_container(request).clock
    assert isinstance(clock, SandboxClock)  # app/main.py
    return clock


RobotsDep = Annotated[Robots, Depends(get_robots)]
ClockDep = Annotated[SandboxClock, Depends(get_sandbox_clock)]


class ScenarioResponse(ResponseModel):
    scenario: Scenario
    voen_begins_with: str
    applications_are: str


class ScenariosResponse(ResponseModel):
    items: list[ScenarioResponse]


@router.get("/scenarios", summary="List the magic taxpayer numbers")
async def list_scenarios() -> ScenariosResponse:
    """What the robots do with the applications of a company, by the beginning of its taxpayer number."""
    return ScenariosResponse(
        items=[
            ScenarioResponse(scenario=each.scenario, voen_begins_with=each.prefix, applications_are=each.text)
            for each in load_scenarios().values()
        ]
    )


class RegisterRequest(RequestModel):
    scenario: Scenario = Scenario.APPROVED
    name: Text100 = Field("Test company", examples=["Test company"])


class SandboxMember(ResponseModel):
    email: str
    password: str


class SandboxClient(ResponseModel):
    client_id: str
    client_secret: str


class RegisterResponse(ResponseModel):
    organisation_id: UUID
    voen: str
    scenario: Scenario
    site_id: UUID = Field(description="a place of production in a park")
    member: SandboxMember = Field(description="a person, who declares: grant `password` of `/v1/auth/token`")
    api_client: SandboxClient = Field(description="with every scope: grant `client_credentials`")
    token_url: str


@router.post(
    "/register",
    status_code=201,
    summary="Register a company in the sandbox",
    responses=error_responses(400, 409, 413, 415, 422, 429, 503),
)
def register_sandbox_company(
    body: RegisterRequest,
    session: SessionDep,
    passwords: PasswordsDep,
    settings: SettingsDep,
    robots: RobotsDep,
    clock: ClockDep,
    address: ClientAddressDep,
    now: NowDep,
) -> RegisterResponse:
    """No account, no mail and no person is needed. The company is confirmed and a resident of a park at once."""
    password = self_service.generate_password()
    hashed = passwords.hash(password)  # before the write transaction
    login_throttle.count_registration(
        session, address, clock.real_time(), max_registrations=settings.registrations_per_day
    )
    made = self_service.register_company(
        session,
        robots,
        scenario=body.scenario,
        name=body.name,
        hash_password=hashed,
        password=password,
        randbelow=secrets.randbelow,
        now=now,
    )
    return RegisterResponse(
        organisation_id=made.organisation_id,
        voen=made.voen,
        scenario=made.scenario,
        site_id=made.site_id,
        member=SandboxMember(email=made.email, password=made.password),
        api_client=SandboxClient(client_id=made.client_id, client_secret=made.client_secret),
        token_url=f"{settings.base_url}/v1/auth/token",
    )


class SampleProductResponse(ResponseModel):
    product_id: UUID


@router.post(
    "/sample-product",
    status_code=201,
    summary="Add a product with every document that it needs",
    responses=error_responses(401, 403, 409, 503),
)
def add_sample_product(actor: ActorDep, session: SessionDep, robots: RobotsDep, now: NowDep) -> SampleProductResponse:
    """A product that the published rules of MIK allow. Robots read its documents when it is applied for."""
    return SampleProductResponse(product_id=self_service.add_sample_product(session, robots, actor, now))


class ClockResponse(ResponseModel):
    now: datetime
    days_ahead: int = Field(description="of the real time")


class AdvanceRequest(RequestModel):
    advance: StrictInteger = Field(ge=1, le=MAX_DAYS, description="days", examples=[30])


@router.get("/clock", summary="Read the clock of the sandbox")
async def get_sandbox_time(clock: ClockDep) -> ClockResponse:
    return ClockResponse(now=clock(), days_ahead=clock.days)


def _require_company(actor: ActorDep) -> Actor:
    require_organisation_id(actor)
    return actor


@router.post(
    "/clock",
    summary="Move the clock of the sandbox forward",
    responses=error_responses(401, 403, 409, 413, 415, 422, 503),
)
def advance_sandbox_clock(
    body: AdvanceRequest, _actor: Annotated[Actor, Depends(_require_company, scope="function")], clock: ClockDep
) -> ClockResponse:
    """For members and API clients of a company. All companies of the sandbox share the clock. It never goes back, so
    access tokens end with it: get another one.
    """
    return ClockResponse(now=clock.advance(body.advance), days_ahead=clock.days)
