"""Key files, faces and states."""

import json
import multiprocessing
import os
import stat
import threading
from datetime import UTC, datetime
from itertools import product

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import deserialize_compact

from app.core.crypto import jwk as crypto_jwk
from app.core.crypto import jws, pem_files
from app.core.crypto import signer as crypto_signer
from app.core.crypto.jws import PublicKey, UnusableKey
from app.core.crypto.keyring import KEY_TRANSITIONS, KeyAction, KeyRecord, KeyRing, KeyState
from app.core.crypto.pem_files import UnsafeKeyFile

pytestmark = pytest.mark.short
DID = "did:web:mark.example"
KNOWN_X = "WfTi93YuhsQxKbD0ftnjOXJndqhnJ5kgDV-ZDGyrhBQ"
KNOWN_Y = "qUd_55EjX0mjKZ6W6mF4UXVYTQ41K6jfdnYFwN5uPyk"
KNOWN_THUMBPRINT = "73voMXFNmNlOEpuYCSJlh8eN0dscykoO6gBukgRS1uU"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return [path.name for path in folder.iterdir()]


class TestFile:
    def test_made_on_first_use(self, tmp_path):
        path = tmp_path / "a" / "keys" / "certificate.pem"
        first = pem_files.load_or_create_key(path)
        assert mode(path) == 0o600
        assert mode(path.parent) == 0o700
        assert pem_files.load_or_create_key(path).public.x == first.public.x
        assert names(path.parent) == ["certificate.pem"]

    def test_a_generous_umask_changes_nothing(self, tmp_path):
        before = os.umask(0)
        try:
            pem_files.load_or_create_key(tmp_path / "k" / "a.pem")
        finally:
            os.umask(before)
        assert mode(tmp_path / "k" / "a.pem") == 0o600
        assert mode(tmp_path / "k") == 0o700

    @pytest.mark.parametrize("wide", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601, 0o620, 0o777])
    def test_a_wider_mode_is_refused_in_words(self, tmp_path, wide):
        path = tmp_path / "a.pem"
        pem_files.load_or_create_key(path)
        path.chmod(wide)
        with pytest.raises(UnsafeKeyFile) as caught:
            pem_files.load_or_create_key(path)
        for part in (str(path), f"{wide:04o}", f"chmod 600 {path}"):
            assert part in caught.value.message

    def test_a_narrower_mode_is_fine(self, tmp_path):
        path = tmp_path / "a.pem"
        made = pem_files.load_or_create_key(path)
        path.chmod(0o400)
        assert pem_files.load_key(path).public.x == made.public.x

    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            pem_files.load_key(tmp_path / "none.pem")

    def test_other_curve(self, tmp_path):
        path = tmp_path / "a.pem"
        pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(pem)
        with pytest.raises(UnsafeKeyFile, match="P-256"):
            pem_files.load_or_create_key(path)

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 100_000])
    def test_damaged(self, tmp_path, content):
        path = tmp_path / "a.pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
        with pytest.raises(UnsafeKeyFile, match=r"a\.pem"):
            pem_files.load_or_create_key(path)

    def test_not_a_file(self, tmp_path):
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe", 0o600)
        for name in ("folder", "pipe"):
            with pytest.raises(UnsafeKeyFile, match="regular"):
                pem_files.load_or_create_key(tmp_path / name)

    def test_no_place_for_it(self, tmp_path):
        (tmp_path / "occupied").touch()
        with pytest.raises(UnsafeKeyFile, match="occupied"):
            pem_files.load_or_create_key(tmp_path / "occupied" / "a.pem")

    def test_a_folder_without_links_or_rights(self, tmp_path, monkeypatch):
        def refuse(*_paths):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        with pytest.raises(UnsafeKeyFile, match="No key file can be made"):
            pem_files.load_or_create_key(tmp_path / "a.pem")
        assert names(tmp_path) == []

    def test_threads_at_once_get_one_key(self, tmp_path):
        barrier, seen = threading.Barrier(16), []

        def start():
            barrier.wait()
            seen.append(pem_files.load_or_create_key(tmp_path / "k" / "a.pem").public.x)

        threads = [threading.Thread(target=start) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 16
        assert len(set(seen)) == 1
        assert names(tmp_path / "k") == ["a.pem"]

    def test_workers_at_once_get_one_key(self, tmp_path):
        processes = multiprocessing.get_context("forkserver")
        with processes.Pool(4, initializer=_meet_at, initargs=[processes.Barrier(4, timeout=60)]) as pool:
            seen = pool.map(_coordinate, [tmp_path / "k" / "a.pem"] * 4, chunksize=1)
        assert len(set(seen)) == 1

    def test_losing_the_race_takes_the_winners_key(self, tmp_path):
        path = tmp_path / "a.pem"
        winner = pem_files.load_or_create_key(path)
        pem_files.write_private(path, pem_files.create_private_key()[1])
        assert pem_files.load_key(path).public.x == winner.public.x
        assert names(tmp_path) == ["a.pem"]


def _meet_at(barrier):
    _coordinate.barrier = barrier


def _coordinate(path):
    _coordinate.barrier.wait()
    return pem_files.load_or_create_key(path).public.x


class TestFaces:
    def test_known_thumbprint(self):
        assert crypto_jwk.thumbprint(PublicKey.from_coordinates(KNOWN_X, KNOWN_Y)) == KNOWN_THUMBPRINT

    def test_joserfc_agrees_on_thumbprints(self, tmp_path):
        key = pem_files.load_or_create_key(tmp_path / "a.pem").public
        assert ECKey.import_key(crypto_jwk.public_jwk(key, "k")).thumbprint() == crypto_jwk.thumbprint(key)

    def test_certificate_kid_and_access_kid(self, tmp_path):
        certificates = crypto_signer.certificate_signer(tmp_path / "c.pem", DID)
        access = crypto_signer.access_signer(tmp_path / "a.pem")
        assert certificates.kid == f"{DID}#{crypto_jwk.thumbprint(certificates.public)}"
        assert access.kid == crypto_jwk.thumbprint(access.public)
        assert certificates.public.x != access.public.x

    def test_signer_signs_with_its_kid(self, tmp_path):
        signer = crypto_signer.certificate_signer(tmp_path / "c.pem", DID)
        token = signer.sign({"a": 1}, typ="vc+jwt")
        assert jws.verify(token, typ="vc+jwt", keys={signer.kid: signer.public}).kid == signer.kid
        assert signer.public.x not in repr(signer)

    def test_a_token_verifies_with_joserfc_from_the_jwks_alone(self, tmp_path):
        signer = crypto_signer.certificate_signer(tmp_path / "c.pem", DID)
        document = json.dumps(crypto_jwk.build_jwks({signer.kid: signer.public}))
        found = deserialize_compact(
            signer.sign({"a": 1}, typ="vc+jwt"), KeySet.import_key_set(json.loads(document)), algorithms=["ES256"]
        )
        assert json.loads(found.payload) == {"a": 1}

    def test_public_jwk(self):
        # Small coordinates: the point with the smallest x on the curve needs its leading zeros.
        for private_value in (1, 2, 3, 90, 91):
            numbers = ec.derive_private_key(private_value, ec.SECP256R1()).public_key().public_numbers()
            x, y = (jws.encode_base64url(n.to_bytes(32)) for n in (numbers.x, numbers.y))
            jwk = crypto_jwk.public_jwk(PublicKey.from_coordinates(x, y), "k")
            assert jwk.keys() == {"kty", "crv", "x", "y", "alg", "use", "kid"}
            assert len(jwk["x"]) == len(jwk["y"]) == 43


class TestReadJwks:
    KEY = PublicKey.from_coordinates(KNOWN_X, KNOWN_Y)
    JWK = crypto_jwk.public_jwk(KEY, "k")

    def test_round_trip(self):
        document = json.dumps(crypto_jwk.build_jwks({"k": self.KEY})).encode()
        assert crypto_jwk.parse_jwks(document)["k"].x == KNOWN_X

    def test_other_kinds_are_passed_over(self):
        document = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "a"}, {"kty": "oct"}, self.JWK]}
        assert list(crypto_jwk.parse_jwks(json.dumps(document).encode())) == ["k"]

    @pytest.mark.parametrize(
        "members",
        [
            [JWK, JWK],
            [JWK | {"d": "AAAA"}],
            [JWK | {"kid": None}],
            [JWK | {"kid": ""}],
            [JWK | {"x": 1}],
            [JWK | {"x": KNOWN_Y}],
            [JWK | {"alg": "ES384"}],
            ["text"],
            None,
            {},
        ],
    )
    def test_refused(self, members):
        with pytest.raises(UnusableKey):
            crypto_jwk.parse_jwks(json.dumps({"keys": members}).encode())

    @pytest.mark.parametrize(
        "document", [b"", b"[]", b"null", b"\xff", b"{}", b'{"keys":[],"keys":[]}', b" " * 2_000_000]
    )
    def test_not_a_jwks(self, document):
        with pytest.raises(UnusableKey):
            crypto_jwk.parse_jwks(document)

    def test_from_jwk_wants_p256(self):
        with pytest.raises(UnusableKey, match="P-256"):
            crypto_jwk.parse_jwk(self.JWK | {"crv": "P-384"})


class TestStates:
    def test_every_pair(self):
        s, a = KeyState, KeyAction
        listed = {
            (s.NEXT, a.ACTIVATE): s.ACTIVE,
            (s.ACTIVE, a.RETIRE): s.RETIRED,
            (s.NEXT, a.COMPROMISE): s.COMPROMISED,
            (s.ACTIVE, a.COMPROMISE): s.COMPROMISED,
            (s.RETIRED, a.COMPROMISE): s.COMPROMISED,
        }
        for pair in product(KeyState, KeyAction):
            assert KEY_TRANSITIONS.get(pair) == listed.get(pair)

    def test_key_ring(self):
        public = PublicKey.from_coordinates(KNOWN_X, KNOWN_Y)
        ring = KeyRing.from_keys(
            KeyRecord(state.value, public, state, datetime(2026, 1, 1, tzinfo=UTC)) for state in KeyState
        )
        assert set(ring.by_kid) == {"next", "active", "retired", "compromised"}
        assert set(ring.may_have_signed) == {"active", "retired", "compromised"}
        assert [key["kid"] for key in ring.jwks()["keys"]] == ["next", "active", "retired"]
