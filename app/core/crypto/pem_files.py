"""Read and create private key files: mode 600, never overwritten."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core.crypto.jws import PrivateKey, UnusableKey
from app.core.errors import UnsafeToStart
from app.core.files import write_once

_MAX_KEY_FILE_BYTES = 16_384
_SECRET_BYTES = 32


class UnsafeKeyFile(UnsafeToStart):
    """A key file that must not be used; the message names it and says what to do."""

    code = "unsafe-key-file"


def load_or_create_key(path: Path) -> PrivateKey:
    """The key in this file; made now where there is none. Workers that start at once all get the same key."""
    try:
        return load_key(path)
    except FileNotFoundError:
        write_private(path, create_private_key()[1])
        return load_key(path)


def load_or_create_secret(path: Path) -> bytes:
    """The 32 random bytes in this file, for what is sealed in the database; made on first use like the other keys."""
    try:
        return load_secret(path)
    except FileNotFoundError:
        write_private(path, secrets.token_hex(_SECRET_BYTES).encode())
        return load_secret(path)


def load_secret(path: Path) -> bytes:
    """The same without making one. Raises FileNotFoundError, or UnsafeKeyFile for a wrong mode or content."""
    text = read_private_file(path)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a secret of ours.") from error
    if len(secret) != _SECRET_BYTES:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold {_SECRET_BYTES} bytes.")
    return secret


def load_key(path: Path) -> PrivateKey:
    """The P-256 key in this file. Raises FileNotFoundError, or UnsafeKeyFile where its mode or content is not right."""
    pem = read_private_file(path)
    try:
        return PrivateKey.from_pem(pem)
    except UnusableKey as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. {error.message}") from error


def read_private_file(path: Path) -> bytes:
    """The content of a file that nobody but its owner may use."""
    try:
        # One descriptor for look and read: the file cannot be exchanged in between. NONBLOCK: a pipe must not hang us.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeKeyFile(f"The key file {path} cannot be read: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        mode = stat.S_IMODE(status.st_mode)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeKeyFile(f"The key file {path} is not a regular file.")
        if mode & 0o077:
            raise UnsafeKeyFile(
                f"The key file {path} has mode {mode:04o}: others than its owner may use it. Run: chmod 600 {path}"
            )
        return os.read(descriptor, _MAX_KEY_FILE_BYTES)
    finally:
        os.close(descriptor)


def create_private_key() -> tuple[PrivateKey, bytes]:
    """A new P-256 key, and its PEM text for a key file."""
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(encoding, form, serialization.NoEncryption())
    return PrivateKey.from_pem(pem), pem


def write_private(path: Path, content: bytes) -> None:
    """Write a new key file; where there is one already, it stays. Losing that race is fine: the key of the loser has
    signed nothing."""
    try:
        write_once(path, content)
    except OSError as error:
        raise UnsafeKeyFile(f"No key file can be made at {path}: {error.strerror}.") from error
