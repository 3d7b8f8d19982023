"""Test data of this folder: keys from numbers, a content, its row, a register in memory."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from app.certificates.credential.linter import LintContext, lint, sign_credential
from app.certificates.credential.untp_builder import CertificateContent, build_credential
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.snapshot import SnapshotKey
from app.core.crypto import jws
from app.core.crypto.jwk import did_kid
from app.core.crypto.jws import PrivateKey
from app.core.crypto.keyring import KeyRecord, KeyRing, KeyState
from app.core.crypto.signer import FileSigner
from app.verification.handler import VerifyHandler, batch_route
from app.verification.metrics import VerdictCounter
from app.verification.service import VerificationService
from app.verification.snapshots import SnapshotCheck, build_snapshot
from app.web.body import read_body
from app.web.limits.rate_limit import RateLimiter
from app.web.middleware import CommonResponseMiddleware, PublicCorsMiddleware, RequestIdGenerator
from app.web.problems import problem_details
from app.web.routes import paths_of
from app.web.verify_fast_path import VerifyFastPath

DID = "did:web:mark.example"
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
KEY_SINCE = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def private_key(value):
    """A key for tests, from a number: not a secret, and the same in every run."""
    pem = ec.derive_private_key(value, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return PrivateKey.from_pem(pem)


def signer_of(value, issuer=DID):
    key = private_key(value)
    return FileSigner(did_kid(issuer, key.public), key)


def content_of(number="MIK-2026-000042-Y", **other):
    values = {
        "number": number,
        "base_url": "https://mark.example",
        "issuer": DID,
        "issuer_name": "Owner of the mark",
        "scheme_code": number[:3],
        "scheme_name": "Made in Karabakh",
        "ruleset_version": "2026.1",
        "assessment_level": "scheme-cab",
        "holder_id": UUID(int=1),
        "holder_name": "Sample Pipe LLC",
        "holder_name_az": "“Nümunə-Boru” MMC",
        "holder_voen": "0010002221",
        "product_id": UUID(int=2),
        "product_names": {"en": "Steel pipe", "az": "Polad boru"},
        "hs6": "730630",
        "gtin": None,
        "site_id": UUID(int=3),
        "park_code": "AGDAM-SP",
        "district": "Ağdam",
        "country": "AZ",
        "origin_criterion": "CTH",
        "valid_from": date(2026, 11, 22),
        "valid_until": date(2029, 11, 21),
        "status_list_id": 1,
        "status_index": 4711,
    }
    return CertificateContent(**(values | other))


def grounds_of(content, not_after=None):
    """What the content agrees with."""
    return LintContext(content.issuer, content.base_url, content.status_list_id, content.status_index, not_after)


def token_of(signer, content):
    return sign_credential(signer, lint(build_credential(content), grounds_of(content)))


def record_of(content, token, signer, **other):
    values = {name: getattr(content, name) for name in CertificateRecord._fields if hasattr(content, name)}
    values |= {
        "status": "active",
        "status_since": datetime(2026, 11, 22, 17, 0, 0, 123456, tzinfo=UTC),
        "status_reason": None,
        "during_investigation": False,
        "kid": signer.kid,
        "token_sha256": jws.signed_hash(token),
        "logged_at": datetime(2026, 11, 22, 17, 0, 0, 123456, tzinfo=UTC),
        "log_seq": 1,
        "holder_id": content.holder_id.urn,
    }
    values |= {"logged_sha256": values["token_sha256"]}
    return CertificateRecord(**(values | other))


def ring_of(*signers, state=KeyState.ACTIVE, since=KEY_SINCE):
    return KeyRing.from_keys(KeyRecord(s.kid, s.public, state, since) for s in signers)


class FollowedLog:
    """A log that this process knows whole; `last` are the last changes of status by number."""

    def __init__(self):
        self.is_current, self.last = True, {}

    def last_seq(self, number):
        return self.last.get(number)

    def require_current(self):
        assert self.is_current


SNAPSHOT_KEY = SnapshotKey(bytes(32), "https://mark.example")


def desk_of(store, keys, clock, reload_keys=None, log=None):
    """Verification over a register in memory."""
    check = SnapshotCheck(SNAPSHOT_KEY, log or FollowedLog())
    return VerificationService(store, store, check, keys, clock, "https://mark.example", reload_keys)


def snapshot_of(record, now=NOW):
    """The snapshot that the commit of a record writes; None where it writes none."""
    keys = KeyRing.from_keys([KeyRecord(record.kid, None, KeyState.ACTIVE, KEY_SINCE)])
    built = build_snapshot(record, keys, now, "https://mark.example")
    return SNAPSHOT_KEY.sign(built) if built else None


def service_of(desk, tally=None, *, limiter=None, https=True, max_body_bytes=65_536, max_batch_bytes=8_388_608):
    """The fast path before an application that has only the route of batches."""
    tally, ids, app = tally or VerdictCounter(), RequestIdGenerator(), FastAPI()
    batches = batch_route(desk, tally, read_body, max_bytes=max_batch_bytes)
    app.router.routes.append(batches)
    problem_details.register_exception_handlers(app)
    public = paths_of([batches])
    app.add_middleware(
        lambda inner: CommonResponseMiddleware(PublicCorsMiddleware(inner, public), https=https, ids=ids)
    )
    lane = VerifyHandler(desk, tally, read_body, max_body_bytes=max_body_bytes)
    base_url = "https://mark.example" if https else "http://mark.example"
    return VerifyFastPath(app, lane, limiter or RateLimiter(0), ids, base_url=base_url)


@dataclass
class MemoryStore:
    rows: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    broken: Exception | None = None
    has_extracts: bool = True
    at_once: bool = False

    def put(self, record):
        self.rows[record.number] = record

    async def open(self):
        pass

    async def close(self):
        pass

    def _asked_for(self, what):
        if not what:
            return
        self.asked.append(what)
        if self.broken:
            raise self.broken

    def snapshot_now(self, text):
        return self._written(text) if self.at_once and not self.broken else None

    def snapshot_now_by_hash(self, signed_hash):
        found = {row.token_sha256: row.number for row in self.rows.values()}
        return self.snapshot_now(found.get(signed_hash.hex()))

    async def find_snapshot(self, number):
        self._asked_for(number)
        return self._written(number)

    async def find_snapshot_by_hash(self, signed_hash):
        return (await self.find_snapshots_by_hash([signed_hash])).get(signed_hash)

    async def find_snapshots(self, numbers):
        self._asked_for(sorted(numbers))
        return {number: text for number in numbers if (text := self._written(number)) is not None}

    async def find_snapshots_by_hash(self, signed_hashes):
        self._asked_for(sorted(each.hex() for each in signed_hashes))
        found = {bytes.fromhex(row.token_sha256): row.number for row in self.rows.values()}
        texts = {each: self._written(found[each]) for each in signed_hashes if each in found}
        return {each: text for each, text in texts.items() if text is not None}

    def _written(self, number):
        return snapshot_of(self.rows[number]) if number in self.rows and self.has_extracts else None

    def load(self, _session, numbers, _keys, _now):
        self._asked_for(list(numbers))
        return {number: self.rows[number] for number in numbers if number in self.rows}

    def find(self, numbers, tokens, keys, now):
        asked = [*numbers, *(str(each.number) for each in tokens)]
        found = self.load(None, asked, keys, now) if asked else {}
        by_token = {each.verified.signed_hash: found.get(str(each.number)) for each in tokens}
        return (
            {number: found[number] for number in numbers if number in found},
            {signed: record for signed, record in by_token.items() if record},
        )
