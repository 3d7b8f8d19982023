"""Made-up rows of the register, a stretch of serials at a time: no tokens, no companies behind them.

Each certificate has its entry in the public log, with what checks look at, and its extract. The rest of an entry has
only the size that it would have, and the head of the log does not know of them: nothing that is measured on such a
register adds to the log.

Every id and number grows with the serial, so that ten million rows are appended and not sorted in. Names, terms and
states differ from row to row as they do in life: nothing of an answer may be the same for all of them.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from app.certificates.certificate_number import CertificateNumber
from app.certificates.model import Certificate, CertificateSnapshot
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.model import LogEntry

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
"""Of each table that is filled, in the order of filling."""
_DAYS = [(_FIRST_DAY + timedelta(days=day)).isoformat() for day in range(8_000)]
_HASH_BYTES = 32
_MOST_HASHES = 24


@dataclass(frozen=True)
class Filling:
    """What the rows of one register share. `begin` is the place in its log at which they start."""

    kid: str
    begin: int
    is_sqlite: bool


def number_of(serial: int) -> str:
    return str(CertificateNumber(SCHEME, YEAR, serial))


def made(of: Filling, serials: range) -> dict[str, list[Row]]:
    """Rows for these serials by table, in the order of COLUMNS, each value as its database keeps it."""
    tables: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    for serial in serials:
        certificate = _certificate(of, serial)
        for table, values in (
            ("certificates", certificate),
            ("log_entries", _log_entry(of, serial, certificate)),
            ("extracts", _extract(certificate, serial)),
        ):
            tables[table].append(tuple(map(values.__getitem__, COLUMNS[table])))
    return tables


def _certificate(of: Filling, serial: int) -> dict[str, object]:
    hs6, english, azeri, russian = _GOODS[serial % len(_GOODS)]
    park, district = _PLACES[serial % len(_PLACES)]
    started = serial * 7919 % 300  # a few begin after today, and a few have ended
    ends = started + (365, 730, 1095)[serial % 3] - (600 if serial % 50 == 0 and serial % 3 else 0)
    is_revoked, is_suspended = serial % 101 == 0, serial % 97 == 0
    moment = _moment(serial)
    stored_moment = _stored(moment, of.is_sqlite)
    model = serial % 1000
    return {
        "id": _uuid(1, serial, of.is_sqlite),
        "number": number_of(serial),
        "scheme_code": SCHEME,
        "scheme_name": "Made in Karabakh – Heart of Azerbaijan",
        "ruleset_version": "2026.1",
        "year": YEAR,
        "serial": serial,
        "organisation_id": _uuid(2, serial // 10, of.is_sqlite),
        "product_id": _uuid(3, serial, of.is_sqlite),
        "site_id": _uuid(4, serial // 10, of.is_sqlite),
        "residency_id": None,
        "application_id": _uuid(5, serial, of.is_sqlite),
        "decision_id": _uuid(6, serial, of.is_sqlite),
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
        "kid": of.kid,
        "token_sha256": _hash_of(serial),
        "issued_at": stored_moment,
        "version": 1,
        "token": "",
    }


def _log_entry(of: Filling, serial: int, certificate: dict[str, object]) -> dict[str, object]:
    seq = of.begin + serial - 1
    completed = min((seq + 1 & -(seq + 1)).bit_length(), _MOST_HASHES)  # its leaf, and subtrees that it completes
    return {
        "seq": seq,
        "at": certificate["issued_at"],
        "event": LogEvent.CERTIFICATE_ISSUED.value,
        "subject": certificate["number"],
        "sha256": certificate["token_sha256"],
        "entry": _ENTRY,
        "hashes": bytes(_HASH_BYTES * completed),
    }


def _extract(it: dict[str, object], serial: int) -> dict[str, object]:
    """What `extract.write` makes of the row, made by hand since there are millions of them; a test compares them."""
    moment = _moment(serial).strftime("%Y-%m-%dT%H:%M:%SZ")
    judged = f"{it['valid_from']} {it['valid_until']} {it['status']} {it['kid']}"
    shown = f"{judged}\n{it['number']}\n{moment}\n{moment}\n{moment}"
    face = (
        f'{{"number":"{it["number"]}","scheme":{{"code":"{SCHEME}","name":"{it["scheme_name"]}"}},'
        f'"holder":{{"name":"{it["holder_name"]}","name_az":"{it["holder_name_az"]}","voen":"{it["holder_voen"]}"}},'
        f'"product":{{"name":{it["product_names"]},"hs6":"{it["hs6"]}","gtin":null}},'
        f'"site":{{"park":{_or_null(it["park_code"])},"district":"{it["district"]}"}},'
        f'"country":"{it["country"]}","origin_criterion":"{it["origin_criterion"]}","valid_from":"{it["valid_from"]}",'
        f'"valid_until":"{it["valid_until"]}","status":"{it["status"]}","status_since":"{moment}",'
        f'"reason":{_or_null(it["status_reason"])}}}'
    )
    mark = hashlib.sha256(f"{shown}{face}".encode()).hexdigest()[:16]
    text = f"{shown}\n{mark}\n{face}".encode()
    return {"number": it["number"], "signed_hash": serial.to_bytes(_HASH_BYTES), "text": text}


def _or_null(text: object) -> str:
    return "null" if text is None else f'"{text}"'


def _hash_of(serial: int) -> str:
    return f"{serial:064x}"


def _moment(serial: int) -> datetime:
    """When it was issued and logged; not in the order of the serials, so that no two answers share it."""
    return _FIRST_MOMENT + timedelta(microseconds=serial * 2_690_123 % 25_000_000_000_000)


def _stored(moment: datetime, is_sqlite: bool) -> str:
    return moment.replace(tzinfo=None).isoformat(" ") if is_sqlite else moment.isoformat()


def _uuid(kind: int, serial: int, is_sqlite: bool) -> str:
    text = f"0193{kind:04x}{serial:012x}".ljust(32, "0")
    return text if is_sqlite else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ENTRY = Entry(LogEvent.CERTIFICATE_ISSUED, _FIRST_MOMENT, number_of(1), sha256=_hash_of(1), key="").canonical_bytes()
