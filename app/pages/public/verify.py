"""Checking a certificate, for people: `/verify` to ask, `/v/{number}` for the answer, which is the one of the API.

Like the lane these are plain Starlette routes over the same desk: no database session, one look-up for one page. What
only the browser can do (camera, stamp after `#`) is in `static/`; without scripts all the rest works.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.certificates import certificate_number
from app.certificates.read_model.record import CertificateRecord
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jwk import short_kid
from app.core.errors import Invalid, UnsupportedMedia
from app.core.messages import Message
from app.documents import qr_token, upload_reader_process
from app.documents.qr_token import Stamp, StampRefused
from app.documents.upload_reader import FileBox, UnreadableFile
from app.pages.i18n import PARAMETER, _
from app.pages.public import verify_input
from app.pages.public.verdict_texts import ALARMS, CHECKS, CRITERIA, FACES, REASONS, SIGNATURES
from app.pages.rendering import language_of, render
from app.pages.scheme_summaries import Marks, ShownMark
from app.reference.territory import territory
from app.verification import token_text
from app.verification.expectation import FIELDS, compare, read_expectation
from app.verification.metrics import Tally
from app.verification.service import VerificationDesk
from app.verification.verdict import MISTYPED, Judgement, Verdict
from app.web.body import read_body
from app.web.headers import negotiate_media_type

MAX_BODY_BYTES: Final = 131_072
MAX_SHOWN_CHARS: Final = 80
MOST_FILE_BYTES: Final = upload_reader_process.MOST_BYTES
UNREADABLE_FIELD: Final = _("This cannot be read. Check it.")
_FORM_OVERHEAD: Final = 65_536  # what a form adds around a file
_MULTIPART: Final = "multipart/form-data"
_HTML: Final = "text/html"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What gives a paper away: the only verdict of the page, over whatever the register says of its number. `report`
    are the fields that one click sends on; `host` is where a code leads."""

    kind: str
    word: str
    says: str
    host: str = ""
    report: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifyPages:
    """`own_hosts`: those of our addresses; a code that leads to another one is not ours."""

    desk: VerificationDesk
    own_hosts: frozenset[str]
    files: FileBox
    marks: Marks
    tally: Tally = field(default_factory=Tally)

    def routes(self) -> list[Route]:
        """`GET /verify[?number=]`, `POST /verify` with a form's `token` or `file`, `POST /v1/verify/file`, and
        `GET /v/{number}[?holder=&product=…]`."""
        return [
            Route("/verify", self.ask, methods=["GET"]),
            Route("/verify", self.ask_about_token, methods=["POST"]),
            Route("/v1/verify/file", self.answer_about_file, methods=["POST"]),
            # `:path`, because a slash in what somebody typed is a wrong character and not another address.
            Route("/v/{number:path}", self.certificate, methods=["GET"]),
        ]

    async def ask(self, request: Request) -> Response:
        text = request.query_params.get("number")
        if text is None or not text.strip():
            return render(request, "verify.html", camera=True, wrong_file="", **self._for_scripts(None))
        question = verify_input.read(text, self.own_hosts)
        if question.host:
            return await self._foreign(request, question)
        if question.kind == "words":
            return _see_other(request, "/register", {"q": question.text})
        if question.kind == "mistyped":
            return await self._answer(request, MISTYPED, typed=question.text)
        return await self._found(request, question)

    async def ask_about_token(self, request: Request) -> Response:
        if _media_type(request) == _MULTIPART:
            data, text = await _form_of(request)
            if data or not text.strip():
                return await self._show_file(request, data)
        else:
            text = await _token_of(request)
        question = verify_input.read(text, self.own_hosts)
        return await (self._foreign(request, question) if question.host else self._found(request, question))

    async def _found(self, request: Request, question: verify_input.Asked) -> Response:
        if question.kind == "number":
            return _see_other(request, f"/v/{question.text}", stamp=question.stamp)
        try:  # a bare stamp, without the address before it, is no certificate, but no forgery either
            number = qr_token.read(question.text, self.desk.keys().signing).number
        except StampRefused:
            return await self._answer(request, await self.desk.by_token(question.text))
        return _see_other(request, f"/v/{number}", stamp=question.text)

    async def _show_file(self, request: Request, data: bytes) -> Response:
        """A file from the form or dropped onto the page: shown as a text or link would be."""
        try:
            carried = await self._carried(data)
        except UnreadableFile as why:
            return render(
                request, "verify.html", status=422, camera=True, wrong_file=why.message, **self._for_scripts(None)
            )
        number = carried.question.text if carried.question.kind == "number" else ""
        return await self._answer(
            request,
            carried.judgement,
            typed=number,
            alarm=carried.alarm,
            stamp=carried.stamp,
            signature=carried.signature,
        )

    async def answer_about_file(self, request: Request) -> Response:
        """`POST /v1/verify/file`: the file as the body, or in a form as `file`."""
        carried = await self._carried(await _file_of(request))
        body = self.desk.members(carried.judgement)
        if carried.alarm:
            says = carried.alarm.says % {"host": carried.alarm.host}
            body = {
                **self.desk.members(Judgement(Verdict.FORGED, ())),
                "message": says,
                "checks": [{"name": carried.alarm.kind, "passed": False, "detail": says}],
                "register": body if carried.question.kind == "number" or carried.judgement.record else None,
            }
        body["file"] = {
            "kind": carried.kind,
            "signature": carried.signature,
            "host": carried.question.host or None,
            "stamp": carried.stamp or None,
        }
        self.tally.count(Verdict(body["verdict"]))
        return Response(jws.dump_json(body), headers={"Cache-Control": "no-cache"}, media_type=_JSON)

    async def _carried(self, data: bytes) -> "Carried":
        """Errors: TooLarge, UnreadableFile, Unavailable."""
        found = await self.files.read(data)
        question = _first(found.texts, self.own_hosts)
        number = question.text if question.kind == "number" else ""
        stamp, alarm = "", None
        if question.host:
            judgement = await self.desk.by_number(number)
            report = {"address": question.address, "number": number}
            alarm = Alarm("foreign", *ALARMS["foreign"], host=question.host, report=report)
        elif number:
            judgement = await self.desk.by_number(number)
            stamp = self._stamp(question.stamp, judgement)
            if stamp in ALARMS:
                alarm = Alarm(stamp, *ALARMS[stamp], report={"number": number})
        else:
            judgement = await self.desk.by_token(question.text)
            if found.signature == "broken" and judgement.record:
                alarm = Alarm("changed", *ALARMS["changed"], report={"number": judgement.record.number})
        return Carried(found.kind, found.signature, question, judgement, stamp, alarm)

    def _stamp(self, text: str, judgement: Judgement) -> str:
        """`genuine`, `other`, `forged`, `cut`, or empty without one: what the scripts of a page say of it."""
        if not text:
            return ""
        if token_text.whole(text) is None:
            return "cut"
        try:
            stamp = qr_token.read(text, self.desk.keys().signing)
        except StampRefused:
            return "forged"
        said: dict[str, Any] = strict_json.loads(stamp.payload())
        registered = _stamped(judgement.record) if judgement.record else {}
        return "genuine" if registered and registered.items() <= said.items() else "other"

    async def _foreign(self, request: Request, question: verify_input.Asked) -> Response:
        """A code that leads elsewhere: that first, then what the register says of the number in it."""
        number = question.text if question.kind == "number" else ""
        judgement = await self.desk.by_number(number)
        report = {"address": question.address, "number": number}
        alarm = Alarm("foreign", *ALARMS["foreign"], host=question.host, report=report)
        return await self._answer(request, judgement, typed=number, alarm=alarm)

    async def certificate(self, request: Request) -> Response:
        """The page of one number; programs that ask for JSON are led to the answer of the API."""
        typed = request.path_params["number"]
        if negotiate_media_type(request.headers.get("accept"), (_HTML, _JSON)) == _JSON:
            return RedirectResponse(f"/v1/verify/{quote(typed, safe='')}", 302, {"Vary": "Accept"})
        return await self._answer(request, await self.desk.by_number(typed), typed=typed)

    async def _answer(
        self,
        request: Request,
        judgement: Judgement,
        typed: str = "",
        alarm: Alarm | None = None,
        stamp: str = "",
        signature: str | None = None,
    ) -> Response:
        parsed = certificate_number.parse(typed)
        number = judgement.record.number if judgement.record else str(parsed or "")
        scheme = judgement.record.scheme_code if judgement.record else ""
        marks = await self.marks.all(scheme)
        scheme = scheme or (parsed.scheme if parsed else "")
        mark = marks.get(scheme)
        comparison = _compare(request.query_params, judgement) if judgement.record and not alarm else None
        if comparison and "differs" in comparison["found"].values():
            alarm = Alarm("differs", *ALARMS["differs"], report={"number": number})
        return render(
            request,
            "verdict.html",
            status=422 if comparison and comparison["wrong"] else 200,
            camera=True,
            answer=self.desk.members(judgement),
            face=FACES[judgement.verdict],
            check_words=CHECKS,
            reasons=REASONS,
            criteria=CRITERIA,
            park=territory().parks.get(judgement.record.park_code or "") if judgement.record else None,
            number=number,
            mark=mark,
            owners=[mark] if mark else _owners(marks),
            alarm=alarm,
            alarms=ALARMS,
            stamp=stamp,
            signed=SIGNATURES.get(signature or ""),
            typed=typed[:MAX_SHOWN_CHARS],
            comparison=comparison,
            checked_at=self.desk.clock().replace(second=0, microsecond=0),
            **self._for_scripts(judgement),
        )

    def _for_scripts(self, judgement: Judgement | None) -> dict[str, Any]:
        """What the browser needs to check a stamp by itself, also with the network cut: our keys, and what the register
        says in the members of a stamp (app/documents/qr_token.py)."""
        record = judgement.record if judgement else None
        registered = _stamped(record) if record else None
        keys = [
            {"kid": short_kid(key["kid"]), **{name: key[name] for name in ("kty", "crv", "x", "y")}}
            for key in self.desk.keys().jwks()["keys"]
        ]
        return {"for_scripts": {"keys": keys, "registered": registered, "hosts": sorted(self.own_hosts)}}


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file carries, and what it is worth."""

    kind: str
    signature: str | None
    question: verify_input.Asked
    judgement: Judgement
    stamp: str
    alarm: Alarm | None


def _owners(marks: Mapping[str, ShownMark]) -> list[ShownMark]:
    """One mark of each owner: whom to ask where no mark is known."""
    return list({each.owner: each for each in marks.values()}.values())


def _first(texts: Sequence[str], own_hosts: frozenset[str]) -> verify_input.Asked:
    """Of several codes the one that tells most: a number under a host that is not ours, then what is ours."""
    questions = [verify_input.read(text, own_hosts) for text in texts]
    wanted: tuple[Callable[[verify_input.Asked], bool], ...] = (
        lambda each: bool(each.host) and each.kind == "number",
        lambda each: not each.host and each.kind in {"number", "token"},
        lambda each: bool(each.host),
    )
    return next((each for fits in wanted for each in questions if fits(each)), questions[0])


def _stamped(record: CertificateRecord) -> dict[str, Any]:
    """The members that a stamp of this certificate has, without its place in the status lists."""
    stamp = Stamp.of(
        number=record.number,
        holder_name=record.holder_name,
        product_names=record.product_names,
        hs6=record.hs6,
        valid_from=record.valid_from,
        valid_until=record.valid_until,
        list_id=0,
        index=0,
    )
    members: dict[str, Any] = strict_json.loads(stamp.payload())
    del members["s"]
    return members


def _see_other(
    request: Request, path: str, query: Mapping[str, str] = MappingProxyType({}), *, stamp: str = ""
) -> Response:
    """To the permanent address of what was asked, with the stamp for the scripts there."""
    choice = language_of(request)
    language = {PARAMETER: choice.language} if choice.in_address else {}
    asked_for = urlencode({**query, **language}, errors="replace")
    address = f"{path}{'?' if asked_for else ''}{asked_for}{'#' if stamp else ''}{stamp}"
    return RedirectResponse(address, 303, {"Cache-Control": "no-cache"})


def _compare(query: Mapping[str, str], judgement: Judgement) -> dict[str, Any] | None:
    """What the paper says against what the register says, by the comparison that the API makes; None if nothing was
    entered. `wrong` says of each field that cannot be read why."""
    given = {name: query[name].strip() for name in FIELDS if query.get(name, "").strip()}
    if not given or judgement.record is None:
        return None
    expected, problems = read_expectation(given)
    wrong = {problem["pointer"].strip("/"): UNREADABLE_FIELD for problem in problems}
    found = {} if wrong else {name: each.value for name, each in compare(expected, judgement.record).items()}
    return {"given": given, "wrong": wrong, "found": found}


async def _file_of(request: Request) -> bytes:
    """The body itself, or the field `file` of a form. Refusals: 413, 422."""
    if _media_type(request) != _MULTIPART:
        return await _body_of(request)
    data, _ = await _form_of(request)
    return data


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _body_of(request: Request) -> bytes:
    max_bytes = MOST_FILE_BYTES + _FORM_OVERHEAD
    return await read_body(request.scope, request.receive, max_bytes, Message("A file may have at most 10 MB."))


async def _form_of(request: Request) -> tuple[bytes, str]:
    """The fields `file` and `token` of a form; empty where they are missing. Refusals: 413, 422."""
    body = await _body_of(request)

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(request.headers, pieces(), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise Invalid("Send the file in a form as “file”.") from None
    file, token = form.get("file"), form.get("token")
    try:
        data = await file.read() if isinstance(file, UploadFile) else b""
        return data, token if isinstance(token, str) else ""
    finally:
        await form.close()


async def _token_of(request: Request) -> str:
    """The field `token` of a form. Refusals: 413, 415, 422."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send this as application/x-www-form-urlencoded.")
    body = await read_body(request.scope, request.receive, MAX_BODY_BYTES)
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=16))
    except ValueError:
        raise Invalid("Send one field, “token”.") from None
    return fields.get("token", "")
