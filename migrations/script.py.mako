"""${message}

It may run beside the previous version of the service: add first, remove one release later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 (written unqualified inside JSONB by autogenerate)
from sqlalchemy.dialects import postgresql  # noqa: F401 (for JSONB)

from app import db  # noqa: F401 (our column types)

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
