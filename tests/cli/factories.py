"""A production set-up that is right, to be made wrong in one place."""

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from app.commit_pipeline import open_database
from app.signing.log_signer import LogKeyFile
from app.startup_checks import UncheckedSettings
from app.transparency import appender

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


class Installation:
    def __init__(self, database_url, folder):
        self.folder = folder / "data"
        self.folder.mkdir(mode=0o700)
        self.database_url = database_url
        self.environment = {
            "MIK_PROFILE": "production",
            "MIK_DATA_DIR": str(self.folder),
            "MIK_DATABASE_URL": database_url,
            "MIK_DATABASE_OWNER_ALLOWED": "true",  # roles belong to the whole server: tests connect as the owner
            "MIK_BASE_URL": "https://verify.example.az",
            "MIK_ISSUER": "did:web:verify.example.az",
            "MIK_SMTP_URL": "smtp://mail.example.az",
            "MIK_MAIL_FROM": "Made in Karabakh <noreply@verify.example.az>",
        }
        if self.is_sqlite:
            Path(self.file).chmod(0o600)

    @property
    def is_sqlite(self):
        return self.database_url.startswith("sqlite")

    @property
    def file(self):
        return self.database_url.removeprefix("sqlite:///")

    @property
    def settings(self):
        return UncheckedSettings(
            **{name.removeprefix("MIK_").lower(): value for name, value in self.environment.items()}
        )

    @contextmanager
    def session(self):
        database = open_database(self.database_url)
        database.attach_session_info({appender.SIGNER_KEY: LogKeyFile(self.settings.log_key)})
        with database.session() as session:
            yield session
            session.commit()
        database.dispose()


def unmigrated(installation):
    with installation.session() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
