"""Read one's notices, mark them as read, and choose what is mailed."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.api.company.events import MAX_TYPES, EventName, PublicEventResponse, sequence_of_cursor, sequence_of_event
from app.api.company.me import LanguageCode
from app.auth.permissions import require_user_id
from app.core.actor import Actor
from app.core.errors import NotFound
from app.events.public_event import parse_event_id
from app.notifications import inbox
from app.notifications.inbox import MailChoice
from app.notifications.model import Notice
from app.notifications.notice_texts import NOTICE_LANGUAGES, render_notice
from app.web.dependencies import ActorDep, NowDep, SessionDep, SettingsDep
from app.web.headers import negotiate_language
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel, ResponseModel

router = APIRouter(prefix="/v1", tags=["inbox"], route_class=GuardedRoute)


async def _require_person(actor: ActorDep) -> Actor:
    """API clients have no inbox: they read the events."""
    require_user_id(actor)
    return actor


Person = Annotated[Actor, Depends(_require_person, scope="function")]


class NoticeResponse(ResponseModel):
    id: str = Field(examples=["evt_000000000042"], description="id of the event")
    type: str = Field(examples=["certificate.suspended"])
    at: datetime
    read: bool = Field(description="whether you have read it; each member of a company reads for themselves")
    subject: str = Field(description="in your language", examples=["Certificate MIK-2026-000042-Y was suspended"])
    text: str = Field(description="sentences in your language, with the reason, the last day and what to do")
    link: str = Field(description="page that shows what the notice is about")
    event: PublicEventResponse = Field(description="as `GET /v1/events` and webhooks have it")


class InboxResponse(Page[NoticeResponse]):
    unread: int = Field(description="how many of all your notices you have not read")
    language: Literal["az", "en", "ru"] = Field(
        description="language of the texts: that of your notification settings, else of `Accept-Language`"
    )


@router.get("/inbox", summary="List your notices", responses=error_responses(*READ_ERRORS))
def list_inbox(
    request: Request,
    response: Response,
    actor: Person,
    session: SessionDep,
    settings: SettingsDep,
    page: PageDep,
    unread: Annotated[bool, Query(description="true: only notices that you have not read")] = False,
    types: Annotated[
        list[EventName] | None,
        Query(alias="type", max_length=MAX_TYPES, description="only notices of these types; repeat it for several"),
    ] = None,
) -> InboxResponse:
    """Newest first: what your company, or you yourself, were told. Notices about accounts are for administrators.

    A notice is there within seconds of its cause. API clients read `GET /v1/events` instead.
    """
    view = inbox.list_inbox(
        session,
        actor,
        before=sequence_of_cursor(page.after) if page.after is not None else None,
        types=types or (),
        only_unread=unread,
        limit=page.fetch,
    )
    language = _language_of(view.language, request)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    shown = page.cut(view.notices, lambda pair: UUID(int=pair[0].sequence))
    items = [_notice_response(notice, language, settings.base_url, is_read=is_read) for notice, is_read in shown]
    return InboxResponse.model_validate({"items": items, "unread": view.unread, "language": language})


def _language_of(chosen: str | None, request: Request) -> str:
    return chosen or negotiate_language(", ".join(request.headers.getlist("accept-language")), NOTICE_LANGUAGES)


def _notice_response(notice: Notice, language: str, base_url: str, *, is_read: bool) -> NoticeResponse:
    text = render_notice(notice.content, language)
    return NoticeResponse(
        id=notice.content["id"],
        type=notice.type,
        at=notice.at,
        read=is_read,
        subject=text.subject,
        text=" ".join(text.sentences),
        link=f"{base_url}{text.path}",
        event=PublicEventResponse.model_validate(notice.content),
    )


class UnreadResponse(ResponseModel):
    unread: int = Field(description="how many of all your notices you have not read now")


def _notice_of(notice_id: str, _actor: Person) -> int:
    """Check the person before the id. Text that is no id names no notice."""
    try:
        return parse_event_id(notice_id)
    except ValueError as why:
        raise NotFound.of("notice") from why


@router.post(
    "/inbox/{notice_id}/read",
    summary="Mark a notice as read",
    responses=error_responses(400, 401, 403, 404, 413, 415, 422, 429, 503),
)
def mark_notice_read(
    sequence: Annotated[int, Depends(_notice_of, scope="function")], actor: ActorDep, session: SessionDep, now: NowDep
) -> UnreadResponse:
    """For you alone: others of your company have read it when they mark it. Marking it again changes nothing."""
    return UnreadResponse(unread=inbox.mark_notice_read(session, actor, sequence, now).unread)


class ReadUpToRequest(RequestModel):
    up_to: str = Field(max_length=40, examples=["evt_000000000042"], description="id of the newest notice to mark")


@router.post(
    "/inbox/read",
    summary="Mark notices as read",
    responses=error_responses(400, 401, 403, 404, 413, 415, 422, 429, 503),
)
def mark_all_read(body: ReadUpToRequest, actor: Person, session: SessionDep) -> UnreadResponse:
    """Marks the notice and all before it: those that came since the list was read stay unread."""
    return UnreadResponse(unread=inbox.mark_all_read(session, actor, sequence_of_event(body.up_to, "/up_to")))


class NotificationSettings(RequestModel):
    """What is mailed to you, and in which language."""

    language: LanguageCode | None = Field(
        description="of mails and notices; null: mails in Azerbaijani and English, notices by `Accept-Language`"
    )
    not_mailed: list[EventName] = Field(
        max_length=MAX_TYPES,
        examples=[["application.answered"]],
        description="types of events of which you get no mail; their notices stay in the inbox",
    )


@router.get(
    "/me/notification-settings", summary="Get your notification settings", responses=error_responses(*READ_ERRORS)
)
def get_notification_settings(actor: Person, session: SessionDep) -> NotificationSettings:
    """At first everything is mailed. `PUT` accepts what this gives."""
    return _settings_response(inbox.get_choice(session, actor))


@router.put(
    "/me/notification-settings",
    summary="Change your notification settings",
    responses=error_responses(400, 401, 403, 413, 415, 422, 429, 503),
)
def change_notification_settings(
    body: NotificationSettings, actor: Person, session: SessionDep
) -> NotificationSettings:
    """Mails on which rights or deadlines depend cannot be switched off: 422 names them."""
    choice = MailChoice(body.language, body.not_mailed)
    return _settings_response(inbox.change_choice(session, actor, choice))


def _settings_response(choice: MailChoice) -> NotificationSettings:
    return NotificationSettings.model_validate({"language": choice.language, "not_mailed": list(choice.not_mailed)})
