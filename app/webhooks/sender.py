"""Send one signed request: to an address that was checked, within ten seconds, without following redirects."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx2 as httpx

from app.core.errors import Invalid
from app.core.version import VERSION
from app.webhooks.addresses import AddressRules, InnerAddress, IpAddress, Target, parse_target, require_public

TIMEOUT_S = 10.0
"""For everything: name, connection, request and status of the answer."""
_CONNECT_S = 4.0
_BODY_S = 2.0
"""For the body of the answer, which is only shown to people."""
_RESOLVE_S = 3.0
MAX_ANSWER_BYTES, SHOWN_BYTES = 65_536, 1_024
_MAX_ADDRESSES = 3
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"mik-webhooks/{VERSION}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host as text. Raises `OSError` where there is none."""


class SendError(StrEnum):
    """Why there is no answer."""

    URL_REFUSED = "url_refused"
    NAME_NOT_FOUND = "name_not_found"
    INNER_ADDRESS = "inner_address"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol_error"


@dataclass(frozen=True, slots=True)
class SendResult:
    """`status` of the answer and the beginning of its body, or the `error`."""

    duration_ms: int
    status: int | None = None
    answer: str | None = None
    error: SendError | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the resolver of this machine."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def find_url_error(url: str, rules: AddressRules, resolve: Resolve = resolve_host) -> Invalid | None:
    """Return what is wrong with the address of an endpoint; None: it keeps to the rules and leads to public ones."""
    try:
        target = parse_target(url, rules)
        async with asyncio.timeout(_RESOLVE_S):
            require_public(await resolve(target.host, target.port), rules)
    except Invalid as error:
        return error
    except InnerAddress:
        return Invalid.at("/url", "This host leads to an address that is not public.")
    except (OSError, UnicodeError, TimeoutError):
        return Invalid.at("/url", "This host has no address. Check the name.")
    return None


class WebhookSender:
    """Send requests; one instance per process. `resolve` and `trust` are exchanged in tests."""

    def __init__(
        self, rules: AddressRules, *, resolve: Resolve = resolve_host, trust: ssl.SSLContext | None = None
    ) -> None:
        self.rules, self.resolve = rules, resolve
        self._trust = trust

    async def send(self, url: str, headers: Mapping[str, str], body: str) -> SendResult:
        """Post the body. Every failure is a result."""
        started = time.monotonic()
        status: int | None = None
        answer = error = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                target = parse_target(url, self.rules)
                addresses = require_public(await self.resolve(target.host, target.port), self.rules)
                status, answer = await self._post_to_first(target, addresses, headers, body)
        except Invalid:
            error = SendError.URL_REFUSED
        except InnerAddress:
            error = SendError.INNER_ADDRESS
        except (TimeoutError, httpx.TimeoutException):
            error = SendError.TIMEOUT
        except (httpx.ConnectError, httpx.ReadError, httpx.WriteError) as why:
            error = SendError.TLS_FAILED if _is_about_tls(why) else SendError.CONNECTION_FAILED
        except httpx.HTTPError:
            error = SendError.PROTOCOL_ERROR
        except (OSError, UnicodeError):
            error = SendError.NAME_NOT_FOUND
        return SendResult(round((time.monotonic() - started) * 1_000), status, answer, error)

    async def _post_to_first(
        self, target: Target, addresses: Sequence[IpAddress], headers: Mapping[str, str], body: str
    ) -> tuple[int, str]:
        """Post to the first address that accepts a connection."""
        for address in addresses[: _MAX_ADDRESSES - 1][: len(addresses) - 1]:
            try:
                return await self._post(target, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as why:
                if _is_about_tls(why):
                    raise
        return await self._post(target, addresses[min(len(addresses), _MAX_ADDRESSES) - 1], headers, body)

    async def _post(self, target: Target, address: IpAddress, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        """Post to this address: the certificate is that of the host, and no connection is used twice."""
        host = f"[{address}]" if address.version == 6 else str(address)
        url = f"{target.scheme}://{host}:{target.port}{target.path}"
        if self._trust is None:
            self._trust = ssl.create_default_context()
        async with (
            httpx.AsyncClient(
                verify=self._trust,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(TIMEOUT_S, connect=_CONNECT_S),
            ) as client,
            client.stream(
                "POST",
                url,
                content=body.encode(),
                headers={**_HEADERS, **headers, "Host": target.authority, "Connection": "close"},
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            return response.status_code, await _read_beginning(response)


async def _read_beginning(response: httpx.Response) -> str:
    """Return the beginning of the body; what is endless, slow or broken is cut off."""
    received = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) >= MAX_ANSWER_BYTES:
                    break
    except (TimeoutError, httpx.HTTPError):
        pass
    return bytes(received[:SHOWN_BYTES]).decode("utf-8", "replace").replace("\0", "�")


def _is_about_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
