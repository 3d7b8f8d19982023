"""Publish the calendar of holidays; announce the moved holidays of a year as an owner."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.reference import holiday_calendar
from app.reference.holiday_calendar import (
    MAX_ANNOUNCED_DAYS,
    OCCASIONS_BY_LIBRARY_NAME,
    OTHER_OCCASION,
    SUPPORTED_YEARS,
    AnnouncedDay,
    CalendarYear,
    load_bundled_holidays,
)
from app.web.dependencies import IdempotentReplayDep, NowDep, SessionDep, require_role
from app.web.problems.openapi_responses import CREATE_ERRORS, error_responses
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import Code, IsoDate, RequestModel, ResponseModel, StrictBoolean, StrictInteger

router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=GuardedRoute)

ESTIMATED_SUFFIXES = {"az": " (təxmini)", "en": " (estimated)"}

Owner = Annotated[Actor, require_role(Role.OWNER, second_factor=True)]


class CalendarDayResponse(ResponseModel):
    day: date
    occasion: str = Field(examples=["novruz"])
    name: dict[str, str] = Field(description="language → name; says so where the date is an estimate")
    works: bool = Field(description="true: a working day that would otherwise be free")
    announced: bool = Field(
        description=(
            "true: entered by the owner; false: a holiday that is the same every year, or the expected day of an "
            "occasion that is listed in `awaited`"
        )
    )
    instead_of: date | None = Field(
        description="the holiday, on a weekend or on another free day, that this free day stands for"
    )


class CalendarResponse(ResponseModel):
    year: int
    time_zone: str = "Asia/Baku"
    days: list[CalendarDayResponse] = Field(
        description="holidays and exchanged days; all other days from Monday to Friday are working days"
    )
    awaited: list[str] = Field(
        description="moved holidays whose days of this year are not announced yet; expected days count until then"
    )


@router.get("", summary="List the holidays of a year", responses=error_responses(422, 503))
def list_holidays(
    session: SessionDep,
    now: NowDep,
    year: Annotated[
        int | None, Query(ge=SUPPORTED_YEARS[0], le=SUPPORTED_YEARS[-1], description="default: the current year")
    ] = None,
) -> CalendarResponse:
    """Deadlines are counted in working days: Monday to Friday without these holidays."""
    return _calendar_response(holiday_calendar.load_year(session, year or baku_day(now).year))


class AnnouncedDayRequest(RequestModel):
    day: IsoDate = Field(examples=["2027-03-20"])
    occasion: Code = Field(
        description="what is celebrated; `other` for a day exchanged by decision",
        examples=["novruz"],
        json_schema_extra={"enum": [*OCCASIONS_BY_LIBRARY_NAME.values(), OTHER_OCCASION]},
    )
    works: StrictBoolean = Field(
        default=False, description="with `other`: true for a working day that would otherwise be free"
    )


class HolidayAnnouncementRequest(RequestModel):
    year: StrictInteger = Field(examples=[2027])
    days: list[AnnouncedDayRequest] = Field(max_length=MAX_ANNOUNCED_DAYS)


def _announced_days(body: HolidayAnnouncementRequest) -> list[AnnouncedDay]:
    return [AnnouncedDay(each.day, each.occasion, each.works) for each in body.days]


def _day_errors(_asked: BodyCheckContext, body: HolidayAnnouncementRequest) -> Sequence[Mapping[str, str]]:
    return holiday_calendar.announced_day_errors(body.year, _announced_days(body))


@router.post(
    "/holidays",
    summary="Announce the moved holidays of a year",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[check_body(_day_errors)],
)
def announce_holidays(
    body: HolidayAnnouncementRequest, actor: Owner, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> CalendarResponse:
    """For owners with a second factor. Replaces the announced days of this year; deadlines change at once. Announce
    substitute days for holidays on a weekend, and days exchanged by decision, with the occasion `other`."""
    return _calendar_response(
        holiday_calendar.announce_days(session, actor, year=body.year, days=_announced_days(body), now=now)
    )


def _calendar_response(year: CalendarYear) -> CalendarResponse:
    names = load_bundled_holidays().names
    return CalendarResponse(
        year=year.year,
        days=[
            CalendarDayResponse(
                day=each.day,
                occasion=each.occasion,
                name={
                    language: name + ESTIMATED_SUFFIXES[language] * each.is_estimated
                    for language, name in names[each.occasion].items()
                },
                works=each.is_working_day,
                announced=each.day in year.announced,
                instead_of=each.instead_of,
            )
            for each in year.days
        ],
        awaited=list(year.missing_occasions),
    )
