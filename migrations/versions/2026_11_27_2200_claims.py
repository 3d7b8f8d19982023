"""Add claims, withdrawn documents and erased files.

Unconfirmed companies become claims. If the register lists the company, the claimant's entries move to an organisation
of the claim, and the listed company stays without them. Entries of refused registrations become refused claims.
"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261127_2200_claims"
down_revision = "20261127_2100_reports"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
WITHDRAWN = "why the last confirmation was withdrawn"
VOEN = "10 digits as text; leading zeros count"
STANDINGS = ("listed", "unconfirmed", "confirmed")
IS_COMPANY = "standing IN ('listed', 'confirmed')"
NEVER, EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def _table(name, *, ids=("id",), times=(), texts=(), **others):
    columns = [sa.column(each, sa.Uuid()) for each in ids]
    columns += [sa.column(each, database.UtcDateTime()) for each in times]
    columns += [sa.column(each, sa.Text()) for each in texts]
    return sa.table(name, *columns, *(sa.column(each, kind) for each, kind in others.items()))


COMPANIES = _table(
    "organisations",
    ids=("id", "confirmed_by"),
    times=("confirmed_at", "created_at"),
    texts=(
        "legal_name_az", "legal_name_en", "legal_form", "voen", "size_class", "source", "search_text", "standing",
        "refusal_reason", "confirmation_basis",
    ),
    voen_needs_review=sa.Boolean(),
    foreign_share_pct=database.ExactDecimal(5, 2),
    version=sa.Integer(),
)  # fmt: skip
CLAIMS = _table(
    "claims",
    ids=("id", "claimant_id", "organisation_id", "decided_by"),
    times=("created_at", "decided_at"),
    texts=("voen", "legal_name_az", "legal_name_en", "legal_form", "state", "reason", "basis"),
    evidence_seen=JSON,
    version=sa.Integer(),
)
USERS = _table(
    "users",
    ids=("id", "organisation_id"),
    times=("created_at", "sealed_at"),
    texts=("email", "former_email"),
    active=sa.Boolean(),
)
CLIENTS = _table("api_clients", ids=("id", "organisation_id", "created_by"))
SITES = _table(
    "sites",
    ids=("id", "organisation_id"),
    times=("created_at",),
    texts=("name", "country", "district", "economic_region", "park_code", "source", "register_key"),
    production_started_on=sa.Date(),
    version=sa.Integer(),
)
RESIDENCIES = _table("residencies", ids=("id", "organisation_id"))
PRODUCTS = _table("products", ids=("id", "organisation_id", "site_id"), times=("created_at",))
APPLICATIONS = _table("applications", ids=("id", "organisation_id"), times=("created_at",))
LINES = _table("application_products", ids=("application_id", "product_id"))
EVIDENCE = _table(
    "evidence",
    ids=("id", "organisation_id", "application_id", "site_id"),
    times=("uploaded_at",),
    entered=JSON,
)
EVENTS = _table("audit_events", ids=("actor_id",), times=("at",), texts=("event", "subject_id"), seq=sa.BigInteger())


def upgrade() -> None:
    _documents()
    op.add_column(
        "users",
        sa.Column(
            "sealed_at",
            database.UtcDateTime(),
            nullable=True,
            comment="whose claim was refused: reads the claim and does nothing else, until there is another one",
        ),
    )
    _organisations((*STANDINGS, "refused"), unique=False)
    _claims()
    connection = op.get_bind()
    for row in connection.execute(sa.select(COMPANIES).where(COMPANIES.c.standing != "confirmed")).all():
        _as_claims(connection, row)


def _documents() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.alter_column(
            "withdrawal_reason",
            existing_type=sa.Text(),
            existing_nullable=True,
            comment="why the confirmation, or the document, was withdrawn",
        )
        batch_op.add_column(
            sa.Column("withdrawn_by", sa.Uuid(), nullable=True, comment="the member of the company who withdrew it")
        )
        batch_op.add_column(
            sa.Column("withdrawn_at", database.UtcDateTime(), nullable=True, comment="kept, and no longer counted")
        )
        batch_op.add_column(
            sa.Column(
                "erased_at",
                database.UtcDateTime(),
                nullable=True,
                comment="the file of a refused claim is gone; its hash stays",
            )
        )


def _organisations(standings, *, unique) -> None:
    """SQLite cannot drop a constraint of a referenced table: the table is rewritten under its own name, with the
    foreign keys looked at when the transaction ends."""
    words = ", ".join(f"'{word}'" for word in standings)
    if op.get_bind().dialect.name == "sqlite":
        names = ", ".join(column.name for column in COMPANIES.c)
        op.execute("PRAGMA defer_foreign_keys=ON")
        op.execute(f"CREATE TABLE kept_organisations AS SELECT {names} FROM organisations")  # noqa: S608 (own names)
        op.drop_table("organisations")
        _create_organisations(words, unique=unique)
        op.execute(f"INSERT INTO organisations ({names}) SELECT {names} FROM kept_organisations")  # noqa: S608 (names from above)
        op.execute("DROP TABLE kept_organisations")
    else:
        op.drop_constraint(op.f("ck_organisations_standing"), "organisations", type_="check")
        op.create_check_constraint(op.f("ck_organisations_standing"), "organisations", f"standing IN ({words})")
        if unique:
            op.drop_index("uq_organisations_voen", table_name="organisations")
            op.drop_index("ix_organisations_voen", table_name="organisations")
            op.create_unique_constraint(op.f("uq_organisations_voen"), "organisations", ["voen"])
        else:
            op.drop_constraint(op.f("uq_organisations_voen"), "organisations", type_="unique")
        op.alter_column(
            "organisations",
            "voen",
            existing_type=sa.Text(),
            existing_nullable=False,
            comment=VOEN if unique else f"{VOEN}; unique among companies",
        )
    if not unique:
        op.create_index(
            "uq_organisations_voen",
            "organisations",
            ["voen"],
            unique=True,
            sqlite_where=sa.text(IS_COMPANY),
            postgresql_where=sa.text(IS_COMPANY),
        )
        op.create_index("ix_organisations_voen", "organisations", ["voen"])


def _create_organisations(words, *, unique) -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_name_az", sa.Text(), nullable=False),
        sa.Column("legal_name_en", sa.Text(), nullable=False),
        sa.Column("legal_form", sa.Text(), nullable=False),
        sa.Column("voen", sa.Text(), nullable=False),
        sa.Column("voen_needs_review", sa.Boolean(), nullable=False),
        sa.Column("size_class", sa.Text(), nullable=True),
        sa.Column("foreign_share_pct", database.ExactDecimal(5, 2), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("refusal_reason", sa.Text(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", database.UtcDateTime(), nullable=True),
        sa.Column("confirmation_basis", sa.Text(), nullable=True),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(voen) = 10", name=op.f("ck_organisations_voen_length")),
        sa.CheckConstraint("source IN ('register', 'applicant')", name=op.f("ck_organisations_source")),
        sa.CheckConstraint(
            "standing <> 'confirmed' OR (confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL)",
            name=op.f("ck_organisations_confirmed_by_somebody"),
        ),
        sa.CheckConstraint(f"standing IN ({words})", name=op.f("ck_organisations_standing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        *([sa.UniqueConstraint("voen", name=op.f("uq_organisations_voen"))] if unique else []),
    )


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("voen", sa.Text(), nullable=False),
        sa.Column("legal_name_az", sa.Text(), nullable=False, comment="as claimed"),
        sa.Column("legal_name_en", sa.Text(), nullable=False, comment="as claimed"),
        sa.Column("legal_form", sa.Text(), nullable=False, comment="as claimed"),
        sa.Column("claimant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "organisation_id",
            sa.Uuid(),
            nullable=False,
            comment="what was entered with it; once confirmed, the company",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("proposed_at", database.UtcDateTime(), nullable=True),
        sa.Column(
            "proposed_by",
            sa.Uuid(),
            nullable=True,
            comment="of a disputed one: the registrar who proposed to confirm it",
        ),
        sa.Column("proposal", sa.Text(), nullable=True, comment="on what evidence that was proposed"),
        sa.Column("decided_at", database.UtcDateTime(), nullable=True),
        sa.Column(
            "decided_by",
            sa.Uuid(),
            nullable=True,
            comment="null of one that is open, or that was decided before claims were rows",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was refused; for staff"),
        sa.Column("basis", sa.Text(), nullable=True, comment="on what evidence it was confirmed"),
        sa.Column("evidence_seen", JSON, nullable=False, comment="ids of documents seen at the confirmation"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'disputed', 'confirmed', 'refused')", name=op.f("ck_claims_state")),
        sa.CheckConstraint(
            "(state IN ('waiting', 'disputed')) = (decided_at IS NULL) AND "
            "(decided_by IS NULL OR decided_at IS NOT NULL)",
            name=op.f("ck_claims_decided_when_over"),
        ),
        sa.CheckConstraint(
            "(proposed_at IS NULL) = (proposed_by IS NULL) AND (proposed_at IS NULL) = (proposal IS NULL)",
            name=op.f("ck_claims_proposed_by_somebody"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR proposed_by IS NULL OR decided_by <> proposed_by",
            name=op.f("ck_claims_four_eyes"),
        ),
        sa.CheckConstraint("(state = 'confirmed') = (basis IS NOT NULL)", name=op.f("ck_claims_basis_of_confirmation")),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name=op.f("ck_claims_reason_of_refusal")),
        sa.ForeignKeyConstraint(["claimant_id"], ["users.id"], name=op.f("fk_claims_claimant_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_claims_decided_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_claims_organisation_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_claims_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    for column in ("claimant_id", "organisation_id", "voen"):
        op.create_index(op.f(f"ix_claims_{column}"), "claims", [column], unique=False)


def _as_claims(connection, company) -> None:
    """Registrations of one company came one after the other: what was entered before the present claimant came is of
    those who were refused."""
    people = connection.execute(
        sa.select(USERS.c.id, USERS.c.created_at, USERS.c.active)
        .where(USERS.c.organisation_id == company.id)
        .order_by(USERS.c.created_at, USERS.c.id)
    ).all()
    is_waiting = company.standing == "unconfirmed" and any(user.active for user in people)
    present = [user for user in people if user.active] if is_waiting else []
    former = [user for user in people if user not in present]
    begins = min((user.created_at for user in present), default=EVER)
    is_register = company.source == "register" or _has_more(connection, company.id)
    if former:
        away = is_register or present
        at = _beside(connection, company, "refused") if away else company.id
        if away:
            _move(connection, company.id, at, former, until=begins)
        else:
            _stand(connection, company.id, "refused")
        refusal = _refusal(connection, company.id, begins)
        reason = company.refusal_reason or "Refused before claims were kept as such."
        _claim(connection, company, at, former[-1], state="refused", reason=reason, **refusal)
    if present:
        at = _beside(connection, company, "unconfirmed") if is_register else company.id
        if is_register:
            _move(connection, company.id, at, present, since=begins)
        _claim(connection, company, at, present[0], state="waiting")
    if is_register and company.standing == "unconfirmed":
        _stand(connection, company.id, "listed")


def _has_more(connection, company_id) -> bool:
    """Whether it is more than its registration: the registrar or an import entered something of it."""
    sites = sa.select(SITES.c.id).where(SITES.c.organisation_id == company_id, SITES.c.source == "register")
    periods = sa.select(RESIDENCIES.c.id).where(RESIDENCIES.c.organisation_id == company_id)
    return any(connection.execute(query.limit(1)).first() for query in (sites, periods))


def _stand(connection, company_id, standing) -> None:
    connection.execute(
        sa.update(COMPANIES)
        .where(COMPANIES.c.id == company_id)
        .values(standing=standing, version=COMPANIES.c.version + 1)
    )


def _beside(connection, company, standing) -> UUID:
    """An organisation of the same names for what was entered."""
    new = database.new_id()
    named = ("legal_name_az", "legal_name_en", "legal_form", "voen", "voen_needs_review", "search_text", "created_at")
    values = {name: getattr(company, name) for name in named}
    reason = company.refusal_reason if standing == "refused" else None
    connection.execute(
        sa.insert(COMPANIES).values(
            id=new, source="applicant", standing=standing, refusal_reason=reason, version=1, **values
        )
    )
    return new


def _refusal(connection, company_id, before) -> dict:
    event = connection.execute(
        sa.select(EVENTS.c.at, EVENTS.c.actor_id)
        .where(EVENTS.c.subject_id == str(company_id), EVENTS.c.event == "organisation.refused", EVENTS.c.at < before)
        .order_by(EVENTS.c.seq.desc())
        .limit(1)
    ).first()
    if event is None:
        return {"decided_at": datetime.now(UTC)}
    known = connection.execute(sa.select(USERS.c.id).where(USERS.c.id == event.actor_id)).first()
    return {"decided_at": event.at, "decided_by": event.actor_id if known else None}


def _claim(connection, company, organisation_id, claimant, **decided) -> None:
    names = {name: getattr(company, name) for name in ("voen", "legal_name_az", "legal_name_en", "legal_form")}
    connection.execute(
        sa.insert(CLAIMS).values(
            id=database.new_id(),
            claimant_id=claimant.id,
            organisation_id=organisation_id,
            created_at=claimant.created_at,
            evidence_seen=[],
            version=1,
            **names,
            **decided,
        )
    )


def _move(connection, old, new, people, *, since=NEVER, until=EVER) -> None:
    """What was entered within this time: people with their programs, sites, products, drafts, uploads."""
    ids = [user.id for user in people]
    connection.execute(sa.update(USERS).where(USERS.c.id.in_(ids)).values(organisation_id=new))
    connection.execute(sa.update(CLIENTS).where(CLIENTS.c.created_by.in_(ids)).values(organisation_id=new))
    places = _move_products(connection, old, new, since, until)
    moving = sa.select(APPLICATIONS.c.id).where(
        APPLICATIONS.c.organisation_id == old, APPLICATIONS.c.created_at >= since, APPLICATIONS.c.created_at < until
    )
    drafts = [row.id for row in connection.execute(moving)]
    connection.execute(sa.update(APPLICATIONS).where(APPLICATIONS.c.id.in_(drafts)).values(organisation_id=new))
    foreign = sa.select(PRODUCTS.c.id).where(PRODUCTS.c.organisation_id != new)
    connection.execute(sa.delete(LINES).where(LINES.c.application_id.in_(drafts), LINES.c.product_id.in_(foreign)))
    papers = connection.execute(
        sa.select(
            EVIDENCE.c.id, EVIDENCE.c.application_id, EVIDENCE.c.site_id, EVIDENCE.c.uploaded_at, EVIDENCE.c.entered
        ).where(EVIDENCE.c.organisation_id == old)
    ).all()
    for paper in papers:
        is_within = paper.entered is not None and since <= paper.uploaded_at < until
        if paper.application_id in drafts or (paper.application_id is None and is_within):
            connection.execute(
                sa.update(EVIDENCE)
                .where(EVIDENCE.c.id == paper.id)
                .values(organisation_id=new, site_id=places.get(paper.site_id, paper.site_id))
            )


def _move_products(connection, old, new, since, until) -> dict:
    """Products keep their ids. A site that the register listed, or that others use too, is copied; the places that
    were: site → the one that stands for it."""
    products = connection.execute(sa.select(PRODUCTS).where(PRODUCTS.c.organisation_id == old)).all()
    moving = {each.id for each in products if since <= each.created_at < until}
    staying = {each.site_id for each in products if each.id not in moving}
    used = {each.site_id for each in products if each.id in moving}
    places = {}
    for site in connection.execute(sa.select(SITES).where(SITES.c.organisation_id == old)).all():
        is_own = site.source == "applicant" and since <= site.created_at < until
        if not is_own and site.id not in used:
            continue
        twin = places[site.id] = database.new_id()
        connection.execute(
            sa.insert(SITES).values(
                **site._asdict() | {"id": twin, "organisation_id": new, "source": "applicant", "register_key": None}
            )
        )
        here = sa.and_(PRODUCTS.c.site_id == site.id, PRODUCTS.c.id.in_(moving))
        connection.execute(sa.update(PRODUCTS).where(here).values(site_id=twin, organisation_id=new))
        if (
            is_own and site.id not in staying
        ):  # nothing else refers to it: the row itself moves, and its copy is deleted
            connection.execute(sa.update(SITES).where(SITES.c.id == site.id).values(organisation_id=new))
            connection.execute(sa.update(PRODUCTS).where(PRODUCTS.c.site_id == twin).values(site_id=site.id))
            connection.execute(sa.delete(SITES).where(SITES.c.id == twin))
            del places[site.id]
    return places


def downgrade() -> None:
    """The older service knows one registration of each company, and would count what was withdrawn.

    Of each number that no company bears, the first claim that waits is that registration. Everything else is kept under
    unused numbers, and its users lose access. Withdrawn or erased documents are deleted.
    """
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM evidence WHERE withdrawn_at IS NOT NULL OR erased_at IS NOT NULL"))
    rows = connection.execute(
        sa.select(COMPANIES.c.id, COMPANIES.c.voen, COMPANIES.c.standing).order_by(
            COMPANIES.c.created_at, COMPANIES.c.id
        )
    ).all()
    taken = {row.voen for row in rows if row.standing in ("listed", "confirmed")}
    set_apart = []
    for row in rows:
        if row.standing == "unconfirmed" and row.voen not in taken:
            taken.add(row.voen)
        elif row.standing in ("unconfirmed", "refused"):
            set_apart.append(row.id)
    op.drop_table("claims")
    for serial, company_id in enumerate(set_apart, 1):
        here = COMPANIES.c.id == company_id
        connection.execute(sa.update(COMPANIES).where(here).values(voen=f"C{serial:09d}", standing="listed"))
        for user in connection.execute(sa.select(USERS).where(USERS.c.organisation_id == company_id)).all():
            if user.active:
                gone = {"active": False, "former_email": user.email, "email": f"removed:{user.id}"}
                connection.execute(sa.update(USERS).where(USERS.c.id == user.id).values(**gone))
    _organisations(STANDINGS, unique=True)
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("withdrawn_by")
        batch_op.alter_column("withdrawal_reason", existing_type=sa.Text(), existing_nullable=True, comment=WITHDRAWN)
    op.drop_column("users", "sealed_at")
