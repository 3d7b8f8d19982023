"""Companies come in, are claimed, and their claims are confirmed or refused by the registrar."""

import contextlib
import threading
from datetime import timedelta

import pytest

from app.applications import claims
from app.audit.model import AuditEvent
from app.auth import api_client_repository, api_clients
from app.core.actor import Actor, ActorKind, Role
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion, VersionRequired, WrongState
from app.organisations import organisation_repository, registration
from app.organisations.model import Organisation, OrganisationStatus
from tests.organisations.factories import (
    NOW,
    VOENS,
    WRONG_CHECK_DIGIT,
    claim_of,
    confirm,
    member,
    refuse,
    register,
    staff,
)


def listed(session, voen=VOENS[0], source="register"):
    """A company as an import of the register makes it."""
    row = Organisation(
        legal_name_az="Reyestr adı",
        legal_name_en="Name of the register",
        legal_form="MMC",
        voen=voen,
        voen_needs_review=False,
        source=source,
        search_text=registration.build_search_text("Reyestr adı", "Name of the register", voen),
        status="listed",
        created_at=NOW,
    )
    session.add(row)
    session.flush()
    return row


def test_an_unknown_company_becomes_unconfirmed_with_its_first_member(session):
    company, user = register(session, " 0010 000 101 ")
    session.commit()
    assert (company.voen, company.status, company.source) == ("0010000101", "unconfirmed", "applicant")
    assert (user.organisation_id, user.is_staff) == (company.id, False)
    event = session.query(AuditEvent).filter_by(event="organisation.registered").one()
    [claim] = organisation_repository.list_claims(session, voen=company.voen)
    assert (claim.state, claim.claimant_id, claim.organisation_id) == ("waiting", user.id, company.id)
    assert event.data == {"claim": str(claim.id), "listed": False, "member": str(user.id), "voen_needs_review": False}


def test_a_wrong_check_digit_is_for_a_person_to_look_at(session):
    company, _ = register(session, WRONG_CHECK_DIGIT)
    assert company.voen_needs_review


def test_everything_wrong_is_told_at_once(session):
    with pytest.raises(Invalid) as refusal:
        register(session, "10000101x", legal_name_az=" ", legal_name_en="a" * 251, legal_form="\0", full_name="\ud800")
    assert [e["pointer"] for e in refusal.value.data["errors"]] == [
        "/legal_name_az",
        "/legal_name_en",
        "/legal_form",
        "/voen",
        "/full_name",
    ]


def test_a_claim_of_a_listed_company_lies_beside_it(session):
    row = listed(session)
    first, _ = register(session, legal_name_en="What somebody typed")
    second, _ = register(session, legal_name_en="What somebody else typed", email="other@example.az")
    session.commit()
    assert len({row.id, first.id, second.id}) == 3
    assert (row.status, row.legal_name_en, row.version) == ("listed", "Name of the register", 1)
    assert [each.state for each in organisation_repository.list_claims(session, voen=row.voen)] == [
        "waiting",
        "waiting",
    ]
    assert organisation_repository.find_company_by_voen(session, row.voen) is row


def test_a_confirmed_claim_moves_into_the_listed_company_and_the_words_of_the_register_stay(session):
    row, registrar = listed(session), staff(session)
    claimed, user = register(session, legal_name_en="What somebody typed")
    other, stranger = register(session, email="other@example.az")
    company = confirm(session, registrar, claimed)
    session.commit()
    assert company.id == row.id
    assert (company.status, company.legal_name_en, company.version) == ("confirmed", "Name of the register", 2)
    assert organisation_repository.find_organisation(session, claimed.id) is None
    assert (user.organisation_id, stranger.organisation_id) == (row.id, other.id)
    assert (other.status, stranger.read_only_since) == ("refused", NOW)
    assert sorted(each.state for each in organisation_repository.list_claims(session, voen=row.voen)) == [
        "confirmed",
        "refused",
    ]


def test_nothing_of_a_refused_claim_passes_to_the_next(session):
    registrar = staff(session)
    refused, _ = register(session, legal_name_en="Impostor")
    refuse(session, registrar, refused, reason="Forged letter")
    again, _ = register(session, legal_name_en="The real one", email="real@example.az")
    assert again.id != refused.id
    assert (again.legal_name_en, again.status, refused.status) == ("The real one", "unconfirmed", "refused")
    assert organisation_repository.find_company_by_voen(session, again.voen) is None


def test_a_second_claim_for_a_confirmed_company_is_disputed_and_not_confirmed_by_one(session):
    registrar = staff(session)
    company, _ = register(session)
    confirm(session, registrar, company)
    other, _ = register(session, email="other@example.az")
    claim = claim_of(session, other)
    assert claim.state == "disputed"
    with pytest.raises(Conflict) as refusal:
        confirm(session, registrar, other)
    assert refusal.value.refusal_code == "not-proposed"
    refuse(session, registrar, other)
    assert (claim.state, company.status) == ("refused", "confirmed")


def test_an_address_is_taken_once(session):
    register(session)
    with pytest.raises(Conflict) as refusal:
        register(session, VOENS[1], email=f"boss{VOENS[0]}@example.az")
    assert refusal.value.refusal_code == "email-taken"


def test_of_two_at_once_with_one_address_the_slower_gets_a_conflict_and_no_crash(database):
    """Both look before either writes; on SQLite the second waits for its turn to begin."""
    looked = threading.Barrier(2, timeout=5 if not database.is_sqlite else 0.2)
    outcomes = []

    def one(voen):
        with database.session() as session:
            try:
                organisation_repository.find_company_by_voen(session, voen)
                with contextlib.suppress(threading.BrokenBarrierError):
                    looked.wait()
                register(session, voen, email="same@example.az")
                session.commit()
                outcomes.append("registered")
            except Conflict as why:
                outcomes.append(why.refusal_code)

    threads = [threading.Thread(target=one, args=(voen,)) for voen in VOENS[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {"registered", "email-taken"}


def test_the_registrar_confirms_on_evidence(session):
    registrar = staff(session)
    company, _ = register(session)
    confirmed = confirm(session, registrar, company, basis="Extract of the register\nof 20 November")
    session.commit()
    assert (confirmed.status, confirmed.confirmed_by, confirmed.version) == ("confirmed", registrar.id, 2)
    event = session.query(AuditEvent).filter_by(event="organisation.confirmed").one()
    [claim] = organisation_repository.list_claims(session, voen=company.voen)
    assert (event.subject_id, event.data) == (str(company.id), {"claim": str(claim.id), "merged_from": None})
    assert (claim.state, claim.basis, claim.decided_by) == ("confirmed", confirmed.confirmation_basis, registrar.id)


def test_refusing_seals_members_ends_clients_and_keeps_the_reason_out_of_the_audit(session):
    registrar = staff(session)
    company, user = register(session)
    client, *_ = api_clients.create_client(session, member(user), name="ERP", now=NOW, life=timedelta(days=1))
    refuse(session, registrar, company, reason="Nobody there knows them")
    session.commit()
    assert (company.status, company.refusal_reason) == ("refused", "Nobody there knows them")
    assert (user.active, user.read_only_since) == (True, NOW)
    assert api_client_repository.find_client(session, client.id).revoked_at == NOW
    assert all("Nobody" not in str(event.data) for event in session.query(AuditEvent))


def test_decisions_fit_the_standing(session):
    registrar = staff(session)
    company, _ = register(session)
    confirm(session, registrar, company)
    for decide, text in ((confirm, {"basis": "Again"}), (refuse, {"reason": "Late doubts"})):
        with pytest.raises(WrongState) as refusal:
            decide(session, registrar, company, version=2, **text)
        assert refusal.value.data == {"state": "confirmed", "action": decide.__name__, "allowed": []}


def test_refusals_around_a_decision(session):
    registrar, reviewer = staff(session), staff(session, Role.REVIEWER, "reviewer")
    company, user = register(session)
    for other in (reviewer, member(user)):
        for decide in (confirm, refuse):
            with pytest.raises(Forbidden):
                decide(session, other, company)
    with pytest.raises(NotFound):
        claims.confirm_claim(session, registrar, user.id, version=1, basis="Extract", now=NOW)
    wrong = (({"version": 7}, StaleVersion), ({"version": None}, VersionRequired), ({"basis": " "}, Invalid))
    for details, refusal in wrong:
        with pytest.raises(refusal):
            confirm(session, registrar, company, **details)


def test_companies_see_only_themselves(session):
    company, user = register(session)
    other, _ = register(session, VOENS[1])
    assert registration.get_organisation(session, member(user), company.id) is company
    with pytest.raises(NotFound):
        registration.get_organisation(session, member(user), other.id)
    assert registration.get_organisation(session, staff(session), other.id) is other
    with pytest.raises(Forbidden):
        registration.list_organisations(session, member(user))
    with pytest.raises(Forbidden):
        registration.list_organisations(session, Actor(ActorKind.USER, None, frozenset()))


def test_the_list_pages_filters_and_finds(session):
    registrar = staff(session)
    rows = [register(session, voen, now=NOW + timedelta(seconds=n))[0] for n, voen in enumerate(VOENS)]
    confirm(session, registrar, rows[2])

    def found(**query):
        return registration.list_organisations(session, registrar, **query)

    assert found() == rows
    assert found(limit=2) == rows[:2]
    assert found(after=rows[1].id) == rows[2:]
    assert found(status=OrganisationStatus.CONFIRMED) == [rows[2]]
    assert found(q="numune ISIQ") == rows  # as somebody without Azerbaijani keys writes it
    assert found(q="0010000361") == [rows[2]]
    assert found(q="_%") == rows  # nothing to search for: no wildcards slip through
    assert found(q="nümunə %_") == rows
    assert found(q="Baku") == []
