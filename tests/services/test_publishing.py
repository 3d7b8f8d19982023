"""What is fixed at first run stays: issuer, key, published rules."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.errors import NotFound, UnsafeToStart
from app.keys import certificate_signer
from app.ledger import service as ledger
from app.ledger.model import SigningKey
from app.schemes import service as schemes
from app.schemes import store
from app.schemes.scheme_file import load_schemes

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def test_marks_and_rules_are_published_once(session):
    schemes.publish(session, load_schemes().values(), NOW)
    session.commit()
    before = [(r.scheme_code, r.version, r.digest) for code in ("MIK", "MIA") for r in store.rulesets(session, code)]
    schemes.publish(session, load_schemes().values(), NOW)
    session.commit()
    after = [(r.scheme_code, r.version, r.digest) for code in ("MIK", "MIA") for r in store.rulesets(session, code)]
    assert before == after
    assert schemes.mark(session, "MIK").ruleset.digest == load_schemes()["MIK"].ruleset.digest


def test_a_published_ruleset_cannot_be_published_anew_with_other_content(session):
    mark = load_schemes()["MIK"]
    schemes.publish(session, [mark], NOW)
    session.commit()
    changed = mark.model_copy(update={"ruleset": mark.ruleset.model_copy(update={"confirmed": True})})
    with pytest.raises(UnsafeToStart, match="never changes"):
        schemes.publish(session, [changed], NOW)


def test_changed_rules_come_with_a_new_version_and_the_old_one_stays(session):
    mark = load_schemes()["MIK"]
    schemes.publish(session, [mark], NOW)
    newer = mark.ruleset.model_copy(update={"version": "2027.1", "confirmed": True})
    schemes.publish(session, [mark.model_copy(update={"ruleset": newer, "term_months": 24})], NOW)
    session.commit()
    assert {r.version for r in store.rulesets(session, "MIK")} == {mark.ruleset.version, "2027.1"}
    now = schemes.mark(session, "MIK")
    assert (now.ruleset.version, now.term_months) == ("2027.1", 24)
    assert schemes.ruleset(session, "MIK", mark.ruleset.version).confirmed is False


def test_the_database_itself_refuses_to_rewrite_a_ruleset(session):
    schemes.publish(session, load_schemes().values(), NOW)
    session.commit()
    for statement in ("UPDATE rulesets SET digest = 'x'", "DELETE FROM rulesets"):
        with pytest.raises(sa.exc.DBAPIError, match="never changed"):
            session.execute(sa.text(statement))
        session.rollback()


def test_unknown_marks_and_versions_are_absent(session):
    with pytest.raises(NotFound):
        schemes.mark(session, "NONE")
    with pytest.raises(NotFound):
        schemes.ruleset(session, "MIK", "1999.1")


def test_the_issuer_is_fixed_at_first_run(session):
    assert ledger.stored_issuer(session) is None
    assert ledger.fix_issuer(session, "did:web:one.example", NOW) == "did:web:one.example"
    session.commit()
    assert ledger.fix_issuer(session, "did:web:one.example", NOW) == "did:web:one.example"
    with pytest.raises(UnsafeToStart, match="Set MIK_ISSUER=did:web:one"):
        ledger.fix_issuer(session, "did:web:two.example", NOW)


def test_the_first_key_is_active_and_a_second_one_does_not_slip_in(session, tmp_path):
    signer = certificate_signer(tmp_path / "a.pem", "did:web:one.example")
    ledger.adopt_key(session, signer, NOW)
    session.commit()
    ledger.adopt_key(session, signer, NOW)
    assert list(ledger.known_keys(session)) == [signer.kid]
    other = certificate_signer(tmp_path / "b.pem", "did:web:one.example")
    with pytest.raises(UnsafeToStart, match="right key file"):
        ledger.adopt_key(session, other, NOW)
    session.get(SigningKey, signer.kid).state = "retired"
    with pytest.raises(UnsafeToStart, match="retired"):
        ledger.adopt_key(session, signer, NOW)
