"""What rule C-12 reads of the past: of the company and its related holders, each with the ground."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from app.applications.assessment import applicant_history
from app.applications.model import Evidence
from app.auth.model import User
from app.certificates import certificate_repository, holder_history, matters, status_service
from app.certificates.holder_history import InquiryState, RelationGround
from app.certificates.model import MatterCause, MatterOutcome, RevocationReason, SuspensionCause
from app.organisations.model import Organisation, Residency
from tests.organisations.factories import NOW, TODAY, VOENS, CertifiedResidents, member, register, resident
from tests.transparency.helpers import disarm_certificates

LATER = NOW + timedelta(days=3)
OWNERSHIP = {"state_share_pct": "0"}


@pytest.fixture
def certified(session):
    """Companies whose certificates a test may change, as to GTIN and holder, before it reads them."""
    certified = CertifiedResidents(session)
    disarm_certificates(session.connection())
    return certified


def suspend(certified, certificate, cause=SuspensionCause.HEARING):
    status_service.suspend(certified.session, certified.owner, certificate, cause=cause, note=None, now=NOW)


def surrender(certified, certificate, now=NOW):
    status_service.surrender(
        certified.session, member(certified.user), certificate.number, version=certificate.version, now=now
    )


def revoke(certified, certificate, reason=RevocationReason.FALSE_DOCUMENTS, now=NOW):
    status_service.revoke(
        certified.session, certified.owner, certificate.number, reason=reason, version=certificate.version, now=now
    )


def past(certified, organisation_id=None):
    certified.session.commit()
    return applicant_history.load_applicant_history(certified.session, organisation_id or certified.company_id)


def own(session, organisation_id, confirmed_by, **stated):
    session.add(
        Evidence(
            organisation_id=organisation_id,
            kind="ownership-statement",
            stated=OWNERSHIP | stated,
            file_name="x.pdf",
            media_type="application/pdf",
            size=1,
            sha256="x",
            uploaded_at=NOW,
            confirmed_by=confirmed_by,
            confirmed_at=NOW if confirmed_by else None,
        )
    )


def test_nothing_is_held_against_who_only_surrendered(certified):
    surrender(certified, certified.first)
    suspend(certified, certified.second, SuspensionCause.HOLDER)
    surrender(certified, certified.second)
    assert past(certified) == holder_history.HolderHistory((), ())


def test_a_revocation_of_its_own_under_any_mark(certified, session):
    certified.unbound.gtin = "9520000000011"
    revoke(certified, certified.unbound)
    (each,) = past(certified).revocations
    said = each.certificate
    assert (each.reason, each.day, said.number) == ("false-documents", TODAY, certified.unbound.number)
    assert (said.gtin, said.hs6, said.site_id) == ("9520000000011", "730630", certified.unbound.site_id)
    assert (said.name_az, said.name_en, said.voen) == (None, "Tube", VOENS[0])
    assert (said.grounds, said.product_id) == (frozenset(), certified.unbound.product_id)
    assert past(certified, certified.other_company_id).revocations == ()


def test_related_holders_each_with_its_ground(certified, session):
    """Of three other companies: one on the same plot, one owned, one with a common member; and one of no relation."""
    certified.others.holder_voen = VOENS[1]
    revoke(certified, certified.others)
    assert past(certified).revocations == ()

    theirs = session.query(Residency).filter_by(organisation_id=certified.other_company_id).one()
    certified.residency.plot_no = theirs.plot_no = "12-A"
    theirs.ends_on, theirs.closing_reason = TODAY, "Given up."
    assert past(certified).revocations[0].certificate.grounds == {RelationGround.SAME_PLOT}

    own(session, certified.company_id, certified.registrar.id, other_voen=VOENS[1], share_pct="25.5")
    assert past(certified).revocations[0].certificate.grounds == {RelationGround.SAME_PLOT, RelationGround.OWNERSHIP}

    theirs.plot_no = "12-B"
    mate = session.query(User).filter_by(organisation_id=certified.other_company_id).one()
    mate.former_email = certified.user.email
    assert past(certified).revocations[0].certificate.grounds == {
        RelationGround.COMMON_MEMBER,
        RelationGround.OWNERSHIP,
    }
    assert past(certified, certified.other_company_id).revocations[0].certificate.grounds == frozenset()


def test_the_same_taxpayer_under_another_record(certified, session):
    certified.others.holder_voen = session.get(Organisation, certified.company_id).voen
    revoke(certified, certified.others)
    assert past(certified).revocations[0].certificate.grounds == {RelationGround.SAME_TAXPAYER}


@pytest.mark.parametrize(
    ("whose", "stated", "confirmed", "related"),
    [
        ("own", {"other_voen": VOENS[1], "share_pct": "25.01"}, True, True),
        ("own", {"other_voen": VOENS[1], "share_pct": "25"}, True, False),
        ("own", {"other_voen": VOENS[1], "share_pct": "25.01"}, False, False),
        ("own", {"other_voen": VOENS[2], "share_pct": "100"}, True, False),
        ("own", {"share_pct": "100"}, True, False),
        ("own", {"other_voen": VOENS[1]}, True, False),
        ("own", {"other_voen": VOENS[1], "share_pct": "most"}, True, False),
        ("theirs", {"other_voen": VOENS[0], "share_pct": "60"}, True, True),
        ("theirs", {"other_voen": VOENS[2], "share_pct": "60"}, True, False),
    ],
)
def test_a_share_counts_whoever_states_it(certified, session, whose, stated, confirmed, related):
    certified.others.holder_voen = VOENS[1]
    revoke(certified, certified.others)
    company = certified.company_id if whose == "own" else certified.other_company_id
    own(session, company, certified.registrar.id if confirmed else None, **stated)
    assert bool(past(certified).revocations) is related


def test_an_inquiry_that_is_open_and_one_that_found_nothing(certified):
    suspend(certified, certified.first)
    surrender(certified, certified.first)
    (each,) = past(certified).surrenders
    assert (each.certificate.number, each.day) == (certified.first.number, TODAY)
    assert (each.inquiry, each.reason, each.decided_on) == (InquiryState.OPEN, None, None)
    status_service.end_suspension_cause(
        certified.session, certified.owner, certified.first, cause=SuspensionCause.HEARING, now=LATER
    )
    (each,) = past(certified).surrenders
    assert (each.inquiry, each.decided_on) == (InquiryState.NOT_UPHELD, TODAY + timedelta(days=3))
    assert certified.first.status == "surrendered"


def close(certified, matter, outcome, reason=None, now=LATER):
    matters.close_matter(
        certified.session,
        certified.registrar,
        matter.id,
        outcome=outcome,
        reason="Looked at.",
        revocation_reason=reason,
        version=matter.version,
        now=now,
    )


def test_what_was_upheld_counts_and_what_is_still_open_does_not_hide_it(certified):
    opened = [
        matters.open_matter(certified.session, certified.registrar, certified.first, cause, now=NOW)
        for cause in (MatterCause.EVIDENCE_FALSE, MatterCause.STAGE_BACK)
    ]
    surrender(certified, certified.first)
    assert past(certified).surrenders[0].inquiry is InquiryState.OPEN
    close(certified, opened[0], MatterOutcome.UPHELD, RevocationReason.FALSE_DOCUMENTS)
    (each,) = past(certified).surrenders
    assert (each.inquiry, each.reason, each.decided_on) == (
        InquiryState.UPHELD,
        "false-documents",
        TODAY + timedelta(days=3),
    )
    close(certified, opened[1], MatterOutcome.UNFOUNDED)
    assert past(certified).surrenders == (each,)


def test_what_was_closed_before_the_surrender_is_no_part_of_it(certified):
    early = matters.open_matter(
        certified.session, certified.registrar, certified.first, MatterCause.EVIDENCE_FALSE, now=NOW
    )
    close(certified, early, MatterOutcome.UPHELD, RevocationReason.FALSE_DOCUMENTS, now=NOW)
    late = matters.open_matter(
        certified.session, certified.registrar, certified.first, MatterCause.STAGE_BACK, now=LATER
    )
    surrender(certified, certified.first, LATER)
    close(certified, late, MatterOutcome.CORRECTED, now=LATER)
    assert past(certified).surrenders[0].inquiry is InquiryState.NOT_UPHELD


def test_revoked_after_the_surrender_it_is_a_revocation(certified):
    suspend(certified, certified.first)
    surrender(certified, certified.first)
    revoke(certified, certified.first, RevocationReason.CRITICAL_NONCONFORMITY, LATER)
    found = past(certified)
    assert (found.surrenders, found.revocations[0].reason) == ((), "critical-nonconformity")
    assert found.revocations[0].day == TODAY + timedelta(days=3)
    assert certificate_repository.open_suspensions(certified.session, certified.first.id) == {}


def test_the_same_number_of_statements_however_many_there_are(certified, session):
    def statements():
        asked = []
        engine = session.get_bind()
        session.commit()
        session.expire_all()
        sa.event.listen(engine, "before_cursor_execute", listener := lambda *args: asked.append(args[2]))
        applicant_history.load_applicant_history(session, certified.company_id)
        sa.event.remove(engine, "before_cursor_execute", listener)
        return len([each for each in asked if each.startswith("SELECT")])

    suspend(certified, certified.first)
    surrender(certified, certified.first)
    revoke(certified, certified.second)
    few = statements()
    for voen in VOENS[2:]:
        other = register(session, voen)[1].organisation_id
        period = resident(session, certified.registrar, other, holder_voen=voen)[0]
        certified.residency.plot_no = period.plot_no = "7"
        own(session, other, certified.registrar.id, other_voen=VOENS[0], share_pct=str(Decimal(30)))
        for _ in range(3):
            revoke(certified, certified.certificate(other, period))
    assert statements() == few
    assert few <= 7
    assert len(applicant_history.load_applicant_history(session, certified.company_id).revocations) == 7
