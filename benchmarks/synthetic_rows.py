"""Generate synthetic certificate rows by ranges of serials, without tokens and without companies.

Each certificate has its log entry and its genuine snapshot, but no token. `bulk_insert` computes the tree over the
entries and signs the head, so that services verify the log as any other.

Ids and numbers grow with the serial, so that ten million rows are appended and not sorted in. Names, terms and states
differ between rows, so that no response is the same for all of them.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.certificates.certificate_number import CertificateNumber
from app.certificates.model import Certificate, CertificateSnapshot
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.snapshot import SnapshotKey
from app.core.crypto.keyring import KeyRecord, KeyRing, KeyState
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.model import LogEntry
from app.verification.snapshots import build_snapshot

Row = tuple[object, ...]

SCHEME, YEAR = "MIK", 2026
_FIRST_DAY = date(2026, 1, 1)
_FIRST_MOMENT = datetime(2026, 1, 1, 5, tzinfo=UTC)
_LIST_ENTRIES = 131_072
_GOODS = (
    ("730630", "Steel pipe", "Polad boru", "Стальная труба"),
    ("220421", "Pomegranate wine", "Nar şərabı", "Гранатовое вино"),
    ("570110", "Hand-knotted carpet", "Əl ilə toxunmuş xalça", "Ковёр ручной работы"),
    ("040900", "Mountain honey", "Dağ balı", "Горный мёд"),
    ("940360", "Walnut table", "Qoz ağacından masa", "Стол из ореха"),
)
_PLACES = (("AGDAM-SP", "Ağdam"), (None, "Şuşa"), ("ARAZ-VALLEY", "Cəbrayıl"), (None, "Qusar"))
COLUMNS = {
    model.__tablename__: tuple(column.name for column in model.__table__.columns)
    for model in (Certificate, LogEntry, CertificateSnapshot)
}
"""Columns of each table that is filled, in the order of filling."""
_DAYS = [(_FIRST_DAY + timedelta(days=day)).isoformat() for day in range(8_000)]
_NO_KEY: Any = None  # nothing is verified here


@dataclass(frozen=True)
class SharedValues:
    """Hold what the rows of one dataset share. `begin`: position of their first entry in the log."""

    kid: str
    begin: int
    is_sqlite: bool
    secret: bytes  # of snapshots.key
    base_url: str
    now: datetime


def number_of(serial: int) -> str:
    return str(CertificateNumber(SCHEME, YEAR, serial))


def synthetic_rows(shared: SharedValues, serials: range) -> dict[str, list[Row]]:
    """Return the rows of the serials by table, in the order of COLUMNS, in the database's own representation."""
    tables: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    for serial in serials:
        certificate = _certificate(shared, serial)
        for table, values in (
            ("certificates", certificate),
            ("log_entries", _log_entry(shared, serial, certificate)),
            ("certificate_snapshots", _snapshot(shared, serial, certificate)),
        ):
            tables[table].append(tuple(map(values.__getitem__, COLUMNS[table])))
    return tables


def _certificate(shared: SharedValues, serial: int) -> dict[str, object]:
    hs6, english, azeri, russian = _GOODS[serial % len(_GOODS)]
    park, district = _PLACES[serial % len(_PLACES)]
    started = serial * 7919 % 300  # a few begin after today, and a few have ended
    ends = started + (365, 730, 1095)[serial % 3] - (600 if serial % 50 == 0 and serial % 3 else 0)
    is_revoked, is_suspended = serial % 101 == 0, serial % 97 == 0
    moment = _moment(serial)
    stored_moment = _stored(moment, shared.is_sqlite)
    model = serial % 1000
    return {
        "id": _uuid(1, serial, shared.is_sqlite),
        "number": number_of(serial),
        "scheme_code": SCHEME,
        "scheme_name": "Made in Karabakh – Heart of Azerbaijan",
        "ruleset_version": "2026.1",
        "year": YEAR,
        "serial": serial,
        "organisation_id": _uuid(2, serial // 10, shared.is_sqlite),
        "product_id": _uuid(3, serial, shared.is_sqlite),
        "site_id": _uuid(4, serial // 10, shared.is_sqlite),
        "residency_id": None,
        "application_id": _uuid(5, serial, shared.is_sqlite),
        "decision_id": _uuid(6, serial, shared.is_sqlite),
        "holder_name": f"Sample {serial // 10}",
        "holder_name_az": f"“Nümunə-{serial // 10}” MMC",
        "holder_voen": f"{serial // 10 % 1_000_000_000:09d}1",
        "holder_is_legal_person": True,
        "product_names": f'{{"az":"{azeri} {model}","en":"{english} {model}","ru":"{russian}"}}',
        "hs6": hs6,
        "gtin": None,
        "park_code": park,
        "district": district,
        "country": "AZ",
        "origin_criterion": ("CTH", "WO", "VA40")[serial % 3],
        "valid_from": _DAYS[started],
        "valid_until": _DAYS[max(ends, started)],
        "status": "revoked" if is_revoked else "suspended" if is_suspended else "active",
        "status_since": stored_moment,
        "status_reason": "false-documents" if is_revoked else "hearing" if is_suspended else None,
        "during_investigation": False,
        "status_list_id": serial // _LIST_ENTRIES + 1,
        "status_index": serial % _LIST_ENTRIES,
        "kid": shared.kid,
        "token_sha256": _hash_of(serial),
        "issued_at": stored_moment,
        "version": 1,
        "token": "",
    }


def _log_entry(shared: SharedValues, serial: int, certificate: dict[str, object]) -> dict[str, object]:
    number, sha256 = str(certificate["number"]), str(certificate["token_sha256"])
    entry = Entry(LogEvent.CERTIFICATE_ISSUED, _moment(serial), number, sha256=sha256, key=shared.kid)
    return {
        "seq": shared.begin + serial - 1,
        "at": certificate["issued_at"],
        "event": LogEvent.CERTIFICATE_ISSUED.value,
        "subject": certificate["number"],
        "sha256": certificate["token_sha256"],
        "entry": entry.canonical_bytes(),
        "hashes": b"",  # bulk_insert computes them, one after the other
    }


def _snapshot(shared: SharedValues, serial: int, certificate: dict[str, object]) -> dict[str, object]:
    """Build the snapshot as a commit does."""
    c: dict[str, Any] = dict(certificate)
    moment = _moment(serial)
    values = {name: c[name] for name in CertificateRecord._fields if name in c} | {
        "product_names": json.loads(c["product_names"]),
        "valid_from": date.fromisoformat(c["valid_from"]),
        "valid_until": date.fromisoformat(c["valid_until"]),
        "status_since": moment,
        "logged_at": moment,
        "logged_sha256": c["token_sha256"],
        "log_seq": shared.begin + serial - 1,
    }
    ring = KeyRing.from_keys([KeyRecord(shared.kid, _NO_KEY, KeyState.ACTIVE, _FIRST_MOMENT)])
    built = build_snapshot(CertificateRecord(**values), ring, shared.now, shared.base_url, demo=True)
    assert built is not None
    return SnapshotKey(shared.secret, shared.base_url, demo=True).sign(built)._asdict()


def _hash_of(serial: int) -> str:
    return f"{serial:064x}"


def _moment(serial: int) -> datetime:
    """Return the moment of issue; not in the order of serials, so that no two responses share it."""
    return _FIRST_MOMENT + timedelta(microseconds=serial * 2_690_123 % 25_000_000_000_000)


def _stored(moment: datetime, is_sqlite: bool) -> str:
    return moment.replace(tzinfo=None).isoformat(" ") if is_sqlite else moment.isoformat()


def _uuid(kind: int, serial: int, is_sqlite: bool) -> str:
    text = f"0193{kind:04x}{serial:012x}".ljust(32, "0")
    return text if is_sqlite else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
