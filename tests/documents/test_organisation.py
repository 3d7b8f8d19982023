"""Who signs: the demo's own, or files, refused in words when they cannot be used."""

import threading
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.core.settings import Profile, Settings
from app.documents.pdf import signing_certificate
from app.documents.pdf.signing_certificate import PdfSigningUnavailable, UnusablePdfKey
from tests.documents.authority import NOW, Authority, pem

AUTHORITY = Authority()
KEY = ec.generate_private_key(ec.SECP256R1())
GOOD = AUTHORITY.certify(KEY, "Signer", usage={"digital_signature": True})
SHORT = rsa.generate_private_key(65_537, 1_024)


def files(folder, secret, public):
    (folder / "key.pem").write_bytes(secret)
    (folder / "key.pem").chmod(0o600)
    (folder / "certificates.pem").write_bytes(public)
    return folder / "key.pem", folder / "certificates.pem"


def certified(**how):
    return pem(AUTHORITY.certify(KEY, "Signer", **how), AUTHORITY.certificate)


def encrypted():
    return KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )


def test_a_good_pair(tmp_path):
    for public in (
        certified(usage={"digital_signature": True}),
        certified(usage={"content_commitment": True}),
        certified(),
    ):
        loaded = signing_certificate.load_identity(*files(tmp_path, pem(KEY), public), NOW)
        assert loaded.certificate.subject.rfc4514_string() == "CN=Signer"
        assert len(loaded.fingerprint) == 64
        loaded.require_valid(NOW)
    assert "PRIVATE" not in repr(loaded) and "key" not in repr(loaded)


def test_an_organisation_may_be_its_own_authority(tmp_path):
    alone = Authority("Alone")
    made = signing_certificate.load_identity(*files(tmp_path, pem(alone.key), pem(own_signature(alone))), NOW)
    assert len(made.certificates) == 1


def own_signature(authority):
    return authority.certify(authority.key, "Alone", own_name="Alone", usage={"digital_signature": True})


WRONG = {
    "no PEM": (b"nothing", b"nothing", "PEM"),
    "encrypted": (encrypted(), pem(GOOD, AUTHORITY.certificate), "unencrypted"),
    "no certificate": (pem(KEY), pem(KEY), "PEM"),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate()), pem(GOOD), "must be EC"),
    "short RSA": (pem(SHORT), pem(AUTHORITY.certify(SHORT, "x")), "2048 bits"),
    "another key": (pem(ec.generate_private_key(ec.SECP256R1())), pem(GOOD, AUTHORITY.certificate), "another key"),
    "expired": (pem(KEY), certified(end=-1), "expired on"),
    "not yet": (pem(KEY), certified(begin=1), "valid only from"),
    "for other use": (pem(KEY), certified(usage={"key_encipherment": True}), "key usage"),
    "without its issuer": (pem(KEY), pem(GOOD), "its issuer"),
    "with another issuer": (pem(KEY), pem(GOOD, Authority().certificate, Authority("Other").certificate), "its issuer"),
}


@pytest.mark.parametrize(("secret", "public", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_used(tmp_path, secret, public, why):
    with pytest.raises(UnusablePdfKey, match=why):
        signing_certificate.load_identity(*files(tmp_path, secret, public), NOW)


def test_files_that_are_not_there_or_that_others_may_read(tmp_path):
    key, certificates = files(tmp_path, pem(KEY), pem(GOOD, AUTHORITY.certificate))
    with pytest.raises(UnusablePdfKey, match="MIK_PAPER_KEY"):
        signing_certificate.load_identity(tmp_path / "none.pem", certificates, NOW)
    with pytest.raises(UnusablePdfKey, match="MIK_PAPER_CERTIFICATES"):
        signing_certificate.load_identity(key, tmp_path / "none.pem", NOW)
    key.chmod(0o644)
    with pytest.raises(UnusablePdfKey, match="chmod 600"):
        signing_certificate.load_identity(key, certificates, NOW)


def test_a_running_service_meets_the_end_of_its_certificate(tmp_path):
    made = signing_certificate.load_or_create_demo(tmp_path / "k" / "demo.pem", NOW)
    with pytest.raises(PdfSigningUnavailable, match="expired on"):
        made.require_valid(NOW + timedelta(days=3_660))
    with pytest.raises(PdfSigningUnavailable, match="valid only from"):
        made.require_valid(NOW - timedelta(days=2))


def test_the_demo_makes_its_own_once(tmp_path):
    path = tmp_path / "keys" / "demo.pem"
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(signing_certificate.load_or_create_demo(path, NOW)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.fingerprint for each in made}) == 1 and len(made) == 6
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes().count(b"PRIVATE KEY-----") == 2  # one key: the authority's was thrown away


def test_by_settings(tmp_path):
    key, certificates = files(tmp_path, pem(KEY), pem(GOOD, AUTHORITY.certificate))
    data = tmp_path / "data"

    def chosen(**given):
        return signing_certificate.identity_from_settings(Settings.model_construct(data_dir=data, **given), NOW)

    assert chosen(profile=Profile.DEMO).certificate.subject.rfc4514_string().startswith("CN=Demo signer")
    assert chosen(profile=Profile.PRODUCTION) is None
    for profile in Profile:
        named = chosen(profile=profile, paper_key=str(key), paper_certificates=str(certificates))
        assert named.certificate == GOOD
        for half in ({"paper_key": str(key)}, {"paper_certificates": str(certificates)}):
            with pytest.raises(UnusablePdfKey, match="go together"):
                chosen(profile=profile, **half)


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example/", "https://"])
def test_a_time_stamp_server_has_an_address(url):
    with pytest.raises(ValueError, match="MIK_TIMESTAMP_URL"):
        Settings(timestamp_url=url)
