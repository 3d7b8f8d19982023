"""What is fixed at first run stays: issuer, key, published rules."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest
import sqlalchemy as sa

from app.core import canonical_json
from app.core.crypto.signer import certificate_signer
from app.core.errors import Conflict, NotFound, UnsafeToStart
from app.integrity import rulesets
from app.schemes import publishing, scheme_repository
from app.schemes.closed_lists import load_lists, parse_lists
from app.schemes.model import RulesetRow, SchemeRow
from app.schemes.scheme_loader import load_schemes
from app.signing import issuer_identity
from app.signing.model import SigningKey
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def test_marks_and_rules_are_published_once(session):
    publishing.publish_rulesets(session, load_schemes().values(), NOW)
    session.commit()
    before = [
        (r.scheme_code, r.version, r.digest)
        for code in ("MIK", "MIA")
        for r in scheme_repository.list_rulesets(session, code)
    ]
    publishing.publish_rulesets(session, load_schemes().values(), NOW)
    session.commit()
    after = [
        (r.scheme_code, r.version, r.digest)
        for code in ("MIK", "MIA")
        for r in scheme_repository.list_rulesets(session, code)
    ]
    assert before == after
    assert publishing.current_scheme(session, "MIK").ruleset.digest == load_schemes()["MIK"].ruleset.digest


def test_a_published_ruleset_cannot_be_published_anew_with_other_content(session):
    mark = load_schemes()["MIK"]
    publishing.publish_rulesets(session, [mark], NOW)
    session.commit()
    changed = mark.model_copy(update={"ruleset": mark.ruleset.model_copy(update={"confirmed": True})})
    with pytest.raises(UnsafeToStart, match="never changes"):
        publishing.publish_rulesets(session, [changed], NOW)


def test_changed_rules_come_with_a_new_version_and_the_old_one_stays(session):
    mark = load_schemes()["MIK"]
    publishing.publish_rulesets(session, [mark], NOW)
    newer = mark.ruleset.model_copy(update={"version": "2027.1", "confirmed": True})
    publishing.publish_rulesets(session, [mark.model_copy(update={"ruleset": newer, "term_months": 24})], NOW)
    session.commit()
    assert {r.version for r in scheme_repository.list_rulesets(session, "MIK")} == {mark.ruleset.version, "2027.1"}
    now = publishing.current_scheme(session, "MIK")
    assert (now.ruleset.version, now.term_months) == ("2027.1", 24)
    assert publishing.load_ruleset(session, "MIK", mark.ruleset.version).confirmed is False


def test_the_database_itself_refuses_to_rewrite_a_ruleset(session):
    publishing.publish_rulesets(session, load_schemes().values(), NOW)
    session.commit()
    for statement in ("UPDATE rulesets SET digest = 'x'", "DELETE FROM rulesets"):
        with pytest.raises(sa.exc.DBAPIError, match="never changed"):
            session.execute(sa.text(statement))
        session.rollback()


def test_unknown_marks_and_versions_are_absent(session):
    with pytest.raises(NotFound):
        publishing.current_scheme(session, "NONE")
    with pytest.raises(NotFound):
        publishing.load_ruleset(session, "MIK", "1999.1")


def test_the_issuer_is_fixed_at_first_run(session):
    assert issuer_identity.get_stored_issuer(session) is None
    assert issuer_identity.set_issuer_once(session, "did:web:one.example", NOW) == "did:web:one.example"
    session.commit()
    assert issuer_identity.set_issuer_once(session, "did:web:one.example", NOW) == "did:web:one.example"
    with pytest.raises(UnsafeToStart, match="Set MIK_ISSUER=did:web:one"):
        issuer_identity.set_issuer_once(session, "did:web:two.example", NOW)


def test_the_first_key_is_active_and_a_second_one_does_not_slip_in(session, tmp_path):
    signer = certificate_signer(tmp_path / "a.pem", "did:web:one.example")
    issuer_identity.register_key(session, signer, NOW)
    session.commit()
    issuer_identity.register_key(session, signer, NOW)
    assert list(issuer_identity.load_public_keys(session)) == [signer.kid]
    other = certificate_signer(tmp_path / "b.pem", "did:web:one.example")
    with pytest.raises(UnsafeToStart, match="right key file"):
        issuer_identity.register_key(session, other, NOW)
    session.get(SigningKey, signer.kid).state = "retired"
    with pytest.raises(UnsafeToStart, match="retired"):
        issuer_identity.register_key(session, signer, NOW)


# Rulesets of the first edition: kinds that are gone, no digest of lists

FIRST_EDITION = {
    "scheme": "MIK",
    "version": "2026.2",
    "in_force_from": "2026-11-22",
    "status": "in_force",
    "confirmed": False,
    "territory_sets": {"MIK_CORE": ["QARABAG"]},
    "rules": [
        {
            "id": "C-01",
            "kind": "tax_number",
            "clause": {"en": "criterion C-01", "az": "C-01 meyarı"},
            "title": {"en": "Taxpayer number", "az": "VÖEN"},
            "reasons": {"pass": {"en": "Valid.", "az": "Düzgündür."}},
        }
    ],
}


@pytest.fixture
def of_before(session):
    """The register as the first edition left it: its ruleset is in force, and logged."""
    mark = load_schemes()["MIK"]
    digest = canonical_json.digest(FIRST_EDITION)
    session.add(SchemeRow(code="MIK", content=mark.content_without_ruleset(), current_ruleset="2026.2", updated_at=NOW))
    session.flush()
    row = {"scheme_code": "MIK", "version": "2026.2", "digest": digest, "published_at": NOW}
    session.add(RulesetRow(**row, content=FIRST_EDITION))
    session.flush()
    appender.add_entry(session, Entry(LogEvent.RULESET_PUBLISHED, NOW, "MIK/2026.2", sha256=digest))
    session.commit()
    return session


def test_rulesets_of_the_first_edition_are_kept_and_shown(of_before):
    publishing.publish_rulesets(of_before, load_schemes().values(), NOW)
    of_before.commit()
    mark = load_schemes()["MIK"]
    assert publishing.current_scheme(of_before, "MIK").ruleset.version == mark.ruleset.version
    shown = {row.version: row.content for row in scheme_repository.list_rulesets(of_before, "MIK")}
    assert shown["2026.2"] == FIRST_EDITION
    assert rulesets.check_rulesets(of_before) is None
    publishing.publish_rulesets(of_before, load_schemes().values(), NOW)  # another start


def test_nothing_is_judged_by_a_ruleset_of_the_first_edition(of_before):
    for judge in (
        lambda: publishing.current_scheme(of_before, "MIK"),
        lambda: publishing.load_ruleset(of_before, "MIK", "2026.2"),
    ):
        with pytest.raises(Conflict, match="earlier edition") as refused:
            judge()
        assert refused.value.refusal_code == "ruleset-not-judged"
    assert publishing.get_scheme(of_before, "MIK").current_ruleset == "2026.2"


def test_changed_lists_need_a_new_version_of_each_ruleset(session):
    """As after a change of operations.toml or lists.toml: the scheme files are the same, the digest is not."""
    mark = load_schemes()["MIK"]
    publishing.publish_rulesets(session, [mark], NOW)
    session.commit()
    changed = mark.ruleset.model_copy(update={"lists_digest": "0" * 64})
    with pytest.raises(UnsafeToStart, match=r"MIK .* was published with other closed lists .* a new version"):
        publishing.publish_rulesets(session, [mark.model_copy(update={"ruleset": changed})], NOW)
    newer = changed.model_copy(update={"version": "2099.1"})
    publishing.publish_rulesets(session, [mark.model_copy(update={"ruleset": newer})], NOW)
    assert {row.version for row in scheme_repository.list_rulesets(session, "MIK")} == {mark.ruleset.version, "2099.1"}


def test_the_digest_is_over_both_lists():
    folder = files("app.schemes")
    operations, others = ((folder / name).read_text("utf-8") for name in ("operations.toml", "lists.toml"))
    same = parse_lists(operations + "\n# a remark\n", others)
    assert same.digest == load_lists().digest
    assert (
        parse_lists(operations.replace('class = "simple"\n', 'class = "other"\n', 1), others).digest
        != load_lists().digest
    )
    assert parse_lists(operations, others.replace('"roll"', '"reel"', 1)).digest != load_lists().digest
