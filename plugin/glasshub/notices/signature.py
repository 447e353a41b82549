"""How receivers know that a delivery is the hub's: an HMAC over time and body, by the secret that both know."""

from __future__ import annotations

import hashlib
import hmac

SIGNATURE = "X-Glasshub-Signature-256"
TIMESTAMP = "X-Glasshub-Timestamp"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header: ``sha256=`` and the HMAC-SHA-256 of ``timestamp.body`` in hex."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"
