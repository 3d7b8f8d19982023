"""Call the service over HTTP with the public API only."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2 as httpx

from made_in_karabakh import LATEST, ApiError, Client, Password, Retries
from made_in_karabakh.call import Call

START_TIMEOUT_S = 60.0
"""Seconds to wait for a service that is starting."""
BETWEEN_TRIES = 0.25
"""Seconds."""

RETRIES = Retries(first_wait=0.1)
"""The service is on this machine: it is busy for moments only."""

Json = dict[str, Any]


class NoService(Exception):
    """Report that no service answers at the address, with what to do."""


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
    """Call the service as a signed-in user. Raises `ApiError`.

    The client library repeats what did not arrive, renews tokens and sends codes of the authenticator. A decision is
    confirmed with the person's own key: `confirm` signs its document and returns the header.
    """

    def __init__(
        self,
        http: httpx.Client,
        email: str,
        password: str,
        codes: Iterator[str],
        confirm: Callable[[Json], str] | None = None,
    ) -> None:
        self.email, self._confirm = email, confirm
        self._client = Client(str(http.base_url), Password(email, password, codes), retries=RETRIES, http=http)
        self._client.sign_in()

    def get(self, path: str, **query: str | bool | int) -> Json:
        return _json(self._client.request("GET", path, query=query))

    def everything(self, path: str, **query: str | bool | int) -> Iterator[Json]:
        """Yield all items of a list, page after page."""
        return self._client.pages(Call("GET", path, signed=True, query={"limit": 100, **query}, repeatable=True))

    def post(self, path: str, body: Any = None, **query: str | bool) -> Json:
        return _json(self._client.request("POST", path, body=body, query=query))

    def upload(self, path: str, file: tuple[str, bytes], form: Mapping[str, Any], **query: str | bool) -> Json:
        return _json(self._client.request("POST", path, files={"file": file}, form=form, query=query))

    def act(self, path: str, body: Any = None, *, method: str = "POST") -> Json:
        """Change a resource with its present version in If-Match."""
        try:
            return _json(self._client.request(method, path, body=body, version=LATEST))
        except ApiError as why:
            if why.code != "confirmation-required" or self._confirm is None:
                raise
            signed = {"Mik-Confirmation": self._confirm(why.document["document"])}
        return _json(self._client.request(method, path, body=body, version=LATEST, headers=signed))


class AnonymousClient:
    """Call the service without an account."""

    def __init__(self, http: httpx.Client) -> None:
        self._client = Client(str(http.base_url), retries=RETRIES, http=http)

    def get(self, path: str) -> Json:
        return _json(self._client.request("GET", path))

    def text(self, path: str, accept: str) -> str:
        return self._client.request("GET", path, accept=accept).text

    def post(self, path: str, body: Any) -> Json:
        return _json(self._client.request("POST", path, body=body))


def _json(answer: httpx.Response) -> Json:
    content: Json = answer.json()
    return content
