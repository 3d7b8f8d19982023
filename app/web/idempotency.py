"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a retry gets the answer of the first try.

The answer is kept in the transaction of its write, so either both are there or neither. A key belongs to one principal
and one address. A retry is answered after 401, 404 and 403 (rights may have ended meanwhile) and before 428, 412 and
409 (the first try itself changed version and state). Refusals are not kept: they changed nothing, and may be mended.
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
    """Not an error: the answer that was given before, on its way out."""

    def __init__(self, answer: Response) -> None:
        super().__init__("answered before")
        self.response = answer


class IdempotencyContext:
    """One request with a key. `replay` takes the key or gives the kept answer; `keep` stores the answer."""

    def __init__(self, key: str, route: str, fingerprint: str) -> None:
        self.key, self.route, self.fingerprint = key, route, fingerprint
        self._session: Session | None = None
        self._principal = ""

    def replay(self, session: Session, principal: str, now: datetime) -> None:
        if self._session is not None:
            return  # asked before in this request
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

    def store(self, answer: Response) -> None:
        """Called while the session is still open, before its commit."""
        if self._session is None:
            return
        own = {"principal": self._principal, "route": self.route, "key": self.key}
        if not 200 <= answer.status_code < 300:
            idempotency_repository.release_key(self._session, **own)
            return
        headers = {name: answer.headers[name] for name in STORED_HEADERS if name in answer.headers}
        body = _redacted_body(bytes(answer.body).decode())
        idempotency_repository.store_response(
            self._session, **own, status=answer.status_code, headers=headers, body=body
        )


def principal_of(actor: Actor | None) -> str:
    return f"{actor.kind}:{actor.id}" if actor else "anonymous"


def parse_key(request: Request) -> str | None:
    """The key, as a structured-field string or bare. Errors: Invalid for one that cannot be kept."""
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
    """Over the meaning of a JSON body, without its secrets: a kept hash must not help to guess a password."""
    text = json.dumps(_without_secret_members(parsed), sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def form_fingerprint(request: Request) -> str:
    """Over the fields and files of a form; the boundary of a multipart body differs between retries."""
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
    """The answer as it is kept: a secret that was shown once is not shown again."""
    if not any(name in body for name in SECRET_MEMBERS):
        return body
    try:
        return json.dumps(_without_secret_members(json.loads(body)), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return body
