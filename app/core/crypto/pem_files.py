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
    """A key file that must not be used; the message names it and states what to do."""

    code = "unsafe-key-file"


def load_or_create_key(path: Path) -> PrivateKey:
    """Load the key in this file, or create it. Workers that start concurrently all get the same key."""
    try:
        return load_key(path)
    except FileNotFoundError:
        write_private(path, create_private_key()[1])
        return load_key(path)


def load_or_create_secret(path: Path) -> bytes:
    """Load the 32 random bytes in this file, or create them; they encrypt secrets in the database."""
    try:
        return load_secret(path)
    except FileNotFoundError:
        write_private(path, secrets.token_hex(_SECRET_BYTES).encode())
        return load_secret(path)


def load_secret(path: Path) -> bytes:
    """Load the secret of an existing file. Raises FileNotFoundError, or `UnsafeKeyFile` for a wrong mode or content."""
    text = read_private_file(path)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a secret of this service.") from error
    if len(secret) != _SECRET_BYTES:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold {_SECRET_BYTES} bytes.")
    return secret


def load_key(path: Path) -> PrivateKey:
    """Load the P-256 key in this file. Raises FileNotFoundError, or `UnsafeKeyFile` for a wrong mode or content."""
    pem = read_private_file(path)
    try:
        return PrivateKey.from_pem(pem)
    except UnusableKey as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. {error.message}") from error


def read_private_file(path: Path) -> bytes:
    """Read a file that only its owner may access. Raises `UnsafeKeyFile` for other modes and file types."""
    try:
        # One descriptor for stat and read, so that the file cannot be exchanged. NONBLOCK: a pipe must not block.
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
    """Create a P-256 key; return it with its PEM text for a key file."""
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(encoding, form, serialization.NoEncryption())
    return PrivateKey.from_pem(pem), pem


def write_private(path: Path, content: bytes) -> None:
    """Write a new key file; an existing one stays. A key that loses this race has signed nothing."""
    try:
        write_once(path, content)
    except OSError as error:
        raise UnsafeKeyFile(f"No key file can be made at {path}: {error.strerror}.") from error
