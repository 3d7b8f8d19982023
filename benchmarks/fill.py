"""A register full of certificates, written by SQL past the services: no tokens, no companies behind them.

Each has its entry in the public log, with what checks look at. The rest of an entry has only the size that it would
have, and the head of the log does not know of them: nothing that is measured on such a register adds to the log.

Every id and number grows with the serial, so that ten million rows are appended and not sorted in. Names, terms and
states differ from row to row as they do in life: nothing of an answer may be the same for all of them.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import psycopg
import sqlalchemy as sa

from app.certificates import extract
from app.certificates.model import Certificate, Extract
from app.certificates.number import CertificateNumber
from app.certificates.record import COLUMNS as RECORD_COLUMNS
from app.db import Database, dumps
from app.ledger.entry import Entry, LogEvent
from app.ledger.model import LogEntry, LogHead
from app.ledger.service import known_keys
from app.verification.row import from_row

SCHEME, YEAR = "MIK", 2026
CHUNK = 20_000
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
COLUMNS = tuple(column.name for column in Certificate.__table__.columns)
LOG_COLUMNS = tuple(column.name for column in LogEntry.__table__.columns)
EXTRACT_COLUMNS = tuple(column.name for column in Extract.__table__.columns)
_HASH_BYTES = 32
_MOST_HASHES = 24


def number_of(serial: int) -> str:
    return str(CertificateNumber(SCHEME, YEAR, serial))


def fill(url: str, count: int, say: Callable[[str], None] = lambda _text: None) -> None:
    """Rows with the serials 1 to `count` in a prepared register that has none."""
    database = Database(url)
    with database.read_session() as session:
        kid = next(iter(known_keys(session)))
        begin = session.scalars(sa.select(LogHead.size)).one()
    database.dispose()
    is_sqlite = url.startswith("sqlite")
    write = _fill_sqlite if is_sqlite else _fill_postgres
    write(url, "certificates", COLUMNS, rows(count, kid, is_sqlite=is_sqlite), count, say)
    write(url, "log_entries", LOG_COLUMNS, log_rows(count, kid, begin, is_sqlite=is_sqlite), count, say)
    write(url, "extracts", EXTRACT_COLUMNS, extract_rows(count, kid), count, say)


def rows(count: int, kid: str, *, is_sqlite: bool) -> Iterator[tuple[object, ...]]:
    """In the order of COLUMNS, each value in the form in which its database keeps it."""
    day_texts = [(_FIRST_DAY + timedelta(days=day)).isoformat() for day in range(8_000)]
    for serial in range(1, count + 1):
        hs6, english, azeri, russian = _GOODS[serial % len(_GOODS)]
        park, district = _PLACES[serial % len(_PLACES)]
        started = serial * 7919 % 300  # a few begin after today, and a few have ended
        ends = started + (365, 730, 1095)[serial % 3] - (600 if serial % 50 == 0 and serial % 3 else 0)
        is_revoked, is_suspended = serial % 101 == 0, serial % 97 == 0
        stored_moment = _stored(_moment(serial), is_sqlite)
        names = {"en": f"{english} {serial % 1000}", "az": f"{azeri} {serial % 1000}", "ru": russian}
        values = {
            "id": _uuid(1, serial, is_sqlite),
            "number": number_of(serial),
            "scheme_code": SCHEME,
            "scheme_name": "Made in Karabakh – Heart of Azerbaijan",
            "ruleset_version": "2026.1",
            "year": YEAR,
            "serial": serial,
            "organisation_id": _uuid(2, serial // 10, is_sqlite),
            "product_id": _uuid(3, serial, is_sqlite),
            "site_id": _uuid(4, serial // 10, is_sqlite),
            "residency_id": None,
            "application_id": _uuid(5, serial, is_sqlite),
            "decision_id": _uuid(6, serial, is_sqlite),
            "holder_name": f"“Nümunə-{serial // 10}” MMC",
            "holder_voen": f"{serial // 10 % 1_000_000_000:09d}1",
            "product_names": dumps(names),
            "hs6": hs6,
            "gtin": None,
            "park_code": park,
            "district": district,
            "origin_criterion": ("CTH", "WO", "VA40")[serial % 3],
            "valid_from": day_texts[started],
            "valid_until": day_texts[max(ends, started)],
            "status": "revoked" if is_revoked else "suspended" if is_suspended else "active",
            "status_since": stored_moment,
            "status_reason": "false-documents" if is_revoked else "hearing" if is_suspended else None,
            "status_list_id": serial // _LIST_ENTRIES + 1,
            "status_index": serial % _LIST_ENTRIES,
            "kid": kid,
            "token_sha256": _hash_of(serial),
            "issued_at": stored_moment,
            "version": 1,
            "token": "",
        }
        yield tuple(values[name] for name in COLUMNS)


def log_rows(count: int, kid: str, begin: int, *, is_sqlite: bool) -> Iterator[tuple[object, ...]]:
    """The issue of each, in the order of LOG_COLUMNS, from the place `begin` of the log on."""
    event = LogEvent.CERTIFICATE_ISSUED
    content = Entry(event, _FIRST_MOMENT, number_of(1), sha256=_hash_of(1), key=kid).canonical()
    for serial in range(1, count + 1):
        seq = begin + serial - 1
        completed = min((seq + 1 & -(seq + 1)).bit_length(), _MOST_HASHES)  # its leaf, and subtrees that it completes
        values = {
            "seq": seq,
            "at": _stored(_moment(serial), is_sqlite),
            "event": event.value,
            "subject": number_of(serial),
            "sha256": _hash_of(serial),
            "entry": content,
            "hashes": bytes(_HASH_BYTES * completed),
        }
        yield tuple(values[name] for name in LOG_COLUMNS)


def extract_rows(count: int, kid: str) -> Iterator[tuple[object, ...]]:
    """What checks print of each, in the order of EXTRACT_COLUMNS."""
    places = [COLUMNS.index(name) for name in RECORD_COLUMNS]
    for serial, row in enumerate(rows(count, kid, is_sqlite=True), 1):
        moment = _moment(serial)
        read = from_row((*(row[place] for place in places), None, _hash_of(serial)))
        text = extract.write(read._replace(logged_at=moment))
        yield read.number, bytes.fromhex(read.token_sha256), text


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


Rows = Iterator[tuple[object, ...]]
Say = Callable[[str], None]


def _fill_sqlite(url: str, table: str, columns: Sequence[str], made: Rows, count: int, say: Say) -> None:
    database = Database(url)
    connection = database.write_engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("PRAGMA synchronous=OFF")  # only while it is filled: who serves it opens it anew
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 (constants)
        done = 0
        while chunk := list(itertools.islice(made, CHUNK)):
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(statement, chunk)
            cursor.execute("COMMIT")
            done += len(chunk)
            say(f"{done:,} of {count:,} rows of {table}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.invalidate()
        database.dispose()


def _fill_postgres(url: str, table: str, columns: Sequence[str], made: Rows, count: int, say: Say) -> None:
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as conn:
        conn.execute("SET session_replication_role = replica")  # rows without the companies behind them
        with conn.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:  # type: ignore[arg-type]  # constants
            for done, row in enumerate(made, 1):
                copy.write_row(row)
                if done % CHUNK == 0:
                    say(f"{done:,} of {count:,} rows of {table}")
        conn.commit()
        conn.autocommit = True
        conn.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]  # constants
