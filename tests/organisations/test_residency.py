"""Residencies as periods: every move of the table, its refusals, its version and its trace."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest

from app.audit.model import AuditEvent
from app.core.actor import Actor, ActorKind, Role
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion, VersionRequired, WrongState
from app.organisations import organisation_repository, residencies
from app.organisations.model import ProductionStage, Residency, ResidencyStatus
from app.organisations.residency_transitions import ResidencyChangeKind, ResidencyDetails
from app.organisations.residency_workflow import (
    RESIDENCY_TRANSITIONS,
    ResidencyAction,
    ResidencyState,
    next_state,
    state_of,
)
from tests.organisations.factories import NOW, TODAY, VOENS, add_park, member, register, resident, staff


@pytest.fixture
def registrar(session):
    return staff(session)


@pytest.fixture
def company(session):
    add_park(session)
    return register(session)[0]


def deed(session, actor, move, row, *, version=1, on=TODAY, reason="The contract ended", **more):
    """One move by its name, as the services offer it."""
    common = {"residency_id": row if not isinstance(row, Residency) else row.id, "version": version, "now": NOW} | more
    if move in (ResidencyAction.END, ResidencyAction.CANCEL):
        return residencies.close_residency(session, actor, move, on=on, reason=reason, **common)
    if move is ResidencyAction.RESTORE:
        return residencies.restore_residency(session, actor, **common)
    return residencies.update_stage(session, actor, stage=ProductionStage.OPERATING, **common)


def in_state(session, registrar, company, state):
    row, _ = resident(session, registrar, company.id)
    if state is ResidencyState.ENDED:
        deed(session, registrar, ResidencyAction.END, row)
    if state is ResidencyState.CANCELLED:
        deed(session, registrar, ResidencyAction.CANCEL, row)
    return row


def test_a_period_begins_with_what_the_certificate_says(session, registrar, company):
    row, change = resident(
        session,
        registrar,
        company.id,
        holder_voen="0010 000 231",
        plot_ha=Decimal(4),
        planned_investment_azn=Decimal("18E6"),
        planned_jobs=150,
        stage=ProductionStage.PLANNED,
    )
    session.commit()
    session.expire_all()
    assert change.kind is ResidencyChangeKind.NEW
    assert (change.residency_id, change.organisation_id, change.park_code) == (row.id, company.id, "AGDAM-SP")
    assert row.holder_voen == VOENS[1] != company.voen
    assert (row.plot_ha, row.planned_investment_azn) == (Decimal("4.00"), Decimal("18000000.00"))
    assert (row.source, row.confirmed_on, row.ends_on, row.cancelled_on) == ("registrar", TODAY, None, None)


def test_everything_wrong_with_a_new_period_is_told_at_once(session, registrar):
    wrong = ResidencyDetails(
        status=ResidencyStatus.RESIDENT,
        holder_voen="12",
        registration_no=" ",
        plot_ha=Decimal("NaN"),
        planned_investment_azn=Decimal(-1),
        planned_jobs=-1,
    )
    with pytest.raises(Invalid) as refusal:
        residencies.begin_residency(
            session, registrar, organisation_id=registrar.id, park_code="NOWHERE", details=wrong, now=NOW
        )
    assert {e["pointer"] for e in refusal.value.data["errors"]} == {
        "/organisation_id",
        "/park_code",
        "/holder_voen",
        "/registration_no",
        "/plot_ha",
        "/planned_investment_azn",
        "/planned_jobs",
    }


def test_one_open_residency_in_a_park(session, registrar, company):
    row, _ = resident(session, registrar, company.id)
    with pytest.raises(Conflict) as refusal:
        resident(session, registrar, company.id, status=ResidencyStatus.NON_RESIDENT)
    assert refusal.value.refusal_code == "residency-open"
    assert resident(session, registrar, company.id, add_park(session, "ARAZ-VADISI").code)
    deed(session, registrar, ResidencyAction.END, row)
    assert resident(session, registrar, company.id)[0].id != row.id
    with pytest.raises(Conflict) as refusal:
        deed(session, registrar, ResidencyAction.RESTORE, row, version=2)
    assert refusal.value.refusal_code == "residency-open"


@pytest.mark.parametrize(("state", "move"), list(product(ResidencyState, ResidencyAction)))
def test_every_move_in_every_state(session, registrar, company, state, move):
    row = in_state(session, registrar, company, state)
    version = row.version
    following = RESIDENCY_TRANSITIONS.get((state, move))
    if following is None:
        with pytest.raises(WrongState) as refusal:
            deed(session, registrar, move, row, version=version)
        assert refusal.value.data["allowed"] == [m.value for s, m in RESIDENCY_TRANSITIONS if s is state]
        assert row.version == version
        return
    change = deed(session, registrar, move, row, version=version)
    session.commit()
    assert state_of(row.ends_on, row.cancelled_on) is following
    assert row.version == version + 1
    expected = {
        ResidencyAction.UPDATE: ResidencyChangeKind.UNCHANGED,
        ResidencyAction.RESTORE: ResidencyChangeKind.RESTORED,
    }.get(move, ResidencyChangeKind.LOST)
    assert change.kind is expected
    event = session.query(AuditEvent).order_by(AuditEvent.seq.desc()).first()
    names = {
        ResidencyAction.END: "ended",
        ResidencyAction.CANCEL: "cancelled",
        ResidencyAction.RESTORE: "restored",
        ResidencyAction.UPDATE: "updated",
    }
    assert (event.event, event.subject_id) == (f"residency.{names[move]}", str(row.id))
    assert event.data["organisation"] == str(company.id)
    assert "contract" not in str(event.data)


@pytest.mark.parametrize("move", [ResidencyAction.END, ResidencyAction.CANCEL, ResidencyAction.RESTORE])
def test_a_dry_run_checks_everything_and_changes_nothing(session, registrar, company, move):
    row = in_state(
        session, registrar, company, ResidencyState.ENDED if move is ResidencyAction.RESTORE else ResidencyState.OPEN
    )
    before = {column.key: getattr(row, column.key) for column in Residency.__table__.columns}
    session.commit()
    events = session.query(AuditEvent).count()
    dry = deed(session, registrar, move, row, version=row.version, dry_run=True)
    session.commit()
    assert {key: getattr(row, key) for key in before} == before
    assert session.query(AuditEvent).count() == events
    with pytest.raises(StaleVersion):
        deed(session, registrar, move, row, version=row.version + 1, dry_run=True)
    assert deed(session, registrar, move, row, version=row.version) == dry


def test_the_reason_stays_with_the_row_until_it_is_restored(session, registrar, company):
    row = in_state(session, registrar, company, ResidencyState.CANCELLED)
    assert row.closing_reason == "The contract ended"
    deed(session, registrar, ResidencyAction.RESTORE, row, version=2)
    assert (row.closing_reason, row.cancelled_on) == (None, None)


@pytest.mark.parametrize("move", [ResidencyAction.END, ResidencyAction.CANCEL])
@pytest.mark.parametrize(
    ("on", "reason", "pointers"),
    [
        (TODAY + timedelta(days=1), "Over", ["/on"]),
        (date(2021, 11, 21), "Over", ["/on"]),
        (TODAY, "  ", ["/reason"]),
        (date.max, "x" * 2001, ["/on", "/reason"]),
        (TODAY, "a\0b", ["/reason"]),
    ],
)
def test_days_and_reasons_that_cannot_be(session, registrar, company, move, on, reason, pointers):
    row, _ = resident(session, registrar, company.id)
    with pytest.raises(Invalid) as refusal:
        deed(session, registrar, move, row, on=on, reason=reason)
    assert [e["pointer"] for e in refusal.value.data["errors"]] == pointers


def test_today_is_the_day_in_baku(session, registrar, company):
    """At 21:00 UTC it is the next day already where the parks are."""
    row, _ = resident(session, registrar, company.id)
    late = NOW.replace(hour=21)
    deed(session, registrar, ResidencyAction.END, row, on=TODAY + timedelta(days=1), now=late)
    assert row.ends_on == TODAY + timedelta(days=1)


@pytest.mark.parametrize("move", list(ResidencyAction))
def test_refusals_before_anything_is_looked_at(session, registrar, company, move):
    row = in_state(
        session, registrar, company, ResidencyState.ENDED if move is ResidencyAction.RESTORE else ResidencyState.OPEN
    )
    user = register(session, VOENS[1])[1]
    own = Actor(ActorKind.USER, user.id, frozenset({Role.APPLICANT}), company.id)
    for other in (own, staff(session, Role.OWNER, "owner")):
        with pytest.raises(Forbidden):
            deed(session, other, move, row, version=row.version)
    with pytest.raises(NotFound):
        deed(session, member(user), move, row, version=row.version)
    with pytest.raises(NotFound):
        deed(session, registrar, move, company.id)
    with pytest.raises(StaleVersion):
        deed(session, registrar, move, row, version=row.version + 1)
    with pytest.raises(VersionRequired):
        deed(session, registrar, move, row, version=None)
    with pytest.raises(Forbidden):
        resident(session, member(user), company.id)


def test_companies_see_their_own(session, registrar, company):
    row, _ = resident(session, registrar, company.id)
    user = register(session, VOENS[1])[1]
    stranger = member(user)
    with pytest.raises(NotFound):
        residencies.get_residency(session, stranger, row.id)
    with pytest.raises(NotFound):
        residencies.list_residencies(session, stranger, organisation_id=company.id)
    with pytest.raises(Forbidden):
        residencies.list_residencies(session, stranger)
    assert residencies.list_residencies(session, stranger, organisation_id=user.organisation_id) == []
    assert residencies.get_residency(session, registrar, row.id) is row


def test_lists_page_and_filter(session, registrar, company):
    closed = in_state(session, registrar, company, ResidencyState.ENDED)
    reopened, _ = resident(session, registrar, company.id)
    elsewhere, _ = resident(session, registrar, company.id, add_park(session, "ARAZ-VADISI").code)

    def found(**query):
        return residencies.list_residencies(session, registrar, **query)

    assert found() == [closed, reopened, elsewhere]
    assert found(limit=1) == [closed]
    assert found(after=closed.id) == [reopened, elsewhere]
    assert found(only_open=True, park_code="AGDAM-SP") == [reopened]
    assert found(organisation_id=company.id) == [closed, reopened, elsewhere]


def test_the_present_residency_is_the_open_one_else_the_last_that_closed(session, registrar, company):
    def present(**how):
        return organisation_repository.find_latest_residency(session, company.id, "AGDAM-SP", **how)

    assert present() is None
    first, _ = resident(session, registrar, company.id)
    deed(session, registrar, ResidencyAction.END, first, on=TODAY - timedelta(days=9))
    second, _ = resident(session, registrar, company.id, status=ResidencyStatus.NON_RESIDENT)
    assert present(for_share=True) is second
    deed(session, registrar, ResidencyAction.CANCEL, second, on=TODAY - timedelta(days=10))
    assert present() is first
    deed(session, registrar, ResidencyAction.RESTORE, second, version=2)
    deed(session, registrar, ResidencyAction.CANCEL, second, version=3, on=TODAY - timedelta(days=9))
    assert present(for_share=True) is second
    deed(session, registrar, ResidencyAction.RESTORE, first, version=2)
    deed(session, registrar, ResidencyAction.CANCEL, first, version=3, on=TODAY - timedelta(days=9))
    deed(session, registrar, ResidencyAction.RESTORE, second, version=4)
    deed(session, registrar, ResidencyAction.END, second, version=5, on=TODAY - timedelta(days=9))
    assert present() is first  # on one day a cancellation says more than an end


def test_two_at_once_begin_one_period(database):
    with database.session() as session:
        registrar, company = staff(session), register(session)[0]
        add_park(session)
        session.commit()
    outcomes = []

    def begin():
        with database.session() as session:
            try:
                resident(session, registrar, company.id)
                session.commit()
                outcomes.append("begun")
            except Conflict as why:
                outcomes.append(why.refusal_code)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["begun"] + ["residency-open"] * 3


def test_the_table_of_moves_by_itself():
    assert next_state(ResidencyState.OPEN, ResidencyAction.CANCEL) is ResidencyState.CANCELLED
    assert state_of(None, None) is ResidencyState.OPEN
    assert state_of(TODAY, None) is ResidencyState.ENDED
    assert state_of(TODAY, TODAY) is state_of(None, TODAY) is ResidencyState.CANCELLED
    with pytest.raises(WrongState):
        next_state(ResidencyState.CANCELLED, ResidencyAction.END)
