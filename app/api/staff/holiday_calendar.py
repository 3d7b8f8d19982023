"""The calendar that deadlines are counted by: for everybody to read, for the owner to complete."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.reference import holiday_calendar
from app.reference.holiday_calendar import MOST_DAYS, YEARS, AnnouncedDay, Year, shipped
from app.web.dependencies import NowDep, ReplayDep, SessionDep, allow
from app.web.problems.openapi_responses import CREATES, refuses
from app.web.routes import Asked, OrderedRoute, also_wrong
from app.web.schema_types import Answer, Body, Code, Day, Flag, Whole

router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=OrderedRoute)

Owner = Annotated[Actor, allow(Role.OWNER, second_factor=True)]


class DayAnswer(Answer):
    day: date
    occasion: str = Field(examples=["novruz"])
    name: dict[str, str] = Field(description="language → name")
    works: bool = Field(description="true for a day that is worked although it would be free")
    announced: bool = Field(description="by the owner; false for a holiday that is the same every year")
    instead_of: date | None = Field(description="the holiday on a weekend that this free day stands for")


class CalendarAnswer(Answer):
    year: int
    time_zone: str = "Asia/Baku"
    days: list[DayAnswer] = Field(description="every other day is worked from Monday to Friday")
    awaited: list[str] = Field(description="moved holidays whose days of this year are not announced yet")


@router.get("", summary="Holidays of a year", responses=refuses(422, 503))
def get_calendar(
    session: SessionDep,
    now: NowDep,
    year: Annotated[int | None, Query(ge=YEARS[0], le=YEARS[-1], description="this year where none is named")] = None,
) -> CalendarAnswer:
    """Deadlines are working days: Monday to Friday without these days."""
    return _answer(holiday_calendar.year_of(session, year or baku_day(now).year))


class DayBody(Body):
    day: Day = Field(examples=["2027-03-20"])
    occasion: Code = Field(description="`novruz`, `ramazan`, `gurban` or `other`", examples=["novruz"])
    works: Flag = Field(default=False, description="with `other`: this day is worked after all")


class Announcement(Body):
    year: Whole = Field(examples=[2027])
    days: list[DayBody] = Field(max_length=MOST_DAYS)


def _announced(body: Announcement) -> list[AnnouncedDay]:
    return [AnnouncedDay(each.day, each.occasion, each.works) for each in body.days]


def _wrong_days(_asked: Asked, body: Announcement) -> Sequence[Mapping[str, str]]:
    return holiday_calendar.wrong_days(body.year, _announced(body))


@router.post(
    "/holidays",
    summary="Enter the moved holidays of a year",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_days)],
)
def announce(body: Announcement, actor: Owner, session: SessionDep, now: NowDep, _retry: ReplayDep) -> CalendarAnswer:
    """Replaces what was announced for this year; deadlines follow at once. Free days given instead of a holiday on a
    weekend, and days exchanged by decision, are announced with the occasion `other`."""
    return _answer(holiday_calendar.announce(session, actor, year=body.year, days=_announced(body), now=now))


def _answer(year: Year) -> CalendarAnswer:
    names = shipped().names
    return CalendarAnswer(
        year=year.year,
        days=[
            DayAnswer(
                day=each.day,
                occasion=each.occasion,
                name=dict(names[each.occasion]),
                works=each.works,
                announced=each.day in year.announced,
                instead_of=each.instead_of,
            )
            for each in year.days
        ],
        awaited=list(year.awaited),
    )
