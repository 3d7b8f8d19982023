"""A register full of certificates, written by SQL past the services."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.commit_pipeline import open_database
from app.signing.issuer_identity import load_keys
from app.transparency.model import LogHead
from benchmarks.made import COLUMNS, Filling, Row, made

CHUNK = 10_000
Say = Callable[[str], None]


def fill(url: str, count: int, say: Say = lambda _text: None) -> None:
    """Rows with the serials 1 to `count` in a prepared register that has none."""
    is_sqlite = url.startswith("sqlite")
    database = open_database(url)
    with database.read_session() as session:
        filling = Filling(next(iter(load_keys(session))), _begin(session), is_sqlite)
    database.dispose()
    # Half of the work is to make the rows: another process makes the next ones while these are written.
    with multiprocessing.get_context("spawn").Pool(1) as maker:
        serials = (range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK))
        chunks = maker.imap(partial(made, filling), serials)
        (_fill_sqlite if is_sqlite else _fill_postgres)(url, _told(chunks, count, say), say)
    say("waiting for the disk")
    os.sync()  # gigabytes that are still being written would be felt by whoever is measured next


def _begin(session: Session) -> int:
    return session.scalars(sa.select(LogHead.size)).one()


Chunks = Iterator[dict[str, list[Row]]]


def _told(chunks: Chunks, count: int, say: Say) -> Chunks:
    for place, chunk in enumerate(chunks):
        say(f"{min(place * CHUNK, count):,} of {count:,} certificates")
        yield chunk


def _fill_sqlite(url: str, chunks: Chunks, say: Say) -> None:
    """With what SQLite has for speed while nobody else is there: no journal, much memory, triggers put aside, and
    indexes made at the end. Who serves the register opens it anew, as it is kept in life."""
    database = open_database(url)
    connection = database.write_engine.raw_connection()
    try:
        cursor = connection.cursor()
        for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        tables = ", ".join(f"'{table}'" for table in COLUMNS)
        aside = f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ({tables}) AND type <> 'table'"  # noqa: S608 (constants)
        put_aside = cursor.execute(f"{aside} AND sql IS NOT NULL ORDER BY type").fetchall()
        for kind, name, _ in put_aside:
            cursor.execute(f"DROP {kind} {name}")
        cursor.execute("BEGIN IMMEDIATE")
        for chunk in chunks:
            for table, rows in chunk.items():
                names = COLUMNS[table]
                holes = ", ".join("?" * len(names))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({holes})", rows)  # noqa: S608 (constants)
        for _, name, sql in put_aside:
            say(name)
            cursor.execute(sql)
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA journal_mode=WAL").fetchall()
    finally:
        connection.invalidate()
        database.dispose()


def _fill_postgres(url: str, chunks: Chunks, say: Say) -> None:
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as conn:
        conn.execute("SET session_replication_role = replica")  # rows without the companies behind them
        for chunk in chunks:
            for table, rows in chunk.items():
                with conn.cursor().copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:  # type: ignore[arg-type]  # constants
                    for row in rows:
                        copy.write_row(row)
        conn.commit()
        conn.autocommit = True
        for table in COLUMNS:
            say(f"statistics of {table}")
            conn.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]  # constants
