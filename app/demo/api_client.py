"""Call the service over HTTP with the public API only."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2 as httpx

START_TIMEOUT_S = 60.0
"""Seconds to wait for a service that is starting."""
BETWEEN_TRIES = 0.25
TRIES_WHEN_BUSY = 5
SUBJECT_OF = 4
"""Number of path parts that name the resource whose version counts, as in `/v1/applications/{id}/claim`."""

Json = dict[str, Any]


class NoService(Exception):
    """Report that no service answers at the address, with what to do."""


class Refused(Exception):
    """Report an error response with the message of its problem document."""

    def __init__(self, status: int, code: str, message: str, data: Json) -> None:
        super().__init__(f"{message} ({status} {code})")
        self.status, self.code, self.message, self.data = status, code, message, data


def wait_until_ready(
    http: httpx.Client, address: str, *, timeout: float = START_TIMEOUT_S, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return once the service answers at the address. Raises `NoService` when it does not, or something else does."""
    until = time.monotonic() + timeout
    while True:
        state = _look(http, address)
        if state is None:
            return
        if time.monotonic() >= until:
            raise NoService(
                f"{state} at {address}, and {timeout:.0f} seconds are over. Start the service with `mik serve`, "
                "or name its address in MIK_BASE_URL."
            )
        sleep(BETWEEN_TRIES)


def _look(http: httpx.Client, address: str) -> str | None:
    """Return None when the service is ready, else its state. Raises at once for what can never become ready."""
    try:
        answer = http.get("/health/ready")
        marks = http.get("/v1/schemes") if answer.status_code == httpx.codes.OK else None
    except (httpx.TransportError, OSError):
        return "Nothing answers"
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return f"What answers is not ready (HTTP {answer.status_code})"
    if marks is None or not _lists_marks(marks):
        raise NoService(
            f"Something answers at {address}, but it is not this service. "
            "Another program has the port: start the service on another one and name it in MIK_BASE_URL."
        )
    return None


def _lists_marks(answer: httpx.Response) -> bool:
    try:
        return bool(answer.json()["items"][0]["current_ruleset"])
    except (ValueError, LookupError, TypeError):
        return False


class UserClient:
    """Call the service as a signed-in user. Raises `Refused`.

    An expired token is renewed once, and a code of the authenticator is sent where a second factor is required. A
    decision is confirmed with the person's own key: `confirm` signs its document and returns the header.
    """

    def __init__(
        self,
        http: httpx.Client,
        email: str,
        password: str,
        codes: Iterator[str],
        confirm: Callable[[Json], str] | None = None,
    ) -> None:
        self._http, self.email, self._password, self._codes, self._confirm = http, email, password, codes, confirm
        self._token = self._sign_in()

    def _sign_in(self) -> str:
        form = {"grant_type": "password", "username": self.email, "password": self._password}
        return str(_read(_send(self._http, "POST", "/v1/auth/token", data=form))["access_token"])

    def get(self, path: str, **query: str | bool | int) -> Json:
        return _read(self._send("GET", path, params=query))

    def everything(self, path: str, **query: str | bool | int) -> Iterator[Json]:
        """Yield all items of a list, page after page."""
        answer = self._send("GET", path, params={"limit": 100, **query})
        while True:
            yield from _read(answer)["items"]
            following = answer.links.get("next")
            if following is None:
                return
            answer = self._send("GET", following["url"])

    def post(self, path: str, body: Any = None, **query: str | bool) -> Json:
        return _read(self._send("POST", path, json=body, params=query))

    def upload(self, path: str, file: tuple[str, bytes], form: Mapping[str, Any], **query: str | bool) -> Json:
        return _read(self._send("POST", path, files={"file": file}, data=dict(form), params=query))

    def act(self, path: str, body: Any = None, *, method: str = "POST") -> Json:
        """Change a resource with its present version in If-Match."""
        version = self._send("GET", "/".join(path.split("/")[:SUBJECT_OF]))
        _read(version)
        content = {} if body is None else {"json": body}
        return _read(self._send(method, path, headers={"If-Match": version.headers["ETag"]}, **content))

    def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        answer = _send(self._http, method, path, headers=self._signed(headers), **more)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = self._sign_in()
            answer = _send(self._http, method, path, headers=self._signed(headers), **more)
        if _code(answer) == "second-factor-required" and self._step_up():
            answer = _send(self._http, method, path, headers=self._signed(headers), **more)
        if _code(answer) == "confirmation-required" and self._confirm is not None:
            confirmed = {**(headers or {}), "Mik-Confirmation": self._confirm(_problem(answer)["document"])}
            answer = _send(self._http, method, path, headers=self._signed(confirmed), **more)
        return answer

    def _step_up(self) -> bool:
        """Send codes until one is accepted: each is valid once, and a recent run may have used the present one."""
        for code in self._codes:
            answer = _send(self._http, "POST", "/v1/auth/step-up", headers=self._signed(None), json={"otp": code})
            if _code(answer) != "wrong-code":
                _refuse(answer)
                return True
        return False

    def _signed(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "Authorization": f"Bearer {self._token}"}


class AnonymousClient:
    """Call the service without an account."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str) -> Json:
        return _read(_send(self._http, "GET", path))

    def text(self, path: str, accept: str) -> str:
        answer = _send(self._http, "GET", path, headers={"Accept": accept})
        _refuse(answer)
        return answer.text

    def post(self, path: str, body: Any) -> Json:
        return _read(_send(self._http, "POST", path, json=body))


def _send(http: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """Send one request; repeat it later when the service is busy, which changed nothing."""
    for _ in range(TRIES_WHEN_BUSY - 1):
        answer = http.request(method, path, **more)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer
        time.sleep(BETWEEN_TRIES * 2)
    return http.request(method, path, **more)


def _read(answer: httpx.Response) -> Json:
    _refuse(answer)
    content: Json = answer.json()
    return content


def _code(answer: httpx.Response) -> str | None:
    """Return the code of an error response; None for other responses."""
    return None if answer.is_success else str(_problem(answer).get("code"))


def _problem(answer: httpx.Response) -> Json:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _refuse(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    data = _problem(answer)
    code = data.get("code") or data.get("error") or f"http-{answer.status_code}"
    message = data.get("detail") or data.get("error_description") or answer.reason_phrase
    raise Refused(answer.status_code, str(code), str(message), data)
