"""Encode JSON in one canonical form and hash it: sorted keys, no spaces, ASCII. Pure."""

import hashlib
import json
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical_json(value: Any) -> str:
    """Encode a value as JSON with sorted keys and no spaces, in ASCII, so that any text can be encoded and hashed."""
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """Hash the canonical JSON of a value with SHA-256; lower-case hex."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()
