"""What the tests of papers share: a key and a stamp."""

from datetime import date

from app.documents.stamp import Stamp
from app.jws import PrivateKey
from app.keys import FileSigner, did_kid

DID = "did:web:mark.example"
PEM = b"""-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpSM4og0FLiBP/doR
EvjshfllOxsZ7tUeDYP65osx0fmhRANCAASEva4ir/8rS22FxDHsvzyU/A7nvb89
mJBbXADR9ZlyDI6SdbLnr8QahsfNX7hiFuB3YBXjBheMkjqtLthJoueD
-----END PRIVATE KEY-----
"""
"""A key of the tests only."""
STAMP = Stamp(
    number="MIK-2026-000042-Y",
    holder="Nümunə-Boru MMC",
    product="Welded steel tube",
    hs6="730630",
    valid_from=date(2026, 11, 22),
    valid_until=date(2029, 11, 21),
    list_id=1,
    index=4711,
)


def signer_of(pem):
    key = PrivateKey.from_pem(pem)
    return FileSigner(did_kid(DID, key.public), key)
