"""A token is checked strictly: what was signed is what is believed, and nothing else gets that far."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from glasshub.errors import Invalid
from glasshub.verify import token
from glasshub.verify.claims import parse_claims
from glasshub.verify.keys import decode_public, load_private_key, parse_jwks, public_bytes, thumbprint, to_jwks
from glasshub.verify.token import Unknown
from tests.verify.statements import claims, new_key, said


def part(data: object) -> str:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(private, header: object, payload: object) -> str:
    """A token with any header, really signed."""
    text = f"{part(header)}.{part(payload)}"
    return f"{text}.{part(private.sign(text.encode()))}"


def test_what_was_signed_is_read_back():
    private, key = new_key()
    checked = token.check(token.sign(claims(), private), {key.kid: key})
    assert (checked.claims, checked.key) == (claims(), key)


def test_a_token_fits_into_a_result_file():
    private, _ = new_key()
    assert len(token.sign(claims(), private)) < 3_000


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256"}, {"alg": "Ed448"}, {"typ": "JWT"}, {"kid": "unknown"},
        {"kid": 7}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"jwk": {}}, {"jku": "http://127.0.0.1/keys"},
    ],
    ids=str,
)  # fmt: skip
def test_a_header_of_another_kind_is_unknown(change):
    private, key = new_key()
    header = {"alg": "EdDSA", "kid": key.kid, "typ": token.TYPE} | change
    with pytest.raises(Unknown):
        token.check(signed(private, header, said()), {key.kid: key})


def test_a_public_key_is_no_secret_to_sign_with():
    _, key = new_key()
    text = f"{part({'alg': 'HS256', 'kid': key.kid, 'typ': token.TYPE})}.{part(said())}"
    forged = f"{text}.{part(hmac.digest(key.public, text.encode(), hashlib.sha256))}"
    with pytest.raises(Unknown):
        token.check(forged, {key.kid: key})


def test_a_changed_value_breaks_the_signature():
    private, key = new_key()
    head, _, signature = token.sign(claims(), private).split(".")
    with pytest.raises(Invalid, match="changed after it was signed"):
        token.check(f"{head}.{part(said(value=0.751))}.{signature}", {key.kid: key})


def test_another_key_cannot_sign_under_this_kid():
    private, key = new_key()
    other, _ = new_key()
    header = {"alg": "EdDSA", "kid": key.kid, "typ": token.TYPE}
    with pytest.raises(Invalid):
        token.check(signed(other, header, said()), {key.kid: key})
    assert token.check(signed(private, header, said()), {key.kid: key})


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c.d", "é.b.c", "e30.e30.", "!!!.e30.e30", "W10.e30.e30", "x" * 20_000]
)
def test_what_is_no_token_is_unknown(text):
    with pytest.raises(Unknown):
        token.check(text, {})


@pytest.mark.parametrize(
    "change",
    [
        {"value": "0.75"}, {"value": True}, {"n_items": 59}, {"n_items": 0}, {"stderr": -0.1}, {"attempt": 0},
        {"sub": "models/mara/other@" + "a" * 40}, {"model__sha": "A" * 40}, {"model__served": "magic"},
        {"iss": "ftp://x"}, {"jti": "1"}, {"schema": 2}, {"exp": 1}, {"model__extra": 1}, {"gen": {"stop": []}},
        {"metric__direction": "up"}, {"iat": 1.5}, {"runner": None}, {"started_at": "yesterday"},
    ],
    ids=str,
)  # fmt: skip
def test_claims_that_are_not_as_they_must_be_are_refused(change):
    private, key = new_key()
    header = {"alg": "EdDSA", "kid": key.kid, "typ": token.TYPE}
    with pytest.raises(Invalid, match="schema"):
        token.check(signed(private, header, said(**change)), {key.kid: key})


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"iss": 1, "iss": 2}', b'{"value": NaN}', b"\xff", b"[" * 50_000])
def test_claims_that_are_no_plain_object_are_refused(data):
    with pytest.raises(Invalid):
        parse_claims(data)


def test_every_claim_is_required_but_those_that_may_be_unknown():
    optional = {"stderr", "judge"}
    for name in said():
        left = {key: value for key, value in said().items() if key != name}
        if name in optional:
            assert parse_claims(json.dumps(left).encode())
        else:
            with pytest.raises(Invalid, match=name):
                parse_claims(json.dumps(left).encode())


def test_a_published_key_set_reads_back():
    keys = [new_key()[1], new_key("bench-2", revoked_at="2026-06-01T00:00:00.000Z", reason="lost")[1]]
    assert list(parse_jwks(json.dumps(to_jwks(keys)).encode()).values()) == keys


def test_a_key_is_named_by_its_thumbprint():
    # The example of RFC 8037, appendix A.3.
    assert thumbprint(decode_public("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")) == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}']
)
def test_what_is_no_key_set_is_refused(data):
    with pytest.raises(Invalid):
        parse_jwks(data)


def test_a_key_under_another_name_or_with_its_private_half_is_refused():
    (jwk,) = to_jwks([new_key()[1]])["keys"]
    for change in ({"kid": "mine"}, {"d": "secret"}):
        with pytest.raises(Invalid):
            parse_jwks(json.dumps({"keys": [jwk | change]}).encode())


def test_only_ed25519_signs():
    with pytest.raises(Invalid, match="no private key"):
        load_private_key(b"nonsense")
    assert len(public_bytes(new_key()[0])) == 32
