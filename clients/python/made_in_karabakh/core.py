"""Decide what to send, when to repeat it, and what an answer means, without sending anything.

A flow is a generator: it yields steps (`Send`, `Pause`, `Alone`) and is resumed with their results. `Client` and
`AsyncClient` only carry the steps out, so both behave alike.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2 as httpx

from made_in_karabakh.call import LATEST, Call, Upload, query_of
from made_in_karabakh.credentials import ClientCredentials, Credentials, KeptSession, Password, Tokens
from made_in_karabakh.errors import ApiError, ConnectionFailed, SignInAgain, UnexpectedAnswer, error_of, retry_after

T = TypeVar("T")

RENEW_BEFORE: Final = timedelta(seconds=30)
"""Remaining life at which an access token is renewed."""
SUBJECT_PARTS: Final = 4
"""Parts of a path that name the resource whose version counts, as in `/v1/applications/{id}/submit`."""
CODES_TO_TRY: Final = 4
REPEATED_STATUSES: Final = frozenset({429, 502, 503, 504})
SESSION_ENDED: Final = frozenset({400, 401})


@dataclass(frozen=True, slots=True)
class Retries:
    """Say how often and how long to repeat: waits double from `first_wait` to `longest_wait`, in seconds.

    An answer that asks for a longer wait (`Retry-After`) than `longest_wait` is raised at once.
    """

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the result is the response, read unless it is a success and `stream`."""

    request: Callable[[], httpx.Request]
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Run a flow while no other thread or task of this client runs one this way."""

    flow: "Flow[Any]"


Step = Send | Pause | Alone
Flow = Generator[Step, Any, T]


@dataclass(slots=True)
class Core:
    """Hold what all calls of a client share. `now` returns an aware moment, `chance` a number from 0 to 1."""

    build: Callable[..., httpx.Request]
    credentials: Credentials | None
    retries: Retries
    now: Callable[[], datetime]
    chance: Callable[[], float]
    new_key: Callable[[], str] = lambda: str(uuid4())
    tokens: Tokens | None = field(default=None, repr=False)

    def read(self, call: Call[T], parse: Callable[[httpx.Response], T]) -> Flow[T]:
        """Make one call and parse its answer."""
        return parse((yield from self.perform(call)))

    def page(self, call: Call[T], cursor: str | None) -> Flow[tuple[list[T], str | None]]:
        """Return the items of one page, and the cursor of the next one."""
        asked = call if cursor is None else replace(call, query={**call.query, "cursor": cursor})
        answer = yield from self.perform(asked)
        return items_of(answer), next_cursor(answer)

    def sign_in(self) -> Flow[Tokens]:
        """Begin a session, or go on with the present one. Raises `NotSignedIn` for a wrong password or secret."""
        if self.credentials is None:
            raise SignInAgain("The client has no credentials to sign in with.")
        if self.tokens is None:
            yield Alone(self._renew(None))
        assert self.tokens is not None
        return self.tokens

    def sign_out(self) -> Flow[None]:
        """End the session of a person at the service; the tokens of an API client end by themselves."""
        tokens, self.tokens = self.tokens, None
        if tokens is not None and tokens.refresh_token is not None:
            call: Call[Any] = Call("POST", "/v1/auth/revoke", form={"token": tokens.refresh_token}, repeatable=True)
            answer = yield from self._repeated(call, {})
            if not answer.is_success:
                raise error_of(answer, self.now())

    def perform(self, call: Call[Any], *, stream: bool = False) -> Flow[httpx.Response]:
        """Return the successful response of a call. Raises `MikClientError`."""
        headers = {"Accept": call.accept, **{name: value for name, value in call.headers.items() if value is not None}}
        if call.keyed:
            headers["Idempotency-Key"] = call.key or self.new_key()
        if call.version is not None:
            headers["If-Match"] = yield from self._etag(call)
        answer = yield from self._signed(call, headers, stream=stream)
        if answer.status_code == 403 and _code(answer) == "second-factor-required" and (yield from self._step_up()):
            answer = yield from self._signed(call, headers, stream=stream)
        if not answer.is_success:
            raise error_of(answer, self.now())
        return answer

    def _etag(self, call: Call[Any]) -> Flow[str]:
        if call.version is LATEST:
            subject = "/".join(call.address.split("/")[:SUBJECT_PARTS])
            answer = yield from self.perform(Call("GET", subject, signed=call.signed, repeatable=True))
            if "etag" not in answer.headers:
                raise UnexpectedAnswer(answer.status_code, "no ETag", answer.text[:200])
            return str(answer.headers["etag"])
        return f'"{call.version}"' if isinstance(call.version, int) else str(call.version)

    def _signed(self, call: Call[Any], headers: Mapping[str, str], *, stream: bool) -> Flow[httpx.Response]:
        """Send with an access token; once more with a new one where the service no longer accepts it."""
        if not call.signed or self.credentials is None:
            return (yield from self._repeated(call, headers, stream=stream))
        seen = self.tokens
        if seen is None or seen.expires_at - RENEW_BEFORE <= self.now():
            yield Alone(self._renew(seen))
        used = self.tokens
        answer = yield from self._repeated(call, self._authorised(headers), stream=stream)
        if answer.status_code == 401:
            yield Alone(self._renew(used))
            answer = yield from self._repeated(call, self._authorised(headers), stream=stream)
        return answer

    def _authorised(self, headers: Mapping[str, str]) -> dict[str, str]:
        assert self.tokens is not None
        return {**headers, "Authorization": f"Bearer {self.tokens.access_token}"}

    def _repeated(self, call: Call[Any], headers: Mapping[str, str], *, stream: bool = False) -> Flow[httpx.Response]:
        """Send, and repeat what did not arrive or found the service busy, where a repetition changes nothing twice."""
        may_repeat = call.repeatable or call.keyed
        step = Send(lambda: self._request(call, headers), stream)
        for attempt in range(1, self.retries.attempts + 1):
            is_last = attempt == self.retries.attempts or not may_repeat
            try:
                answer: httpx.Response = yield step
            except httpx.RequestError as why:
                if is_last:
                    raise ConnectionFailed(f"{call.method} {call.address}: {why or type(why).__name__}") from why
                yield Pause(self._wait(attempt))
                continue
            asked = retry_after(answer, self.now())
            is_busy = answer.status_code in REPEATED_STATUSES or (answer.status_code == 409 and asked is not None)
            if not is_busy or is_last or (asked is not None and asked > self.retries.longest_wait):
                return answer
            yield Pause(self._wait(attempt) if asked is None else asked + self.chance() * self.retries.first_wait)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, attempt: int) -> float:
        longest: float = min(self.retries.longest_wait, self.retries.first_wait * 2 ** (attempt - 1))
        return longest * (0.5 + 0.5 * self.chance())

    def _request(self, call: Call[Any], headers: Mapping[str, str]) -> httpx.Request:
        """Build the request anew for each attempt: files are read from their beginning."""
        more: dict[str, Any] = {}
        if call.body is not None:
            more["json"] = call.body
        if call.form is not None:
            fields: dict[str, list[str]] = {}
            for name, text in query_of(call.form):
                fields.setdefault(name, []).append(text)
            more["data"] = fields
        files = {name: _opened(file) for name, file in call.files.items() if file is not None}
        if files:
            more["files"] = files
        return self.build(call.method, call.address, params=query_of(call.query), headers=dict(headers), **more)

    def _renew(self, seen: Tokens | None) -> Flow[None]:
        """Get a new access token, unless another thread, task or process has done it since `seen`."""
        if self.tokens is not seen:
            return
        if isinstance(self.credentials, KeptSession):
            store = self.credentials.store
            with store.exclusive():
                kept = store.load()
                if kept is None:
                    raise SignInAgain("Nobody is signed in here.")
                is_other = seen is not None and kept.access_token != seen.access_token
                if (seen is None or is_other) and kept.expires_at - RENEW_BEFORE > self.now():
                    self.tokens = kept
                    return
                self.tokens = yield from self._refreshed(kept)
                store.save(self.tokens)
            return
        if isinstance(self.credentials, Password) and seen is not None:
            try:
                self.tokens = yield from self._refreshed(seen)
            except (SignInAgain, ConnectionFailed):
                self.tokens = yield from self._granted(_first_grant(self.credentials))
            return
        assert self.credentials is not None
        self.tokens = yield from self._granted(_first_grant(self.credentials))

    def _refreshed(self, tokens: Tokens) -> Flow[Tokens]:
        if tokens.refresh_token is None:
            raise SignInAgain("The session has ended. Sign in again.")
        try:
            # Not repeated after a lost answer: a second use of the token would end the session.
            return (
                yield from self._granted(
                    {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}, repeatable=False
                )
            )
        except ApiError as why:
            if why.status in SESSION_ENDED:
                raise SignInAgain("The session has ended. Sign in again.") from why
            raise

    def _granted(self, form: Mapping[str, str | None], *, repeatable: bool = True) -> Flow[Tokens]:
        call: Call[Any] = Call("POST", "/v1/auth/token", form=form, repeatable=repeatable)
        answer = yield from self._repeated(call, {"Accept": "application/json"})
        if not answer.is_success:
            raise error_of(answer, self.now())
        return parse_tokens(json_of(answer), self.now())

    def _step_up(self) -> Flow[bool]:
        """Send codes of the authenticator until one is accepted: a recent sign-in may have used the present one."""
        codes = self.credentials.codes if isinstance(self.credentials, Password) else None
        for _ in range(CODES_TO_TRY if codes else 0):
            code = next(codes, None) if codes else None
            if code is None:
                return False
            call: Call[Any] = Call("POST", "/v1/auth/step-up", body={"otp": code}, signed=True)
            answer = yield from self._signed(call, {"Accept": "application/json"}, stream=False)
            if answer.is_success:
                return True
            if _code(answer) != "wrong-code":
                raise error_of(answer, self.now())
        return False


def _first_grant(credentials: Credentials) -> dict[str, str | None]:
    if isinstance(credentials, ClientCredentials):
        form = {"client_id": credentials.client_id, "client_secret": credentials.secret, "scope": credentials.scope}
        return {"grant_type": "client_credentials", **form}
    assert isinstance(credentials, Password)
    return {"grant_type": "password", "username": credentials.email, "password": credentials.password}


def parse_tokens(answer: Any, now: datetime) -> Tokens:
    """Return the tokens of an answer of `/v1/auth/token`, received now."""
    try:
        expires = now + timedelta(seconds=int(answer["expires_in"]))
        return Tokens(str(answer["access_token"]), expires, answer.get("refresh_token"))
    except (KeyError, TypeError, ValueError) as why:
        raise UnexpectedAnswer(200, "application/json", "no tokens") from why


def json_of(answer: httpx.Response) -> Any:
    """Return the content of a successful response. Raises `UnexpectedAnswer` for what is no JSON."""
    if answer.status_code in {204, 205} or not answer.content:
        return None
    content_type = answer.headers.get("content-type", "")
    try:
        if "json" in content_type:
            return answer.json()
    except ValueError:
        pass
    raise UnexpectedAnswer(answer.status_code, content_type, answer.text[:200])


def items_of(answer: httpx.Response) -> list[Any]:
    content = json_of(answer)
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise UnexpectedAnswer(answer.status_code, "no list", answer.text[:200])
    return list(content["items"])


def next_cursor(answer: httpx.Response) -> str | None:
    """Return the cursor in the link to the next page. The address itself is not used: it may name another host."""
    url = answer.links.get("next", {}).get("url")
    return parse_qs(urlsplit(url).query).get("cursor", [None])[0] if url else None


def nothing_of(_answer: httpx.Response) -> None:
    return None


def text_of(answer: httpx.Response) -> str:
    return answer.text


def _code(answer: httpx.Response) -> str | None:
    try:
        content = answer.json()
    except ValueError:
        return None
    return content.get("code") if isinstance(content, dict) else None


def _opened(file: Upload) -> tuple[str, bytes | IO[bytes]]:
    if isinstance(file, Path):
        return file.name, file.read_bytes()
    name, content = file
    if not isinstance(content, bytes):
        content.seek(0)
    return name, content
