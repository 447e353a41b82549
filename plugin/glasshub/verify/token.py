"""The token that carries an attestation: a compact JWS (RFC 7515), EdDSA with Ed25519 (RFC 8037) and nothing else."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWS
from jwt.exceptions import PyJWTError

from glasshub import clock
from glasshub.errors import Invalid
from glasshub.verify.claims import Claims, parse_claims
from glasshub.verify.keys import RunnerKey, public_bytes, thumbprint

ALGORITHM = "EdDSA"
TYPE = "eval-result+jwt"
MAX_CHARACTERS = 16_384
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HEADER = frozenset({"alg", "kid", "typ"})
_jws = PyJWS(algorithms=[ALGORITHM])


class Unknown(Invalid):
    """The token is of another kind, or signed by a key that is not in the set: nothing can be said about it."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """A token whose signature is right: what it says, and the key that signed it."""

    claims: Claims
    key: RunnerKey

    @property
    def issued_at(self) -> str:
        """When it says it was signed, as in :mod:`glasshub.clock`."""
        return clock.from_timestamp(self.claims.iat)


def sign(claims: Claims, key: Ed25519PrivateKey) -> str:
    """The token for these claims. The private key stays with the runner: the hub never calls this."""
    return _jws.encode(
        claims.to_json(), key, algorithm=ALGORITHM, headers={"kid": thumbprint(public_bytes(key)), "typ": TYPE}
    )


def check(token: str, keys: Mapping[str, RunnerKey]) -> Attestation:
    """Check a token's form and signature; neither whether the key counted then nor what the claims are bound to.

    Args:
        token: the untrusted text of ``verifyToken``.
        keys: the trusted keys by ``kid``.

    Raises:
        Unknown: another kind of token, or of an issuer whose key is not here.
        Invalid: it names a key that is here, and was not signed by it as it stands, or its claims are malformed.
    """
    header = read_header(token)
    key = keys.get(header["kid"])
    if key is None:
        raise Unknown("It was issued elsewhere: no runner of this hub has the key that it names.")
    try:
        payload = _jws.decode(token, key.key, algorithms=[ALGORITHM])
    except PyJWTError as error:
        raise Invalid("The signature does not fit: the token was changed after it was signed.") from error
    return Attestation(parse_claims(payload), key)


def read_header(token: str) -> dict[str, str]:
    """The header of a token of our kind, unchecked.

    Raises:
        Unknown: it is not a compact JWS with ``alg`` EdDSA, our ``typ``, a ``kid`` and no other member.
    """
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm != ALGORITHM:
        raise Unknown(f"It is signed with {str(algorithm)[:20]!r}; this hub checks {ALGORITHM} only.")
    if set(header) != _HEADER or header["typ"] != TYPE or not isinstance(header["kid"], str):
        raise Unknown(f"It is no attestation of this kind: the header must be alg, kid and typ {TYPE!r}.")
    return header


def read_claims(token: str) -> Claims:
    """What a token says that was checked before. Raises ``Invalid`` when it holds no claims."""
    return parse_claims(json.dumps(dict(peek_claims(token))).encode())


def peek(token: str) -> str:
    """The commit of the model that a token speaks of, unchecked (``""``: none can be read)."""
    return _peek(token, "model")


def peek_dataset(token: str) -> str:
    """The commit of the dataset that a token speaks of, unchecked (``""``: none can be read)."""
    return _peek(token, "dataset")


def peek_claims(token: str) -> Mapping[str, Any]:
    """What a token says, unchecked (``{}``: nothing can be read): for showing, never for believing."""
    try:
        said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    except (ValueError, LookupError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _peek(token: str, of: str) -> str:
    claims = peek_claims(token).get(of)
    commit = claims.get("sha") if isinstance(claims, dict) else None
    return commit if isinstance(commit, str) and _COMMIT.fullmatch(commit) else ""


def _header(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(token) > MAX_CHARACTERS or len(parts) != 3 or not token.isascii():
        raise Unknown("It is no compact JWS: three parts in base64url, joined by dots, were expected.")
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Unknown("It is no compact JWS: its header cannot be read.") from error
    if not isinstance(header, dict):
        raise Unknown("It is no compact JWS: its header is no object.")
    return header
