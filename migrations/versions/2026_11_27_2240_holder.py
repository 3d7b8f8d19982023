"""Add both names of the holder, whether it is a legal person, and the country of origin; correct districts.

Earlier certificates were signed without the Azerbaijani name, with a masked VÖEN, and without a country. Their rows take
the name of the certified description if its English name and VÖEN match the signed ones; the VÖEN of a legal person,
which was signed masked, is displayed in full.

Sites whose district has a spelling that rules do not find get the district that the spelling denotes, if there is one.
"""

import json
import unicodedata

import sqlalchemy as sa
from alembic import op

from app.core.text.phonetic import phonetic_keys
from app.organisations.legal_forms import is_legal_person, name_with_form
from app.reference.territory import load_territory

revision = "20261127_2240_holder"
down_revision = "20261127_2230_evidence_hash"
branch_labels = None
depends_on = None

AT_ONCE = 1_000
WORDS = sa.text(
    "INSERT INTO certificate_words (word, field, certificate_id) VALUES (:word, 'holder', :id) ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("id", type_=sa.Uuid()))
HOLDER = sa.text(
    "UPDATE certificates SET holder_name_az = :name_az, holder_is_legal_person = :is_legal, country = :country "
    "WHERE id = :id"
).bindparams(sa.bindparam("id", type_=sa.Uuid()), sa.bindparam("is_legal", type_=sa.Boolean()))


def upgrade() -> None:
    op.add_column(
        "certificates",
        sa.Column(
            "holder_name_az",
            sa.Text(),
            nullable=True,
            comment="with its legal form; null: not known for certain",
        ),
    )
    op.add_column(
        "certificates",
        sa.Column(
            "holder_is_legal_person",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="only then is its VÖEN shown, and searched",
        ),
    )
    op.add_column(
        "certificates",
        sa.Column(
            "country",
            sa.Text(),
            server_default="AZ",
            nullable=False,
            comment="of origin, ISO 3166-1 alpha-2",
        ),
    )
    if op.get_bind().dialect.name != "sqlite":  # where comments are nothing
        op.alter_column("certificates", "holder_name", existing_type=sa.Text(), comment="English")
    connection = op.get_bind()
    for row, described in _described(connection):
        company = described.get("company", {})
        name = _name_as_signed(row, company)
        is_legal = is_legal_person(row.holder_voen, company.get("legal_form", ""))
        country = described.get("site", {}).get("country", "AZ")
        connection.execute(HOLDER, {"id": row.id, "name_az": name, "is_legal": is_legal, "country": country})
        for word in phonetic_keys(name or ""):
            connection.execute(WORDS, {"word": word, "id": row.id})
    _show_anew()
    _districts(connection)


def _show_anew() -> None:
    """What is shown of a certificate has other members now: another version, and no extract until the next start."""
    op.execute("UPDATE certificates SET version = version + 1")
    op.execute("DELETE FROM extracts")


def _described(connection):
    """Every certificate with what was frozen of it, in pieces that fit into memory."""
    query = sa.text(
        "SELECT c.id, c.holder_name, c.holder_voen, d.content FROM certificates c "
        "LEFT JOIN certified_descriptions d ON d.certificate_id = c.id"
    ).columns(id=sa.Uuid())
    for row in connection.execute(query).all():
        content = json.loads(row.content) if isinstance(row.content, str) else row.content
        yield row, content or {}


def _name_as_signed(row, company):
    """The Azerbaijani name, unless what was frozen is another company than was signed."""
    same = unicodedata.normalize("NFC", company.get("legal_name_en", "")) == unicodedata.normalize(
        "NFC", row.holder_name
    )
    if not same or company.get("voen") != row.holder_voen:
        return None
    return name_with_form(company["legal_name_az"], company["legal_form"])


def _districts(connection) -> None:
    sites = sa.table(
        "sites",
        sa.column("id", sa.Uuid()),
        sa.column("country", sa.Text()),
        sa.column("district", sa.Text()),
        sa.column("economic_region", sa.Text()),
        sa.column("version", sa.Integer()),
    )
    for row in connection.execute(sa.select(sites).where(sites.c.country == "AZ")).all():
        found = load_territory().find_district(row.district)
        if found is None or (found.name, found.region) == (row.district, row.economic_region):
            continue
        changed = {"district": found.name, "economic_region": found.region, "version": row.version + 1}
        connection.execute(sa.update(sites).where(sites.c.id == row.id).values(changed))


def downgrade() -> None:
    """The words and the districts stay: they are right for the older service as well."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("certificates", "holder_name", existing_type=sa.Text(), comment=None)
    for column in ("country", "holder_is_legal_person", "holder_name_az"):
        op.execute(f"ALTER TABLE certificates DROP COLUMN {column}")  # not by batch: it would lose its triggers
    _show_anew()
