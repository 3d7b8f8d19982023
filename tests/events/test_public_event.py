"""Who is told, and what an event contains."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.core.actor import ActorKind
from app.events.catalogue import load_catalogue
from app.events.public_event import (
    ActorGroup,
    AuditRecord,
    EventFacts,
    Told,
    audit_names_of,
    format_event_id,
    parse_event_id,
    to_event,
)

CATALOGUE = load_catalogue()
AT = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
COMPANY, OTHER, PERSON, CASE = (UUID(int=number) for number in range(1, 5))
NAMES = {
    "suspension_cause": {"court": {"en": "court", "az": "məhkəmə"}},
    "revocation_reason": {"bankruptcy": {"en": "bankruptcy", "az": "müflisləşmə"}},
}


def event_of(name, facts=EventFacts(organisation_id=COMPANY), *, by=ActorKind.USER, about="x", **data):  # noqa: B008 (frozen)
    record = AuditRecord(7, AT, name, by, name.partition(".")[0], about, CASE, data)
    return to_event(record, facts, CATALOGUE, NAMES)


def test_a_suspension():
    event = event_of(
        "certificate.suspended",
        EventFacts(organisation_id=COMPANY, is_actor_staff=True, log_index=12),
        about="MIK-2026-000042-Y",
        cause="court",
    )
    assert event.to_dict() == {
        "id": "evt_000000000007",
        "type": "certificate.suspended",
        "at": "2026-11-22T17:00:00.000000Z",
        "actor": "staff",
        "subject": {"kind": "certificate", "id": "MIK-2026-000042-Y", "number": "MIK-2026-000042-Y"},
        "data": {
            "status": "suspended",
            "kind": None,
            "reason": {"code": "court", "az": "məhkəmə", "en": "court"},
            "deadline": None,
            "certificate": None,
        },
        "log_index": 12,
    }
    assert event.told == Told(frozenset({COMPANY}), watchers=True)


def test_a_code_without_a_name_is_its_own_name():
    assert event_of("certificate.revoked", reason="new").reason == {"code": "new", "az": "new", "en": "new"}


@pytest.mark.parametrize(
    ("kind", "is_staff", "group"),
    [
        (ActorKind.USER, True, ActorGroup.STAFF),
        (ActorKind.USER, False, ActorGroup.COMPANY),
        (ActorKind.CLIENT, False, ActorGroup.COMPANY),
        (ActorKind.SYSTEM, False, ActorGroup.SYSTEM),
    ],
)
def test_the_kind_of_actor(kind, is_staff, group):
    assert event_of("application.submitted", EventFacts(COMPANY, is_actor_staff=is_staff), by=kind).actor is group


def test_the_state_of_an_application_is_its_status():
    event = event_of("application.approved", EventFacts(COMPANY, "MIK-A-2026-000002"), state="rejected", was="x")
    assert (event.type, event.status, event.kind, event.subject.number) == (
        "application.decided",
        "rejected",
        "initial",
        "MIK-A-2026-000002",
    )


def test_a_question_has_the_deadline_of_the_calendar_and_a_reminder_its_own():
    asked = event_of("application.information_requested", EventFacts(COMPANY, answer_due_at=AT))
    assert asked.deadline == AT
    assert asked.to_dict()["data"]["deadline"] == "2026-11-22T17:00:00.000000Z"
    reminded = event_of("certificate.expiring", deadline="2027-01-01T20:00:00+00:00", state="active")
    assert reminded.deadline == datetime(2027, 1, 1, 20, tzinfo=UTC)


def test_an_internal_event_leaves_nothing():
    assert event_of("case.noted") is None


def test_an_event_without_a_listener_leaves_nothing():
    assert event_of("residency.ended", EventFacts()) is None


def test_a_claim_names_itself_and_tells_claimant_and_company():
    event = event_of("organisation.confirmed", EventFacts(COMPANY, claimant_id=PERSON), claim="c")
    assert event.subject.id == "c"
    assert event.told == Told(frozenset({COMPANY}), persons=frozenset({PERSON}))


def test_a_dispute_is_not_told_to_the_claimant():
    event = event_of("claim.disputed", EventFacts(COMPANY, claimant_id=PERSON), claim="c")
    assert event.told == Told(frozenset({COMPANY}))


def test_documents_of_staff_are_not_told():
    assert event_of("evidence.confirmed", EventFacts(COMPANY, is_staff_only=True)) is None
    assert event_of("evidence.confirmed").told == Told(frozenset({COMPANY}))


@pytest.mark.parametrize("kind", sorted(CATALOGUE.not_told_to_holder))
def test_a_matter_that_others_opened_is_not_told_to_the_holder(kind):
    assert event_of("matter.opened", kind=kind).told == Told(owner=True)


def test_a_matter_is_told_to_holder_and_owner():
    event = event_of(
        "matter.closed", kind="lost_ground", outcome="upheld", revocation_reason="bankruptcy", certificate="n"
    )
    assert event.told == Told(frozenset({COMPANY}), owner=True)
    assert (event.status, event.kind, event.certificate) == ("upheld", "lost_ground", "n")
    assert event.reason["az"] == "müflisləşmə"


def test_rules_are_told_to_those_whom_they_affect():
    event = event_of("ruleset.published", EventFacts(affected=frozenset({COMPANY, OTHER})), by=ActorKind.SYSTEM)
    assert event.told == Told(frozenset({COMPANY, OTHER}))


def test_accounts_are_told_to_the_person_and_the_administrators():
    told = event_of("member.administrator_given", EventFacts(COMPANY, person_id=PERSON)).told
    assert told == Told(administrators_of=frozenset({COMPANY}), persons=frozenset({PERSON}))


def test_a_disabled_webhook_is_the_subject():
    event = event_of("webhook.disabled", about=str(COMPANY), webhook="7", reason="gone")
    assert (event.type, event.kind, event.subject.id) == ("account.webhook_disabled", "gone", "7")


def test_ids_are_read_as_they_were_written():
    assert [parse_event_id(format_event_id(number)) for number in (0, 7, 10**13)] == [0, 7, 10**13]


@pytest.mark.parametrize(
    "text", ["", "evt_", "7", "evt_7", "evt_-00000000007", "evt_000000000007 ", "evt_" + "9" * 19, "evt_٧" * 12]
)
def test_other_text_is_no_id(text):
    with pytest.raises(ValueError, match="no id"):
        parse_event_id(text)


def test_audit_names_of_a_type():
    assert audit_names_of(frozenset({"application.ended"})) == {"application.withdrawn", "application.lapsed"}
