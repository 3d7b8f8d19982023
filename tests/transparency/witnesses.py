"""Logs and witnesses for tests: keys from numbers, trees from lists of entries, witnesses that answer in-process."""

import base64
import hashlib

import httpx2 as httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from app.transparency.checkpoint import Checkpoint
from app.transparency.cosignature import Cosigner
from app.transparency.witness.node import Witness, WitnessFolder
from app.transparency.witness.protocol import AddCheckpoint
from tests.transparency.helpers import ORIGIN, signer_of

PARTIES = ("customs", "chamber", "university")


def ed25519(name="w.example/1", value=11):
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(value.to_bytes(32, "big")))


def ml_dsa(name="w.example/1", value=12):
    return Cosigner(name, MLDSA44PrivateKey.from_seed_bytes(value.to_bytes(32, "big")))


def _hash(entries):
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    middle = 1 << ((len(entries) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _hash(entries[:middle]) + _hash(entries[middle:])).digest()


def _consistency(old, entries, *, is_whole=True):
    """RFC 6962 §2.1.2, as it stands there: not the code under test."""
    if old == len(entries):
        return [] if is_whole else [_hash(entries)]
    middle = 1 << ((len(entries) - 1).bit_length() - 1)
    if old <= middle:
        return [*_consistency(old, entries[:middle], is_whole=is_whole), _hash(entries[middle:])]
    return [*_consistency(old - middle, entries[middle:], is_whole=False), _hash(entries[:middle])]


def checkpoint(entries, signer=None):
    """The signed checkpoint of a log with these entries."""
    signer = signer or signer_of()
    return signer.sign(Checkpoint(signer.name, len(entries), _hash(entries)).text)


def request(entries, old=0, signer=None, proof=None):
    """The body that shows these entries to a witness that has seen `old` of them."""
    if proof is None:
        proof = _consistency(old, entries) if 0 < old <= len(entries) else []
    return AddCheckpoint(old, tuple(proof), checkpoint(entries, signer)).body


def entries(count, last=b""):
    """So many entries; `last` changes the last one, so that the history is another."""
    return [f"entry {number}".encode() for number in range(count - 1)] + [b"last" + last] * (count > 0)


class Witnesses:
    """Witnesses by name, as a transport for the client; `down` do not answer, `answers` gives canned ones."""

    def __init__(self, folder, clock, log, names=PARTIES):
        self.nodes = {}
        for name in names:
            opened = WitnessFolder(folder / name, f"{name}.example/w", [log])
            self.nodes[name] = (opened, Witness(opened, [log], clock))
        self.down, self.answers, self.asked = set(), {}, []

    @property
    def transport(self):
        return httpx.MockTransport(self._handle)

    def folder(self, name):
        return self.nodes[name][0]

    def vkey(self, name, kind=0):
        return self.folder(name).cosigners[kind].verifier.vkey

    def policy(self, log=None, quorum="2", kind=0):
        """The text of a policy by which so many of all must have signed."""
        lines = [f"log {log.vkey}"] if log else []
        lines += [f"witness {name} {self.vkey(name, kind)} http://{name}.example/w/" for name in self.nodes]
        lines += [f"group all-of-them {quorum} {' '.join(self.nodes)}", "quorum all-of-them"]
        return "\n".join(lines) + "\n"

    def _handle(self, request):
        name = request.url.host.partition(".")[0]
        assert request.url.path == "/w/add-checkpoint"
        self.asked.append(name)
        if name in self.down:
            raise httpx.ConnectError("down")
        if name in self.answers:
            return self.answers[name]
        answer = self.nodes[name][1].add_checkpoint(request.content)
        return httpx.Response(answer.status, text=answer.body, headers={"Content-Type": answer.media_type})


def b64(content):
    return base64.b64encode(content).decode()


__all__ = ["ORIGIN", "PARTIES", "Witnesses", "b64", "checkpoint", "ed25519", "entries", "ml_dsa", "request"]
