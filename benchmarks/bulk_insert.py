"""Insert many certificates by SQL, without the services."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.commit_pipeline import open_database
from app.core.crypto.pem_files import load_or_create_secret
from app.core.dates import utc_now
from app.core.settings import Settings
from app.signing.issuer_identity import load_public_keys
from app.signing.log_signer import LogKeyFile
from app.transparency import log_repository, merkle
from app.transparency.checkpoint import Checkpoint
from app.transparency.model import LogHead
from benchmarks.synthetic_rows import COLUMNS, Row, SharedValues, synthetic_rows

CHUNK = 10_000
Report = Callable[[str], None]


def bulk_insert(settings: Settings, count: int, report: Report = lambda _text: None) -> None:
    """Insert rows with the serials 1 to `count` into a prepared database that has no certificates."""
    url = settings.sqlalchemy_url
    is_sqlite = url.startswith("sqlite")
    database = open_database(url)
    with database.read_session() as session:
        begin = _begin(session)
        kid, secret = next(iter(load_public_keys(session))), load_or_create_secret(settings.snapshots_key)
        shared = SharedValues(kid, begin, is_sqlite, secret, settings.base_url, utc_now())
        tree = _Tree(begin, _frontier(session, begin))
    database.dispose()
    # Generating rows is half of the work: another process generates the next chunk while one is written.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        serials = (range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK))
        chunks = pool.imap(partial(synthetic_rows, shared), serials)
        chunks = tree.completed(_with_progress(chunks, count, report))
        (_insert_sqlite if is_sqlite else _insert_postgres)(url, chunks, report)
    database = open_database(url)
    with database.session() as session:
        signer = LogKeyFile(settings.log_key)(session)
        checkpoint = signer.sign(Checkpoint(signer.name, tree.size, merkle.root_from_range(tree.frontier)).text)
        log_repository.update_head(session, tree.size, signer.verifier.vkey, checkpoint)
        session.commit()
    database.dispose()
    report("waiting for the disk")
    os.sync()  # unwritten gigabytes would slow down the next measurement


def _begin(session: Session) -> int:
    return session.scalars(sa.select(LogHead.size)).one()


def _frontier(session: Session, size: int) -> tuple[bytes, ...]:
    nodes = merkle.compact_range_nodes(size)
    found = log_repository.get_hashes(session, nodes)
    return tuple(found[node] for node in nodes)


Chunks = Iterator[dict[str, list[Row]]]


class _Tree:
    """The tree of the log, to which the rows of each chunk are added in order."""

    def __init__(self, size: int, frontier: tuple[bytes, ...]) -> None:
        self.size, self.frontier = size, frontier

    def completed(self, chunks: Chunks) -> Chunks:
        """Yield the chunks with the hashes that each entry completes."""
        names = COLUMNS["log_entries"]
        entry, hashes = names.index("entry"), names.index("hashes")
        for chunk in chunks:
            rows = []
            for row in chunk["log_entries"]:
                leaf = merkle.leaf_hash(cast("bytes", row[entry]))
                completed = merkle.completed_hashes(leaf, self.size, self.frontier)
                self.frontier = merkle.extend_range(self.frontier, completed)
                self.size += 1
                rows.append((*row[:hashes], b"".join(completed), *row[hashes + 1 :]))
            yield {**chunk, "log_entries": rows}


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
