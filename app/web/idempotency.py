"""Replay responses for `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

The response is stored in the transaction of its write, so that both exist or neither. A key belongs to one principal
and one address. A retry is answered after 401, 404 and 403 (permissions may have ended) and before 428, 412 and 409
(the first request changed version and state). Error responses are not stored: they changed nothing.
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from app.core.actor import Actor
from app.core.errors import Invalid
from app.web import idempotency_repository

HEADER = "Idempotency-Key"
SECRET_MEMBERS = frozenset(
    {"password", "present_password", "client_secret", "secret", "otpauth", "token", "refresh_token", "otp"}
)
STORED_HEADERS = ("etag", "content-type", "location")


class IdempotentReplay(Exception):
    """Carry the stored response of the first request to the error handler. Not an error."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


class IdempotencyContext:
    """Hold one request with a key. `replay` claims the key or returns the stored response; `store` stores it."""

    def __init__(self, key: str, route: str, fingerprint: str) -> None:
        self.key, self.route, self.fingerprint = key, route, fingerprint
        self._session: Session | None = None
        self._principal = ""

    def replay(self, session: Session, principal: str, now: datetime) -> None:
        if self._session is not None:
            return  # already claimed in this request
        kept = idempotency_repository.claim_key(
            session, principal=principal, route=self.route, key=self.key, fingerprint=self.fingerprint, now=now
        )
        if kept is None:
            self._session, self._principal = session, principal
            return
        if kept.fingerprint != self.fingerprint:
            raise Invalid("This Idempotency-Key was used for another request. Use a new one.", code="key-reused")
        headers = {**(kept.headers or {}), "Idempotent-Replayed": "true"}
        raise IdempotentReplay(Response(kept.body, kept.status or 200, headers))

    def store(self, response: Response) -> None:
        """Store the response; called before the commit of the session."""
        if self._session is None:
            return
        own = {"principal": self._principal, "route": self.route, "key": self.key}
        if not 200 <= response.status_code < 300:
            idempotency_repository.release_key(self._session, **own)
            return
        headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
        body = _redacted_body(bytes(response.body).decode())
        idempotency_repository.store_response(
            self._session, **own, status=response.status_code, headers=headers, body=body
        )


def principal_of(actor: Actor | None) -> str:
    """Return whose key it is: an agent has keys of their own for each company."""
    if actor is None:
        return "anonymous"
    principal = f"{actor.kind}:{actor.id}"
    return principal if actor.authority_id is None else f"{principal}:{actor.organisation_id}"


def parse_key(request: Request) -> str | None:
    """Return the key, a structured-field string or bare. Raises `Invalid` for a key that cannot be stored."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = ", ".join(given).strip()  # two headers are one list (RFC 9110 §5.3), and its space is in no key
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not re.fullmatch(r"[!#-\[\]-~]{1,128}", key):
        raise Invalid("An Idempotency-Key has 1 to 128 visible ASCII characters, best a UUID.", code="key-invalid")
    return key


def json_fingerprint(parsed: Any) -> str:
    """Hash the meaning of a JSON body without its secrets: a stored hash must not help to guess a password."""
    text = json.dumps(_without_secret_members(parsed), sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def form_fingerprint(request: Request) -> str:
    """Hash the fields and files of a form; the boundary of a multipart body differs between retries."""
    digest = hashlib.sha256()
    for name, value in sorted((await request.form()).multi_items(), key=lambda item: item[0]):
        if isinstance(value, UploadFile):
            digest.update(f"{name}\0{value.filename}\0".encode(errors="replace"))
            while chunk := await value.read(1 << 20):
                digest.update(chunk)
            await value.seek(0)
        elif name not in SECRET_MEMBERS:
            digest.update(f"{name}\0{value}\0".encode(errors="replace"))
    return digest.hexdigest()


def _without_secret_members(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: None if k in SECRET_MEMBERS else _without_secret_members(v) for k, v in value.items()}
    return [_without_secret_members(item) for item in value] if isinstance(value, list) else value


def _redacted_body(body: str) -> str:
    """Remove secrets from a stored response: a secret that was displayed once is not displayed again."""
    if not any(name in body for name in SECRET_MEMBERS):
        return body
    try:
        return json.dumps(_without_secret_members(json.loads(body)), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return body
