"""Create the snapshot store for a database address."""

from pathlib import Path

from sqlalchemy.engine import make_url

from app.verification.stores.base import SnapshotStore
from app.verification.stores.postgres import PostgresStore
from app.verification.stores.sqlite import SqliteStore


def create_snapshot_store(url: str) -> SnapshotStore:
    """Create the store for a SQLAlchemy address: `sqlite:///…` or `postgresql+psycopg://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("the register is a file: a database in memory cannot be shared")
        return SqliteStore(Path(parsed.database))
    address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresStore(address.replace(" ", "%20"))  # SQLAlchemy leaves spaces in a password, libpq refuses them
