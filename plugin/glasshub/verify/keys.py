"""The keys of runners: Ed25519, published as a JSON Web Key Set (RFC 7517, RFC 8037), named by RFC 7638 thumbprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from glasshub.errors import Invalid

MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class RunnerKey:
    """A public key and when it counts: a token is covered if its ``iat`` lies in ``[not_before, revoked_at)``.

    Attributes:
        kid: the RFC 7638 thumbprint of the key.
        runner: the name of the runner that holds the private half.
        public: the 32 bytes of the public key.
        not_before: from when on it counts (:mod:`glasshub.clock`).
        revoked_at: from when on it does not (``""``: not revoked).
        reason: why it was revoked.
    """

    kid: str
    runner: str
    public: bytes
    not_before: str
    revoked_at: str = ""
    reason: str = ""

    @property
    def key(self) -> Ed25519PublicKey:
        """The key to check signatures with."""
        return Ed25519PublicKey.from_public_bytes(self.public)

    def covers(self, instant: str) -> bool:
        """Whether a token issued then is covered. Tokens tell whole seconds, so a window begins with its second."""
        return self.not_before[:19] <= instant[:19] and not (self.revoked_at and instant >= self.revoked_at)


def new_private_key() -> bytes:
    """A new private key as PEM (PKCS #8, unencrypted): keep the file readable by its owner only."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_private_key(pem: bytes) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises ``Invalid`` when there is none of the right kind."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("The file holds no private key. Make one with glasshub runner register.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("The private key is not Ed25519. Make one with glasshub runner register.")
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def thumbprint(public: bytes) -> str:
    """The ``kid`` of a public key of 32 bytes: base64url of the SHA-256 of its canonical JWK (RFC 7638)."""
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _encode(public)}, separators=(",", ":"))
    return _encode(hashlib.sha256(canonical.encode()).digest())


def to_jwks(keys: Iterable[RunnerKey]) -> dict[str, Any]:
    """The published key set. Beside the standard members each key tells runner, window and reason of revocation."""
    return {"keys": [_to_jwk(key) for key in keys]}


def parse_jwks(data: bytes) -> dict[str, RunnerKey]:
    """Read a published key set: ``kid`` -> key; keys of other kinds are passed over.

    Raises:
        Invalid: it is no key set, or a key of the right kind is malformed or its ``kid`` is not its thumbprint.
    """
    try:
        keys = json.loads(data)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid('This is no JSON Web Key Set: {"keys": [...]} was expected.') from error
    if not isinstance(keys, list) or len(keys) > MAX_KEYS or not all(isinstance(key, dict) for key in keys):
        raise Invalid(f"keys must be a list of at most {MAX_KEYS:,} JSON Web Keys.")
    ours = [_from_jwk(key) for key in keys if (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519")]
    return {key.kid: key for key in ours}


def decode_public(text: str) -> bytes:
    """The 32 bytes of a public key in base64url. Raises ``Invalid`` when it is not one."""
    try:
        public = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        Ed25519PublicKey.from_public_bytes(public)
    except (ValueError, binascii.Error) as error:
        raise Invalid("This is no Ed25519 public key: 32 bytes in base64url were expected.") from error
    return public


def encode_public(public: bytes) -> str:
    """The 32 bytes of a public key in base64url, as a hub takes them."""
    return _encode(public)


def _to_jwk(key: RunnerKey) -> dict[str, Any]:
    said = {
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": _encode(key.public),
        "runner": key.runner, "not_before": key.not_before, "revoked_at": key.revoked_at, "reason": key.reason,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _from_jwk(said: Mapping[str, Any]) -> RunnerKey:
    texts = {name: said.get(name, "") for name in ("kid", "x", "runner", "not_before", "revoked_at", "reason")}
    if not all(isinstance(value, str) for value in texts.values()) or "d" in said:
        raise Invalid("A key of the set is malformed: its members must be text, and it must hold no private half.")
    public = decode_public(texts["x"])
    if texts["kid"] != thumbprint(public):
        raise Invalid(f"The key {texts['kid']!r} is named wrongly: kid must be the key's RFC 7638 thumbprint.")
    return RunnerKey(texts["kid"], texts["runner"], public, texts["not_before"], texts["revoked_at"], texts["reason"])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
