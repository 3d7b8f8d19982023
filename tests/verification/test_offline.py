"""Checks without register and network: what the sources carry decides, and how old they are is always said."""

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.certificates import status_list
from app.certificates.credential.untp_builder import build_credential
from app.certificates.status_list import Purpose, empty_bits, set_bit
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRecord, KeyState
from app.transparency import merkle
from app.transparency.checkpoint import Checkpoint, Proof
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.signed_note import NoteSigner
from app.transparency.witness_policy import WitnessJudgement
from app.verification.offline import OfflineSources, evaluate_offline, format_age
from app.verification.verdict import Verdict
from tests.verification.factories import DID, content_of, signer_of, token_of

pytestmark = [pytest.mark.short, pytest.mark.pure]
SIGNER, THIEF, NEXT = signer_of(0xC0FFEE), signer_of(0xBAD), signer_of(0xF00D)
LOG = NoteSigner("mark.example/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ISSUED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LISTED = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
NOW = LISTED + timedelta(hours=5)
CONTENT = content_of()
TOKEN = token_of(SIGNER, CONTENT)
LISTS = "https://mark.example/v1/status-lists"


def proof_text(token=TOKEN, number=CONTENT.number, event=LogEvent.CERTIFICATE_ISSUED, signer=LOG, *, entry=None):
    """A log of two entries, the second of which is the issue."""
    issue = Entry(event, ISSUED, number, sha256=jws.signed_hash(token), key=SIGNER.kid).canonical_bytes()
    return proof_of_bytes(issue, signer, entry)


def proof_of(entry):
    return proof_of_bytes(entry.canonical_bytes(), LOG, None)


def proof_of_bytes(issue, signer, entry):
    other, leaf = merkle.leaf_hash(b"{}"), merkle.leaf_hash(issue)
    note = signer.sign(Checkpoint(signer.name, 2, merkle.node_hash(other, leaf)).text)
    head, _, rest = Proof(1, (other,), note).text.partition("\n")
    return f"{head}\nextra {base64.b64encode(entry or issue).decode()}\n{rest}"


def lists(*, revoked=False, suspended=False, at=LISTED, signer=SIGNER, issuer=DID, index=CONTENT.status_index):
    found = {}
    for purpose, value in ((Purpose.REVOCATION, revoked), (Purpose.SUSPENSION, suspended)):
        url = f"{LISTS}/{purpose}-1"
        payload = status_list.build_status_list_credential(
            url, issuer, purpose, set_bit(empty_bits(), index, value=value), at
        )
        found[url] = signer.sign(payload, typ="vc+jwt")
    return found


def sources(listed=None, proof=None, **other):
    listed = lists() if listed is None else listed
    text = proof_text() if proof is None else proof
    values = {
        "issuer": DID,
        "trusted": {SIGNER.kid: SIGNER.public},
        "withdrawn": {},
        "verifier": LOG.verifier,
        "find_status_list": listed.get,
        "find_proof": lambda *_: text or None,
        "made_at": LISTED + timedelta(minutes=1),
    }
    return OfflineSources(**(values | other))


def names(answer):
    return [check.name for check in answer.checks if not check.passed]


class TestVerdicts:
    @pytest.mark.parametrize(
        ("status", "now", "verdict", "headline"),
        [
            ({}, NOW, Verdict.VALID, "valid as of 2027-03-01T09:00:00Z, list 5 h old"),
            ({}, LISTED, Verdict.VALID, "valid as of 2027-03-01T09:00:00Z, list 0 min old"),
            ({}, LISTED + timedelta(days=4), Verdict.VALID, "valid as of 2027-03-01T09:00:00Z, list 4 d old"),
            ({"revoked": True}, NOW, Verdict.REVOKED, "revoked as of 2027-03-01T09:00:00Z, list 5 h old"),
            ({"suspended": True}, NOW, Verdict.SUSPENDED, "suspended as of 2027-03-01T09:00:00Z, list 5 h old"),
            ({"revoked": True, "suspended": True}, NOW, Verdict.REVOKED, "revoked as of"),
        ],
    )  # fmt: skip
    def test_by_the_lists(self, status, now, verdict, headline):
        answer = evaluate_offline(TOKEN, sources(lists(**status)), now)
        assert answer.verdict is verdict
        assert answer.headline.startswith(headline)
        assert [check.name for check in answer.checks] == ["signature", "key_state", "log", "validity", "status"]
        assert names(answer) == ([] if verdict is Verdict.VALID else ["status"])
        assert answer.certified.number == CONTENT.number

    def test_the_older_list_speaks(self):
        mixed = lists() | {f"{LISTS}/suspension-1": lists(at=LISTED - timedelta(days=1))[f"{LISTS}/suspension-1"]}
        assert (
            evaluate_offline(TOKEN, sources(mixed), NOW).headline
            == "valid as of 2027-02-28T09:00:00Z, list 1 d 5 h old"
        )

    @pytest.mark.parametrize(
        ("dates", "verdict", "words"),
        [
            ((date(2026, 11, 22), date(2027, 2, 28)), Verdict.EXPIRED, "expired as of"),
            ((date(2027, 3, 2), date(2029, 1, 1)), Verdict.NOT_YET_VALID, "not yet valid as of"),
        ],
    )
    def test_by_the_dates(self, dates, verdict, words):
        content = replace(CONTENT, valid_from=dates[0], valid_until=dates[1])
        token = token_of(SIGNER, content)
        answer = evaluate_offline(token, sources(proof=proof_text(token)), NOW)
        assert answer.verdict is verdict
        assert answer.headline.startswith(words)

    def test_a_certificate_in_the_first_shape(self):
        """Issued before the credential had its present shape: what it says is read as well."""
        new = build_credential(CONTENT)
        payload = {name: new[name] for name in ("id", "validFrom", "validUntil", "credentialStatus")} | {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": {"id": DID, "name": "Owner of the mark"},
            "credentialSubject": {
                "number": CONTENT.number,
                "scheme": {"code": "MIK", "name": "Made in Karabakh", "ruleset": "2026.1"},
                "holder": {"name": "Nümunə-Boru MMC", "voen": "001****221"},
                "product": {"name": [{"@value": "Steel pipe", "@language": "en"}], "hs6": "730630"},
                "site": {"district": "Ağdam"},
                "originCriterion": "CTH",
            },
        }
        token = SIGNER.sign(payload, typ="vc+jwt")
        answer = evaluate_offline(token, sources(proof=proof_text(token)), NOW)
        assert answer.verdict is Verdict.VALID
        assert answer.certified.product_names == {"en": "Steel pipe"}
        assert (answer.certified.voen, answer.certified.park_code) == ("001****221", None)


class TestForged:
    def forged(self, token, **other):
        answer = evaluate_offline(token, sources(**other), NOW)
        assert answer.verdict is Verdict.FORGED
        assert answer.headline == "forged, by keys bundled 4 h ago"
        return names(answer)

    @pytest.mark.parametrize("token", [TOKEN[:-8] + "AAAAAAAA", TOKEN[:-90] + "A" + TOKEN[-89:]])
    def test_not_signed_by_the_issuer(self, token):
        assert self.forged(token) == ["signature"]

    @pytest.mark.parametrize("token", ["", "a.b.c", TOKEN + "=", TOKEN[:-1], TOKEN.replace(".", " ")])
    def test_no_whole_certificate(self, token):
        answer = evaluate_offline(token, sources(), NOW)
        assert (answer.verdict, answer.headline) == (Verdict.UNREADABLE, "unreadable")

    def test_wrapped_by_mail(self):
        assert evaluate_offline("> " + TOKEN[:900] + "\n> " + TOKEN[900:], sources(), NOW).verdict is Verdict.VALID

    @pytest.mark.parametrize(
        "changes",
        [
            {"vc": {}}, {"vp": {}}, {"issuer": {"id": "did:web:other.example"}}, {"issuer": DID}, {"validFrom": "soon"},
            {"credentialSubject": None}, {"credentialSubject": {}},
            {"credentialSubject": {"number": "MIK-2026-000042-X"}},
            {"credentialSubject": build_credential(CONTENT)["credentialSubject"] | {"number": "MIK-2026-000042-X"}},
            {"credentialSubject": build_credential(CONTENT)["credentialSubject"] | {"conformityAssessment": []}},
            {"credentialStatus": []}, {"credentialStatus": build_credential(CONTENT)["credentialStatus"] * 2},
            {"credentialStatus": [{"type": "TokenStatusListEntry"}]},
        ],
    )  # fmt: skip
    def test_signed_but_no_certificate(self, changes):
        assert self.forged(SIGNER.sign(build_credential(CONTENT) | changes, typ="vc+jwt")) == ["content"]

    def test_a_status_list_is_no_certificate(self):
        assert self.forged(lists()[f"{LISTS}/revocation-1"]) == ["content"]

    def test_a_bundle_of_another_issuer(self):
        assert self.forged(TOKEN, issuer="did:web:other.example") == ["content"]


class TestUndecided:
    def undecided(self, found, token=TOKEN, now=NOW):
        answer = evaluate_offline(token, found, now)
        assert answer.verdict is None
        assert answer.headline == "undetermined, by keys bundled 4 h ago"
        assert answer.certified is not None
        (name,) = names(answer)
        return name, answer.checks[-1].detail

    def test_a_key_that_the_bundle_does_not_hold_is_never_called_counterfeit(self):
        answer = evaluate_offline(token_of(THIEF, CONTENT), sources(), NOW)
        assert answer.verdict is None
        assert answer.headline == "cannot be checked without a network, by keys bundled 4 h ago"

    def test_its_key_is_compromised(self):
        found = sources(trusted={}, withdrawn={SIGNER.kid: SIGNER.public})
        assert self.undecided(found)[0] == "key_state"

    @pytest.mark.parametrize(
        ("proof", "words"),
        [
            ("", "newer than the bundle"),
            ("x", "does not contain the entry"),
            (proof_text().replace("extra ", "extra !"), "not in base64"),
            (proof_text(entry=b"{}"), "does not lead"),
            (proof_text().replace("\nindex 1\n", "\nindex 0\n"), "does not lead"),
            (proof_text(signer=NoteSigner("mark.example/log", Ed25519PrivateKey.generate())), "refused"),
            (proof_text(number="MIK-2026-000043-W"), "another entry"),
            (proof_text(event=LogEvent.CERTIFICATE_REVOKED), "another entry"),
            (proof_text(token=token_of(SIGNER, replace(CONTENT, hs6="730631"))), "another entry"),
        ],
    )
    def test_the_log_does_not_prove_it(self, proof, words):
        name, detail = self.undecided(sources(proof=proof))
        assert name == "log"
        assert words in detail

    @pytest.mark.parametrize(
        ("listed", "words"),
        [
            ({}, "has no list for revocation"),
            (lists(signer=THIEF), "cannot be relied on"),
            (lists(issuer="did:web:other.example"), "of another issuer"),
            (dict(zip(lists(), reversed(lists().values()), strict=True)), "another list"),
            (lists(at=NOW - timedelta(days=4, seconds=1)), "was valid until 2027-03-01T13:59:59Z"),
            (lists(at=NOW + timedelta(minutes=6)), "check your clock"),
            (dict.fromkeys(lists(), TOKEN), "cannot be relied on"),
            (dict.fromkeys(lists(), "x"), "cannot be relied on"),
        ],
    )
    def test_the_lists_do_not_tell(self, listed, words):
        name, detail = self.undecided(sources(listed))
        assert name == "status"
        assert words in detail

    def test_an_index_outside_the_list(self):
        content = replace(CONTENT, status_index=131_071)
        payload = build_credential(content)
        for entry in payload["credentialStatus"]:
            entry["statusListIndex"] = "131072"
        token = SIGNER.sign(payload, typ="vc+jwt")
        assert self.undecided(sources(proof=proof_text(token)), token)[0] == "status"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-9), "0 min"), (timedelta(seconds=59), "0 min"), (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=60), "1 h"), (timedelta(hours=23, minutes=59), "23 h"), (timedelta(hours=24), "1 d"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)  # fmt: skip
def test_age(passed, said):
    assert format_age(passed) == said


def with_log(entries=(), **members):
    return sources(checkpoint_at=LISTED, status_entries=lambda _number: tuple(enumerate(entries, 5)), **members)


def test_what_the_log_says_counts_beside_the_lists():
    revoked = Entry(LogEvent.CERTIFICATE_REVOKED, LISTED, CONTENT.number)
    suspended = Entry(LogEvent.CERTIFICATE_SUSPENDED, LISTED, CONTENT.number)
    reinstated = Entry(LogEvent.CERTIFICATE_REINSTATED, LISTED, CONTENT.number)
    for entries, listed, verdict in (
        ((), lists(), Verdict.VALID),
        ((revoked,), lists(), Verdict.REVOKED),
        ((suspended,), lists(), Verdict.SUSPENDED),
        ((suspended,), lists(revoked=True), Verdict.REVOKED),
        ((suspended, reinstated), lists(), Verdict.VALID),
        ((suspended, reinstated), lists(suspended=True), Verdict.SUSPENDED),
        ((suspended, revoked), lists(suspended=True), Verdict.REVOKED),
    ):
        result = evaluate_offline(TOKEN, with_log(entries, listed=listed), NOW)
        assert (result.verdict, result.headline.endswith("log 5 h old")) == (verdict, True)


def test_the_age_of_the_log_is_limited():
    assert evaluate_offline(TOKEN, with_log(), NOW, timedelta(hours=5)).verdict is Verdict.VALID
    old = evaluate_offline(TOKEN, with_log(), NOW, timedelta(hours=4))
    assert (old.verdict, old.checks[-1].name) == (None, "age")
    future = replace(with_log(), checkpoint_at=NOW + timedelta(hours=1))
    assert evaluate_offline(TOKEN, future, NOW).verdict is None


def compromised(since, declared=9):
    """The key of the certificate is compromised; the lists are signed with another one."""
    key = KeyRecord(SIGNER.kid, SIGNER.public, KeyState.COMPROMISED, since, declared, declared)
    return {
        "trusted": {NEXT.kid: NEXT.public},
        "withdrawn": {SIGNER.kid: SIGNER.public},
        "compromised": {SIGNER.kid: key},
    }


@pytest.mark.parametrize(
    ("since", "declared", "listed", "verdict"),
    [
        (ISSUED + timedelta(seconds=1), 9, {}, "valid"),
        (ISSUED, 9, {}, "key_compromised"),
        (ISSUED, 9, {"revoked": True}, "revoked"),
        (ISSUED, 9, {"suspended": True}, "key_compromised"),
        (ISSUED + timedelta(days=9), 0, {}, "key_compromised"),  # backdated: it stands after the declaration
    ],
)
def test_a_compromise_spares_what_was_logged_before(since, declared, listed, verdict):
    result = evaluate_offline(TOKEN, with_log(listed=lists(signer=NEXT, **listed), **compromised(since, declared)), NOW)
    assert result.verdict == verdict
    assert result.certified.number == CONTENT.number


def test_lists_of_a_compromised_key_decide_nothing():
    result = evaluate_offline(TOKEN, with_log(**compromised(ISSUED + timedelta(days=1))), NOW)
    assert (result.verdict, result.checks[-1].name) == (None, "status")


def test_what_a_compromised_key_signed_and_the_log_lacks_is_forged():
    """After a compromise the service signs nothing with the key, so no newer bundle can contain it."""
    of_another = proof_text(token_of(SIGNER, replace(CONTENT, hs6="010101")))
    for proof in ("", of_another):
        found = with_log(listed=lists(signer=NEXT), proof=proof, **compromised(ISSUED))
        result = evaluate_offline(TOKEN, found, NOW)
        assert (result.verdict, result.checks[-1].name, result.certified) == (Verdict.FORGED, "log", None)


def test_a_token_whose_place_a_later_one_took():
    later = Entry(LogEvent.CERTIFICATE_REISSUED, NOW, CONTENT.number, sha256="b" * 64, key=NEXT.kid)
    stolen = replace(later, key=SIGNER.kid, at=ISSUED + timedelta(days=9))
    members = compromised(ISSUED + timedelta(days=1)) | {"listed": lists(signer=NEXT)}
    for entries, listed, verdict in (
        ((later,), {}, "superseded"),
        ((stolen,), {}, "valid"),
        ((later,), {"revoked": True}, "revoked"),
        ((later, replace(stolen, event=LogEvent.CERTIFICATE_SUSPENDED)), {}, "superseded"),
    ):
        result = evaluate_offline(TOKEN, with_log(entries, **members | {"listed": lists(signer=NEXT, **listed)}), NOW)
        assert result.verdict == verdict
    anew = token_of(NEXT, CONTENT)
    entry = Entry(LogEvent.CERTIFICATE_REISSUED, NOW, CONTENT.number, sha256=jws.signed_hash(anew), key=NEXT.kid)
    proof = proof_of(entry)
    assert evaluate_offline(anew, with_log((later,), proof=proof, **members), NOW).verdict is Verdict.SUPERSEDED
    own = with_log((), proof=proof, **members)
    assert evaluate_offline(anew, own, NOW).verdict is Verdict.VALID


def test_witnesses_are_asked_for():
    for is_acceptable, verdict in ((True, Verdict.VALID), (False, None)):
        judged = WitnessJudgement(is_witnessed=False, is_acceptable=is_acceptable, text="not yet witnessed, age 1 d")
        result = evaluate_offline(TOKEN, with_log(judge_witnesses=lambda *_, found=judged: found), NOW)
        assert result.verdict is verdict
        assert [check.passed for check in result.checks if check.name == "witnesses"] == [is_acceptable]
