"""Replace the folded search text of certificates by one row for each search term.

Existing certificates get their terms.
"""

import json

import sqlalchemy as sa
from alembic import op

from app.core.text.phonetic import phonetic_keys

revision = "20261122_2235_register_search"
down_revision = "20261122_2230_key_life"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AT_ONCE = 1_000


def upgrade() -> None:
    words = op.create_table(
        "certificate_words",
        sa.Column("word", WORD, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "field IN ('number', 'holder', 'product', 'hs', 'place')", name=op.f("ck_certificate_words_field")
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_certificate_words_certificate_id")
        ),
        sa.PrimaryKeyConstraint("word", "field", "certificate_id", name=op.f("pk_certificate_words")),
        sqlite_with_rowid=False,
    )
    for rows in _found(op.get_bind()):
        op.bulk_insert(words, rows)
    op.create_index(
        "ix_certificates_counted",
        "certificates",
        ["scheme_code", "park_code", "status", "valid_until", "version"],
        unique=False,
    )
    op.execute("ALTER TABLE certificates DROP COLUMN search_text")  # not by batch: other tables point to this one


def downgrade() -> None:
    """The older service folds the text by itself when it issues; for what lies here plain small letters have to do."""
    op.execute("ALTER TABLE certificates ADD COLUMN search_text TEXT NOT NULL DEFAULT ''")
    op.execute("UPDATE certificates SET search_text = lower(number || ' ' || holder_name)")
    op.drop_index("ix_certificates_counted", table_name="certificates")
    op.drop_table("certificate_words")


def _found(connection):
    """The words of all certificates, in pieces that fit into memory."""
    found = connection.execute(
        sa.text(
            "SELECT c.id, c.number, c.holder_name, o.legal_name_az, c.product_names, c.gtin, c.hs6, c.district, "
            "c.park_code FROM certificates c JOIN organisations o ON o.id = c.organisation_id"
        ).columns(id=sa.Uuid())
    )
    for some in found.partitions(AT_ONCE):
        yield [{"word": word, "field": field, "certificate_id": row.id} for row in some for field, word in _words(row)]


def _words(row):
    names = json.loads(row.product_names) if isinstance(row.product_names, str) else row.product_names
    texts = [
        ("number", row.number),
        ("holder", row.holder_name),
        ("holder", row.legal_name_az),
        *(("product", name) for name in names.values()),
        ("product", row.gtin or ""),
        ("hs", "HS"),
        ("hs", row.hs6),
        ("place", row.district),
        ("place", row.park_code or ""),
    ]
    return dict.fromkeys((field, word) for field, text in texts for word in phonetic_keys(text))
