"""Sign webhooks as Standard Webhooks defines it: HMAC-SHA-256 over id, time and body, by each valid secret. Pure."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 (the prefix of every secret, no secret)
SECRET_BYTES = 32


def format_secret(key: bytes) -> str:
    """Return a secret as its owner stores it. `key`: `SECRET_BYTES` at random."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def sign_headers(secrets: Sequence[str], message_id: str, body: str, now: datetime) -> dict[str, str]:
    """Return the headers of a signed request. Several secrets: each signs, so that one of them may be exchanged."""
    moment = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(msg_id=message_id, timestamp=moment, data=body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
