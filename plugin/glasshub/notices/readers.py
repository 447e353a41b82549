"""Who may still read what they asked to be told of."""

from __future__ import annotations

from glasshub import access, accounts
from glasshub.errors import AccountNotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo


def actor_of(hub: Hub, account: str) -> Actor | None:
    """The actor of a user as they are now; ``None`` when there is no such user or they are shut out."""
    try:
        found = accounts.find(hub, account)
        return None if found.disabled else accounts.actor_for(hub, found.name)
    except AccountNotFound:
        return None


def may_read(hub: Hub, account: str, repo: Repo) -> bool:
    """Whether a user may read a repo now."""
    actor = actor_of(hub, account)
    return actor is not None and access.may_read(actor, repo)
