"""Signing in a program that has no browser (RFC 8628), as ``hf auth login`` does. Use cases.

It shows a code, and whoever is signed in on another screen approves it.

All that is needed lies in the registry, so any process of the hub answers any step, also after a crash.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from glasshub import clock, credentials, names
from glasshub.credentials import digest
from glasshub.errors import Busy, NotFound, TooManyRequests
from glasshub.hub import Hub
from glasshub.registry import device_codes as rows
from glasshub.registry import people

SECONDS = 900
INTERVAL = 5
ACCESS_DAYS = 30
REFRESH_DAYS = 90
_LOST_ANSWER = timedelta(seconds=60)  # whoever renews again so soon has not got the answer
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; 20 to the power of 8 codes
_MOST_WAITING = 10_000
_TOLD_OF_EXPIRY = timedelta(
    minutes=10
)  # so long a program hears that its login has expired rather than that there is none
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Started:
    """A login that waits: ``device_code`` is the program's secret, ``user_code`` what it shows."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A login as the person who is to approve it sees it: what asks, from where, since when."""

    program: str
    address: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Given:
    """The tokens that a program gets; the first lives ``seconds``."""

    access_token: str
    refresh_token: str
    seconds: int = ACCESS_DAYS * 24 * 3600


@dataclass(frozen=True, slots=True)
class Refused:
    """Why it gets none (now): an error of OAuth, and a sentence."""

    reason: str
    message: str


_NO_GRANT = Refused("invalid_grant", "This login has ended or was revoked. Log in again.")


def start(hub: Hub, *, client: str, program: str, address: str) -> Started:
    """Begin a login.

    Args:
        hub: the hub.
        client: the id by which the program calls itself; it must come back with the same.
        program: what it says of itself, for the person who approves.
        address: where it asks from, likewise.

    Raises:
        TooManyRequests: very many logins are under way.
    """
    device_code, user_code = secrets.token_urlsafe(32), "".join(secrets.choice(_LETTERS) for _ in range(8))
    moment = datetime.now(UTC)
    values = {
        "digest": digest(device_code),
        "user_digest": digest(user_code),
        "client": client,
        "program": names.label(program),
        "address": address,
        "created_at": clock.iso(moment),
        "expires_at": clock.iso(moment + timedelta(seconds=SECONDS)),
        "polled_at": "",
        "state": "pending",
        "account": None,
    }
    with hub.registry.write() as db:
        rows.add(db, values, expired_by=clock.iso(moment - _TOLD_OF_EXPIRY))
        if rows.count(db) > _MOST_WAITING:
            raise TooManyRequests("Too many logins are under way on this hub. Wait a few minutes and try again.")
    return Started(device_code, f"{user_code[:4]}-{user_code[4:]}")


def waiting(hub: Hub, user_code: str) -> Waiting:
    """The login that shows this code (in any case, with or without the dash). Raises ``NotFound``."""
    with hub.registry.read() as db:
        row = rows.pending(db, _user_digest(user_code), now=clock.now())
    if row is None:
        raise _unknown()
    return Waiting(row["program"], row["address"], row["created_at"])


def decide(hub: Hub, user: str, user_code: str, *, approve: bool) -> None:
    """Let the program that shows this code act as ``user``, or not. Raises ``NotFound`` when none waits."""
    with hub.registry.write() as db:
        account = people.require_user(db, user)
        state = "approved" if approve else "denied"
        if not rows.decide(db, _user_digest(user_code), state=state, account=account.name, now=clock.now()):
            raise _unknown()


def redeem(hub: Hub, device_code: str, client: str) -> Given | Refused:
    """What a program gets that asks whether its login is approved: tokens, once, or the reason to wait or give up."""
    key, moment = digest(device_code[:_MOST_CHARACTERS]), clock.now()
    with hub.registry.read() as db:
        row = rows.by_device(db, key)
    if row is None or row["client"] != client:
        return Refused("invalid_grant", "There is no such login. It may be over already; log in again.")
    if row["expires_at"] <= moment:
        return Refused("expired_token", "Nobody approved the login in time. Log in again.")
    if row["state"] == "denied":
        return Refused("access_denied", "The login was denied.")
    if row["state"] == "approved":
        return _give_once(hub, key, row)
    if row["polled_at"] > clock.iso(datetime.now(UTC) - timedelta(seconds=INTERVAL - 1)):
        return Refused("slow_down", f"Ask every {INTERVAL} seconds.")
    with suppress(Busy), hub.registry.write() as db:
        rows.touch(db, key, moment)
    return Refused("authorization_pending", "The login waits for approval in a browser.")


def refresh(hub: Hub, refresh_token: str, client: str) -> Given | Refused:
    """New tokens for one that renews; it is good once.

    One that comes again within a minute is answered again: the first answer was lost. Later it is a stolen one or its
    victim's, and nobody can tell which: the whole login ends.
    """
    key, now = digest(refresh_token[:_MOST_CHARACTERS]), datetime.now(UTC)
    with hub.registry.write() as db:
        row = rows.refresh(db, key)
        if row is None or row["client"] != client or row["expires_at"] <= clock.iso(now):
            return _NO_GRANT
        if row["used_at"] and row["used_at"] < clock.iso(now - _LOST_ANSWER):
            rows.end_family(db, row["family"])
            return _NO_GRANT
        rows.use_refresh(db, key, clock.iso(now))
        given = _give(db, row["account"], row["name"], row["family"], client)
        rows.end_family(db, row["family"], expired_by=clock.iso(now))
    return given or _NO_GRANT


def _give_once(hub: Hub, key: str, row: dict[str, Any]) -> Given | Refused:
    family = secrets.token_hex(8)
    with hub.registry.write() as db:
        taken = rows.take(db, key)
        given = _give(db, row["account"], f"oauth-{family[:6]}", family, row["client"]) if taken else None
    return given or Refused("access_denied", "The login was used already, or its account was closed.")


def _give(db: Connection, user: str, name: str, family: str, client: str) -> Given | None:
    """Make tokens; none for an account that is shut out."""
    account = people.find(db, user)
    if account is None or account.disabled:
        return None
    secret, info = credentials.issue_token(db, user, name=name, scope="write", days=ACCESS_DAYS)
    refresh_token = secrets.token_urlsafe(32)
    expires = clock.iso(datetime.now(UTC) + timedelta(days=REFRESH_DAYS))
    values = {"digest": digest(refresh_token), "token": info.id, "family": family, "client": client}
    rows.add_refresh(db, {**values, "expires_at": expires, "used_at": ""})
    return Given(secret, refresh_token)


def _user_digest(user_code: str) -> str:
    letters = "".join(character for character in user_code[:_MOST_CHARACTERS].upper() if character.isalnum())
    return digest(letters)


def _unknown() -> NotFound:
    return NotFound("No login waits for this code. Check it; if it is more than 15 minutes old, start the login again.")
