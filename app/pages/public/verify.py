"""Serve the verification pages: `/verify` for the input, `/v/{number}` for the result, equal to that of the API.

Plain Starlette routes over `VerificationService`, without a database session and with one look-up per page. Scripts in
`static/` use the camera and read the QR token after `#`; everything else works without them.
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
from app.core.crypto.jwk import build_jwks, short_kid
from app.core.errors import Invalid, UnsupportedMedia
from app.core.messages import Message
from app.documents import qr_token, upload_reader_process
from app.documents.qr_token import QrToken, QrTokenRejected
from app.documents.upload_reader import UnreadableFile, UploadReader
from app.pages.i18n import PARAMETER, _
from app.pages.public import verify_input
from app.pages.public.verdict_texts import (
    ALARM_TEXTS,
    CHECK_TEXTS,
    CRITERION_TEXTS,
    REASON_TEXTS,
    SIGNATURE_TEXTS,
    VERDICT_TEXTS,
)
from app.pages.rendering import language_of, render
from app.pages.scheme_summaries import SchemeSummaries, SchemeSummary
from app.reference.territory import load_territory
from app.verification import token_text
from app.verification.expectation import FIELDS, compare_fields, parse_expected
from app.verification.metrics import VerdictCounter
from app.verification.service import VerificationService
from app.verification.verdict import MISTYPED, Verdict, VerificationResult
from app.web.body import read_body
from app.web.headers import negotiate_media_type

MAX_BODY_BYTES: Final = 131_072
MAX_SHOWN_CHARS: Final = 80
MAX_FILE_BYTES: Final = upload_reader_process.MAX_BYTES
UNREADABLE_FIELD: Final = _("This cannot be read. Check it.")
_FORM_OVERHEAD: Final = 65_536  # bytes that multipart encoding may add to a file
_MULTIPART: Final = "multipart/form-data"
_HTML: Final = "text/html"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A contradiction between a document and the register, shown instead of the verdict on its number.

    `report` prefills the misuse report; `host` is the foreign host of a code.
    """

    kind: str
    word: str
    says: str
    host: str = ""
    report: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifyPages:
    """The verification pages. `own_hosts`: hosts of this service; a code with another host is foreign."""

    service: VerificationService
    own_hosts: frozenset[str]
    files: UploadReader
    schemes: SchemeSummaries
    counter: VerdictCounter = field(default_factory=VerdictCounter)

    def routes(self) -> list[Route]:
        """Return the routes.

        `GET /verify[?number=]`, `POST /verify` with the form field `token` or `file`, `POST /v1/verify/file`, and
        `GET /v/{number}[?holder=&product=…]`.
        """
        return [
            Route("/verify", self.show_form, methods=["GET"]),
            Route("/verify", self.submit_form, methods=["POST"]),
            Route("/v1/verify/file", self.verify_file, methods=["POST"]),
            # `:path`, because a slash in a typed number is a wrong character, not another address.
            Route("/v/{number:path}", self.show_certificate, methods=["GET"]),
        ]

    async def show_form(self, request: Request) -> Response:
        text = request.query_params.get("number")
        if text is None or not text.strip():
            return render(request, "verify.html", camera=True, wrong_file="", **self._script_data(None))
        question = verify_input.parse_input(text, self.own_hosts)
        if question.host:
            return await self._show_foreign(request, question)
        if question.kind == "words":
            return _see_other(request, "/register", {"q": question.text})
        if question.kind == "mistyped":
            return await self._render_result(request, MISTYPED, typed=question.text)
        return await self._show_input(request, question)

    async def submit_form(self, request: Request) -> Response:
        if _media_type_of(request) == _MULTIPART:
            data, text = await _read_form(request)
            if data or not text.strip():
                return await self._show_file(request, data)
        else:
            text = await _read_token(request)
        question = verify_input.parse_input(text, self.own_hosts)
        return await (self._show_foreign(request, question) if question.host else self._show_input(request, question))

    async def _show_input(self, request: Request, question: verify_input.VerifyInput) -> Response:
        if question.kind == "number":
            return _see_other(request, f"/v/{question.text}", stamp=question.qr_token)
        try:  # a QR token without its address is no certificate, but no forgery either
            number = qr_token.verify_qr_token(question.text, self.service.keys().may_have_signed).number
        except QrTokenRejected:
            return await self._render_result(request, await self.service.verify_token(question.text))
        return _see_other(request, f"/v/{number}", stamp=question.text)

    async def _show_file(self, request: Request, data: bytes) -> Response:
        """Verify an uploaded file and show the result as for a text or link."""
        try:
            carried = await self._inspect_file(data)
        except UnreadableFile as why:
            return render(
                request, "verify.html", status=422, camera=True, wrong_file=why.message, **self._script_data(None)
            )
        number = carried.input.text if carried.input.kind == "number" else ""
        return await self._render_result(
            request,
            carried.judgement,
            typed=number,
            alarm=carried.alarm,
            stamp=carried.qr_token,
            signature=carried.signature,
        )

    async def verify_file(self, request: Request) -> Response:
        """Verify a file (`POST /v1/verify/file`), sent as the body or as the form field `file`."""
        carried = await self._inspect_file(await _read_file(request))
        body = self.service.to_dict(carried.judgement)
        if carried.alarm:
            says = carried.alarm.says % {"host": carried.alarm.host}
            body = {
                **self.service.to_dict(VerificationResult(Verdict.FORGED, ())),
                "message": says,
                "checks": [{"name": carried.alarm.kind, "passed": False, "detail": says}],
                "register": body if carried.input.kind == "number" or carried.judgement.record else None,
            }
        body["file"] = {
            "kind": carried.kind,
            "signature": carried.signature,
            "host": carried.input.host or None,
            "stamp": carried.qr_token or None,
        }
        self.counter.increment(Verdict(body["verdict"]))
        return Response(jws.dump_json(body), headers={"Cache-Control": "no-cache"}, media_type=_JSON)

    async def _inspect_file(self, data: bytes) -> "FileResult":
        """Read the certificate or code of a file and verify it. Raises `TooLarge`, `UnreadableFile`, `Unavailable`."""
        found = await self.files.read_file(data)
        question = _most_informative(found.texts, self.own_hosts)
        number = question.text if question.kind == "number" else ""
        stamp, alarm = "", None
        if question.host:
            judgement = await self.service.verify_number(number)
            report = {"address": question.address, "number": number}
            alarm = Alarm("foreign", *ALARM_TEXTS["foreign"], host=question.host, report=report)
        elif number:
            judgement = await self.service.verify_number(number)
            stamp = self._qr_token_state(question.qr_token, judgement)
            if stamp in ALARM_TEXTS:
                alarm = Alarm(stamp, *ALARM_TEXTS[stamp], report={"number": number})
        else:
            judgement = await self.service.verify_token(question.text)
            if found.signature == "broken" and judgement.record:
                alarm = Alarm("changed", *ALARM_TEXTS["changed"], report={"number": judgement.record.number})
        return FileResult(found.kind, found.signature, question, judgement, stamp, alarm)

    def _qr_token_state(self, text: str, judgement: VerificationResult) -> str:
        """Return `genuine`, `other`, `forged`, `cut`, or empty without a token; scripts use the same words."""
        if not text:
            return ""
        if token_text.extract_token(text) is None:
            return "cut"
        try:
            stamp = qr_token.verify_qr_token(text, self.service.keys().may_have_signed)
        except QrTokenRejected:
            return "forged"
        members: dict[str, Any] = strict_json.loads(stamp.payload())
        registered = _qr_token_members(judgement.record) if judgement.record else {}
        return "genuine" if registered and registered.items() <= members.items() else "other"

    async def _show_foreign(self, request: Request, question: verify_input.VerifyInput) -> Response:
        """Warn about a code with a foreign host, then show the register entry of the number in it."""
        number = question.text if question.kind == "number" else ""
        judgement = await self.service.verify_number(number)
        report = {"address": question.address, "number": number}
        alarm = Alarm("foreign", *ALARM_TEXTS["foreign"], host=question.host, report=report)
        return await self._render_result(request, judgement, typed=number, alarm=alarm)

    async def show_certificate(self, request: Request) -> Response:
        """Show the result for one number; clients that prefer JSON are redirected to the API."""
        typed = request.path_params["number"]
        if negotiate_media_type(request.headers.get("accept"), (_HTML, _JSON)) == _JSON:
            return RedirectResponse(f"/v1/verify/{quote(typed, safe='')}", 302, {"Vary": "Accept"})
        return await self._render_result(request, await self.service.verify_number(typed), typed=typed)

    async def _render_result(
        self,
        request: Request,
        judgement: VerificationResult,
        typed: str = "",
        alarm: Alarm | None = None,
        stamp: str = "",
        signature: str | None = None,
    ) -> Response:
        parsed = certificate_number.parse_number(typed)
        number = judgement.record.number if judgement.record else str(parsed or "")
        scheme = judgement.record.scheme_code if judgement.record else ""
        marks = await self.schemes.get_all(scheme)
        scheme = scheme or (parsed.scheme if parsed else "")
        mark = marks.get(scheme)
        comparison = _compare(request.query_params, judgement) if judgement.record and not alarm else None
        if comparison and "differs" in comparison["found"].values():
            alarm = Alarm("differs", *ALARM_TEXTS["differs"], report={"number": number})
        return render(
            request,
            "verdict.html",
            status=422 if comparison and comparison["wrong"] else 200,
            camera=True,
            answer=self.service.to_dict(judgement),
            face=VERDICT_TEXTS[judgement.verdict],
            check_words=CHECK_TEXTS,
            reasons=REASON_TEXTS,
            criteria=CRITERION_TEXTS,
            park=load_territory().parks.get(judgement.record.park_code or "") if judgement.record else None,
            number=number,
            mark=mark,
            owners=[mark] if mark else _scheme_owners(marks),
            alarm=alarm,
            alarms=ALARM_TEXTS,
            stamp=stamp,
            signed=SIGNATURE_TEXTS.get(signature or ""),
            typed=typed[:MAX_SHOWN_CHARS],
            comparison=comparison,
            checked_at=self.service.clock().replace(second=0, microsecond=0),
            **self._script_data(judgement),
        )

    def _script_data(self, judgement: VerificationResult | None) -> dict[str, Any]:
        """Return the data with which scripts verify a QR token offline: public keys, and the registered members.

        The members are those of a QR token (`app/documents/qr_token.py`). Compromised keys are among the keys: codes
        that were printed before are genuine, and what somebody else signs must still equal the register entry.
        """
        record = judgement.record if judgement else None
        registered = _qr_token_members(record) if record else None
        keys = [
            {"kid": short_kid(key["kid"]), **{name: key[name] for name in ("kty", "crv", "x", "y")}}
            for key in build_jwks(self.service.keys().all_public)["keys"]
        ]
        return {"for_scripts": {"keys": keys, "registered": registered, "hosts": sorted(self.own_hosts)}}


@dataclass(frozen=True, slots=True)
class FileResult:
    """The content of a verified file, its signature and the result."""

    kind: str
    signature: str | None
    input: verify_input.VerifyInput
    judgement: VerificationResult
    qr_token: str
    alarm: Alarm | None


def _scheme_owners(marks: Mapping[str, SchemeSummary]) -> list[SchemeSummary]:
    """Return one mark of each owner, as contacts if the mark of a certificate is unknown."""
    return list({each.owner: each for each in marks.values()}.values())


def _most_informative(texts: Sequence[str], own_hosts: frozenset[str]) -> verify_input.VerifyInput:
    """Choose one of several codes: a number under a foreign host, then an own code, then any foreign host."""
    questions = [verify_input.parse_input(text, own_hosts) for text in texts]
    wanted: tuple[Callable[[verify_input.VerifyInput], bool], ...] = (
        lambda each: bool(each.host) and each.kind == "number",
        lambda each: not each.host and each.kind in {"number", "token"},
        lambda each: bool(each.host),
    )
    return next((each for fits in wanted for each in questions if fits(each)), questions[0])


def _qr_token_members(record: CertificateRecord) -> dict[str, Any]:
    """Return the members of a QR token of this certificate, without its status list index."""
    stamp = QrToken.from_certificate(
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
    """Redirect to the permanent address of the result, with the QR token for its scripts."""
    choice = language_of(request)
    language = {PARAMETER: choice.language} if choice.in_address else {}
    asked_for = urlencode({**query, **language}, errors="replace")
    address = f"{path}{'?' if asked_for else ''}{asked_for}{'#' if stamp else ''}{stamp}"
    return RedirectResponse(address, 303, {"Cache-Control": "no-cache"})


def _compare(query: Mapping[str, str], judgement: VerificationResult) -> dict[str, Any] | None:
    """Compare the values entered from a document with the register, as the API does; None if none were entered.

    `wrong` contains an error text for each unreadable field.
    """
    given = {name: query[name].strip() for name in FIELDS if query.get(name, "").strip()}
    if not given or judgement.record is None:
        return None
    expected, problems = parse_expected(given)
    wrong = {problem["pointer"].strip("/"): UNREADABLE_FIELD for problem in problems}
    found = {} if wrong else {name: each.value for name, each in compare_fields(expected, judgement.record).items()}
    return {"given": given, "wrong": wrong, "found": found}


async def _read_file(request: Request) -> bytes:
    """Read the body, or the form field `file`. Responds 413 or 422 on errors."""
    if _media_type_of(request) != _MULTIPART:
        return await _read_body(request)
    data, _ = await _read_form(request)
    return data


def _media_type_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_body(request: Request) -> bytes:
    max_bytes = MAX_FILE_BYTES + _FORM_OVERHEAD
    return await read_body(request.scope, request.receive, max_bytes, Message("A file may have at most 10 MB."))


async def _read_form(request: Request) -> tuple[bytes, str]:
    """Read the form fields `file` and `token`; empty if missing. Responds 413 or 422 on errors."""
    body = await _read_body(request)

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


async def _read_token(request: Request) -> str:
    """Read the form field `token`. Responds 413, 415 or 422 on errors."""
    if _media_type_of(request) != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send this as application/x-www-form-urlencoded.")
    body = await read_body(request.scope, request.receive, MAX_BODY_BYTES)
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=16))
    except ValueError:
        raise Invalid("Send one field, “token”.") from None
    return fields.get("token", "")
