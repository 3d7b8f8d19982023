"""What the public register must show, by token and log alone."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from app.certificates.credential.reader import parse_credential
from app.core.crypto import jws
from app.core.crypto.jwk import did_kid
from app.core.dates import day_end
from app.monitor import comparisons
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.logged_status import status_after
from app.transparency.tiles import decode_entry_bundle, encode_entry_bundle
from app.verification.verdict import Verdict
from tests.verification.factories import content_of, signer_of, token_of

pytestmark = [pytest.mark.short, pytest.mark.pure]
NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
DID = "did:web:mark.example"
SIGNER = signer_of(0xC0FFEE)
KEY = SIGNER.public
KID = did_kid(DID, KEY)


def entry(event, *, at=NOW, **members):
    return Entry(LogEvent(event), at, "X", **members)


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([], "active"),
        ([entry("certificate.issued")], "active"),
        ([entry("certificate.suspended")], "suspended"),
        ([entry("certificate.suspended"), entry("certificate.reinstated")], "active"),
        ([entry("certificate.revoked"), entry("certificate.reinstated")], "revoked"),
        ([entry("certificate.surrendered"), entry("certificate.revoked")], "revoked"),
        ([entry("certificate.superseded")], "superseded"),
        ([entry("key.retired")], "active"),
    ],
)
def test_the_status_follows_from_the_entries(entries, status):
    assert status_after(entries).status == status


def test_an_entry_bundle_is_read_whole():
    entries = [b"one", b"", b"three" * 100]
    assert decode_entry_bundle(encode_entry_bundle(entries), 3) == entries
    for content, width in ((encode_entry_bundle(entries), 2), (encode_entry_bundle(entries)[:-1], 3), (b"\0", 1)):
        with pytest.raises(ValueError, match=r"tile"):
            decode_entry_bundle(content, width)


def test_members_are_compared_by_what_was_signed():
    expected = {"number": "1", "holder": {"name": "A", "voen": "0010000101"}, "product": {"name": {"en": "B"}}}
    shown = {"number": "1", "holder": {"name": "A", "voen": "001****101"}, "product": {"name": {"en": "B"}}, "more": 1}
    assert list(comparisons.differing_members(expected, shown)) == []
    wrong = shown | {"holder": {"name": "C", "voen": "1010000101"}, "product": {"name": {"en": "B", "az": "C"}}}
    assert len(list(comparisons.differing_members(expected, wrong))) == 3
    assert list(comparisons.differing_members(expected, None)) == ["the certificate is missing"]
    assert "holder is missing" in list(comparisons.differing_members(expected, shown | {"holder": "A"}))


def test_the_facts_of_a_token_are_those_of_an_answer():
    keys = {SIGNER.kid: SIGNER.public}
    certified = parse_credential(jws.verify(token_of(SIGNER, content_of()), typ="vc+jwt", keys=keys).payload)
    facts = comparisons.facts_of(certified)
    assert facts["holder"]["name"] == certified.holder_name
    assert "country" not in comparisons.facts_of(replace(certified, country=None))
    inside = datetime.combine(certified.valid_from, time(12), UTC)
    assert comparisons.possible_verdicts("active", certified, inside) == {Verdict.VALID}
    at_the_end = day_end(certified.valid_until)
    assert comparisons.possible_verdicts("active", certified, at_the_end) == {Verdict.VALID, Verdict.EXPIRED}


def test_the_key_of_an_issue_was_active():
    activated, retired = (3, entry("key.activated")), (7, entry("key.retired"))
    published = (1, entry("key.published"))
    assert comparisons.key_fault(5, [published, activated, retired]) is None
    assert comparisons.key_fault(2, [published, activated]) == "the log did not activate it before"
    assert comparisons.key_fault(9, [published, activated, retired]) == "in the log it was retired before"


def test_an_issue_after_a_compromise_is_void():
    compromised = [(9, entry("key.compromised", at=NOW))]
    assert comparisons.is_voided(3, entry("certificate.issued", at=NOW), compromised)
    assert not comparisons.is_voided(3, entry("certificate.issued", at=NOW - timedelta(days=1)), compromised)
    assert comparisons.is_voided(10, entry("certificate.issued", at=NOW - timedelta(days=1)), compromised)
    assert not comparisons.is_voided(3, entry("certificate.issued"), [])


BEFORE, AFTER = NOW - timedelta(hours=2), NOW + timedelta(hours=2)
STOLEN, NEW = f"{DID}#stolen", f"{DID}#new"
LOGGED_KEYS = {
    STOLEN: [(0, entry("key.activated", at=BEFORE)), (9, entry("key.compromised", at=NOW))],
    NEW: [(10, entry("key.published", at=AFTER)), (11, entry("key.activated", at=AFTER))],
}
ISSUE = (5, entry("certificate.issued", at=NOW, key=STOLEN, decision="d"))
ANEW = (12, entry("certificate.reissued", at=AFTER, key=NEW, decision="d"))


@pytest.mark.parametrize(
    ("issue", "changes", "current", "faults"),
    [
        (ISSUE, [], ISSUE, []),
        (ISSUE, [ANEW], ANEW, []),
        (ISSUE, [(11, entry("certificate.suspended")), ANEW], ANEW, []),
        (ISSUE, [ANEW, (13, replace(ANEW[1], key=STOLEN))], ANEW, ["was compromised before"]),
        (ISSUE, [(12, replace(ANEW[1], decision="e"))], None, ["another decision"]),
        ((5, replace(ISSUE[1], at=BEFORE)), [ANEW], ANEW, ["no compromise"]),
        (ISSUE, [ANEW, (13, ANEW[1])], (13, ANEW[1]), ["no compromise"]),
        (ISSUE, [(10, ANEW[1])], None, ["did not activate it"]),
    ],
)  # fmt: skip
def test_a_certificate_is_signed_anew_only_after_a_compromise(issue, changes, current, faults):
    assert comparisons.current_token(issue, changes, LOGGED_KEYS) == (current or changes[-1])
    found = list(comparisons.reissue_faults(issue, changes, LOGGED_KEYS))
    assert len(found) == len(faults)
    assert all(words in text for words, text in zip(faults, found, strict=True))


@pytest.mark.parametrize(
    ("events", "jwks", "methods", "trusted", "faults"),
    [
        (["key.published"], {KID}, {KID}, {KID}, []),
        (["key.activated"], {KID}, {KID}, set(), ["key-missing"]),
        (["key.activated"], set(), {KID}, {KID}, ["key-missing"]),
        (["key.activated", "key.compromised"], set(), {KID}, set(), []),
        (["key.activated", "key.compromised"], {KID}, {KID}, set(), ["key-compromised"]),
        ([], {KID}, set(), set(), ["key-not-logged"]),
    ],
)
def test_published_keys_are_those_of_the_log(events, jwks, methods, trusted, faults):
    logged = {KID: [(number, entry(event)) for number, event in enumerate(events)]} if events else {}
    found = comparisons.key_document_faults(
        logged, dict.fromkeys(jwks, KEY), dict.fromkeys(methods, KEY), frozenset(trusted), NOW
    )
    assert [kind for kind, _, _ in found] == faults
    recent = comparisons.key_document_faults(logged, {}, {}, frozenset(), NOW - timedelta(hours=1))
    assert list(recent) == []


def test_a_key_must_have_the_thumbprint_in_its_identifier():
    other = f"{DID}#other"
    found = comparisons.key_document_faults(
        {other: [(0, entry("key.activated"))]}, {other: KEY}, {other: KEY}, frozenset({other}), NOW
    )
    assert [kind for kind, _, _ in found] == ["key-not-logged"]
