"""Entries, checkpoints and proofs of the public log that are in other hands must verify for ever."""

import base64
import json
from pathlib import Path

import pytest
from pymerkle import InmemoryTree

from app.transparency import merkle
from app.transparency.checkpoint import parse_proof, verify_checkpoint, verify_proof
from app.transparency.signed_note import NoteRejected, parse_vkey

pytestmark = pytest.mark.pure

VECTORS = json.loads(Path(__file__).with_name("public_log.json").read_text("utf-8"))
VERIFIER = parse_vkey(VECTORS["vkey"])
ENTRIES = [entry.encode() for entry in VECTORS["entries"]]
CHECKPOINTS = {int(size): verify_checkpoint(note, VERIFIER) for size, note in VECTORS["checkpoints"].items()}


def test_entries_are_canonical():
    for entry in ENTRIES:
        assert (
            json.dumps(json.loads(entry), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() == entry
        )


@pytest.mark.parametrize("size", CHECKPOINTS)
def test_checkpoints_are_about_the_entries(size):
    tree = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES[:size]:
        tree.append_entry(entry)
    assert CHECKPOINTS[size].size == size
    assert CHECKPOINTS[size].root == tree.get_root()


@pytest.mark.parametrize("text", VECTORS["proofs"])
def test_proofs_prove_their_entry_and_no_other(text):
    proof = parse_proof(text)
    assert proof.text == text
    assert verify_proof(ENTRIES[proof.index], proof, VERIFIER).size == len(ENTRIES)
    for other in range(len(ENTRIES)):
        if other != proof.index:
            with pytest.raises(NoteRejected):
                verify_proof(ENTRIES[other], proof, VERIFIER)


@pytest.mark.parametrize("each", VECTORS["consistency"])
def test_the_log_grew(each):
    old, new = CHECKPOINTS[each["first"]], CHECKPOINTS[each["second"]]
    hashes = [base64.b64decode(text) for text in each["hashes"]]
    assert merkle.verify_consistency(old.size, new.size, old.root, new.root, hashes)
    assert len(merkle.consistency_path(old.size, new.size)) == len(hashes)
