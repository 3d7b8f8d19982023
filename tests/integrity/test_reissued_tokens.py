"""What was signed anew is compared with certificate, log and audit trail; each difference is named."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from app.core.crypto import jws
from app.integrity.reissued_tokens import find_reissue_errors, find_token_error
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import LoggedEntry
from tests.verification.factories import content_of, signer_of, token_of

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
OLD, NEW = signer_of(1), signer_of(2)
CERTIFICATE = SimpleNamespace(application_id=5, token=token_of(OLD, content_of()))
ISSUE = LoggedEntry(3, Entry(LogEvent.CERTIFICATE_ISSUED, NOW, "X", sha256="a", key=OLD.kid, decision="d"))
ANEW = LoggedEntry(9, Entry(LogEvent.CERTIFICATE_REISSUED, NOW, "X", sha256="b", key=NEW.kid, decision="d"))
ROW = SimpleNamespace(kid=NEW.kid, token_sha256="b", reissued_at=NOW)
EVENT = SimpleNamespace(seq=7, at=NOW, case_id=5, data={"sha256": "b", "kid": NEW.kid, "decision_sha256": "d"})


def changed(event, **members):
    return SimpleNamespace(**(vars(event) | members))


@pytest.mark.parametrize(
    ("entries", "events", "rows", "errors"),
    [
        ([], [], [], []),
        ([ANEW], [EVENT], [ROW], []),
        ([ANEW], [EVENT], [], ["the token is missing"]),
        ([ANEW], [], [ROW], ["the audit trail does not record it"]),
        ([], [EVENT], [ROW], ["stored, but not logged", "the log does not contain that"]),
        ([ANEW], [EVENT], [changed(ROW, kid=OLD.kid)], ["Key or moment"]),
        ([ANEW], [EVENT], [changed(ROW, reissued_at=None)], ["Key or moment"]),
        ([ANEW], [changed(EVENT, case_id=6)], [ROW], ["application"]),
        ([ANEW], [changed(EVENT, data={"sha256": "b"})], [ROW], ["decision, key"]),
        ([ANEW._replace(entry=replace(ANEW.entry, decision="e"))], [EVENT], [ROW], ["another decision", "decision"]),
    ],
)
def test_each_difference_is_named(entries, events, rows, errors):
    found = list(find_reissue_errors(CERTIFICATE, ISSUE, entries, events, rows))
    assert len(found) == len(errors)
    assert all(words in text for words, text in zip(errors, found, strict=True))


def test_without_an_issue_there_is_no_decision():
    (found,) = find_reissue_errors(CERTIFICATE, None, [ANEW], [EVENT], [ROW])
    assert "another decision" in found


KEYS = {OLD.kid: OLD.public, NEW.kid: NEW.public}


def stored(token, **members):
    row = {"kid": NEW.kid, "token": token, "token_sha256": jws.signed_hash(token)}
    return SimpleNamespace(**(row | members))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (stored(token_of(NEW, content_of())), None),
        (stored(token_of(NEW, content_of(hs6="010101"))), "says something else"),
        (stored(token_of(NEW, content_of()), kid=OLD.kid), "another key or another hash"),
        (stored(token_of(NEW, content_of()), token_sha256="x"), "another key or another hash"),
        (stored(token_of(signer_of(3), content_of())), "does not verify"),
    ],
)
def test_only_header_and_signature_differ(row, words):
    found = find_token_error(CERTIFICATE, [row], KEYS)
    assert (found is None) if words is None else (words in found)
