"""Insert many certificates by SQL, without the services."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.commit_pipeline import open_database
from app.signing.issuer_identity import load_public_keys
from app.transparency.model import LogHead
from benchmarks.synthetic_rows import COLUMNS, Row, SharedValues, synthetic_rows

CHUNK = 10_000
Report = Callable[[str], None]


def bulk_insert(url: str, count: int, report: Report = lambda _text: None) -> None:
    """Insert rows with the serials 1 to `count` into a prepared database that has no certificates."""
    is_sqlite = url.startswith("sqlite")
    database = open_database(url)
    with database.read_session() as session:
        shared = SharedValues(next(iter(load_public_keys(session))), _begin(session), is_sqlite)
    database.dispose()
    # Generating rows is half of the work: another process generates the next chunk while one is written.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        serials = (range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK))
        chunks = pool.imap(partial(synthetic_rows, shared), serials)
        (_insert_sqlite if is_sqlite else _insert_postgres)(url, _with_progress(chunks, count, report), report)
    report("waiting for the disk")
    os.sync()  # unwritten gigabytes would slow down the next measurement


def _begin(session: Session) -> int:
    return session.scalars(sa.select(LogHead.size)).one()


Chunks = Iterator[dict[str, list[Row]]]


def _with_progress(chunks: Chunks, count: int, report: Report) -> Chunks:
    for place, chunk in enumerate(chunks):
        report(f"{min(place * CHUNK, count):,} of {count:,} certificates")
        yield chunk


def _insert_sqlite(url: str, chunks: Chunks, report: Report) -> None:
    """Insert with the fastest settings for a single connection: no journal, much memory, no triggers or indexes.

    Triggers and indexes are created again at the end. Servers open the database later with the usual settings.
    """
    database = open_database(url)
    connection = database.write_engine.raw_connection()
    try:
        cursor = connection.cursor()
        for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        tables = ", ".join(f"'{table}'" for table in COLUMNS)
        query = f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ({tables}) AND type <> 'table'"  # noqa: S608 (constants)
        dropped = cursor.execute(f"{query} AND sql IS NOT NULL ORDER BY type").fetchall()
        for kind, name, _ in dropped:
            cursor.execute(f"DROP {kind} {name}")
        cursor.execute("BEGIN IMMEDIATE")
        for chunk in chunks:
            for table, rows in chunk.items():
                names = COLUMNS[table]
                placeholders = ", ".join("?" * len(names))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({placeholders})", rows)  # noqa: S608 (constants)
        for _, name, sql in dropped:
            report(name)
            cursor.execute(sql)
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA journal_mode=WAL").fetchall()
    finally:
        connection.invalidate()
        database.dispose()


def _insert_postgres(url: str, chunks: Chunks, report: Report) -> None:
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as conn:
        conn.execute("SET session_replication_role = replica")  # the rows refer to companies that do not exist
        for chunk in chunks:
            for table, rows in chunk.items():
                with conn.cursor().copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:  # type: ignore[arg-type]  # constants
                    for row in rows:
                        copy.write_row(row)
        conn.commit()
        conn.autocommit = True
        for table in COLUMNS:
            report(f"statistics of {table}")
            conn.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]  # constants
