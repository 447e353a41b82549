"""Gated repos: whose files are for people who asked, and were let in. Rules and use cases.

:func:`require_files` is the one place that decides whether somebody gets at the content of files; everything that
gives content goes through it (docs/security.md lists what does).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from glasshub import access, accounts, clock
from glasshub.access import Action
from glasshub.errors import AccountNotFound, Conflict, Forbidden, Invalid, NotFound
from glasshub.gate_form import GateForm, answers
from glasshub.hub import Hub
from glasshub.identity import ANONYMOUS, Actor, Repo, Role
from glasshub.registry import gates as rows
from glasshub.registry import people
from glasshub.registry import repos as repo_rows
from glasshub.registry.gates import STATUSES, AccessRequest, Status

__all__ = [
    "STATUSES",
    "AccessRequest",
    "Status",
    "ask",
    "counts",
    "grant",
    "handle",
    "listing",
    "may_read_files",
    "request_of",
    "require_files",
    "require_still",
    "withdraw",
]

MOST_REASON = 1_000
_REJECTED = "Your request for access was rejected"


def may_read_files(hub: Hub, actor: Actor, repo: Repo) -> bool:
    """Whether the actor gets at the content of the repo's files now."""
    if access.may_read_files(actor, repo):
        return True
    found = request_of(hub, actor, repo)
    return access.may_read_files(actor, repo, let_in=found is not None and found.status == "accepted")


def require_files(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Return if the actor gets at the content of the repo's files now.

    Raises:
        RepoNotFound: the repo is private and not for this actor.
        GatedRepoSignIn: nobody is signed in.
        GatedRepo: they have not asked, or wait for an answer, or were rejected.
    """
    if may_read_files(hub, actor, repo):
        return
    if not access.may_read(actor, repo):
        raise access.repo_not_found(repo.repo_id)
    raise access.gated(actor, repo, _why(repo, request_of(hub, actor, repo)))


def require_still(hub: Hub, name: str, repo: Repo) -> None:
    """As :func:`require_files`, for whom (``""``: nobody known) an address or a token was given out a while ago."""
    if repo.gated or repo.private:
        require_files(hub, _person(hub, name), repo)


def request_of(hub: Hub, actor: Actor, repo: Repo) -> AccessRequest | None:
    """The actor's own request for access, whether or not the repo is gated now."""
    if actor.name is None:
        return None
    with hub.registry.read() as db:
        return rows.find(db, repo.key, actor.name)


def ask(hub: Hub, actor: Actor, repo: Repo, form: GateForm, given: Mapping[str, str], *, terms: str) -> AccessRequest:
    """Ask for access; where the repo is gated ``auto``, it is given at once.

    Args:
        hub: the hub.
        actor: who asks.
        repo: for what.
        form: what the repo wants to know.
        given: what the asker filled in, by the names of its fields.
        terms: the commit whose card they agreed to.

    Raises:
        Unauthenticated, Forbidden, RepoNotFound: as the permission table says; or they were rejected before.
        Invalid: the repo is not gated, or something in the form is wrong.
        Conflict: they have access already, or have asked already.
    """
    access.require(actor, Action.DISCUSS, repo)
    fields = answers(form, given)
    with hub.registry.write() as db:
        current, before = _gated(db, repo), rows.find(db, repo.key, actor.name or "")
        if access.may_read_files(actor, current) or (before is not None and before.status == "accepted"):
            raise Conflict(f"You have access to {repo.repo_id} already.")
        if before is not None and before.status == "rejected":
            raise Forbidden(f"{_REJECTED}. Its writers can still accept it.")
        if before is not None and current.gated == "manual":
            raise Conflict("You have asked already. Wait for a decision.")
        status: Status = "accepted" if current.gated == "auto" else "pending"
        now = clock.now()
        made = AccessRequest(
            before.id if before else secrets.token_hex(12), repo.key, actor.name or "", "", status, fields, terms, now,
            now if status == "accepted" else "",
        )  # fmt: skip
        rows.put(db, made, seen=True)
        return made


def withdraw(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Take one's own request back while nobody has decided it. Raises ``NotFound`` when there is none."""
    access.require(actor, Action.DISCUSS, repo)
    with hub.registry.write() as db:
        if not rows.withdraw(db, repo.key, actor.name or ""):
            raise NotFound("There is no request of yours that waits for a decision.")


def listing(
    hub: Hub, actor: Actor, repo: Repo, status: Status, *, skip: int = 0, limit: int = 1000
) -> list[AccessRequest]:
    """Who asked for access, newest first; for those who may write to the repo.

    Raises:
        Invalid: the repo is not gated.
        Unauthenticated, Forbidden, RepoNotFound: as the permission table says.
    """
    access.require(actor, Action.WRITE, repo)
    with hub.registry.read() as db:
        _gated(db, repo)
        return rows.listing(db, repo.key, status, skip=skip, limit=limit)


def counts(hub: Hub, repo: Repo) -> dict[Status, int]:
    """How many requests of each status there are. The caller has checked that the reader may write to the repo."""
    with hub.registry.read() as db:
        return rows.counts(db, repo.key)


def handle(
    hub: Hub, actor: Actor, repo: Repo, status: Status, *, user: str = "", id: str = "", reason: str = ""
) -> AccessRequest:
    """Accept a request, reject it, or put it back to ``pending``; who is not accepted loses access at once.

    Args:
        hub: the hub.
        actor: who decides: one who may write to the repo.
        repo: which repo.
        status: what the request is to be.
        user: whose request, or
        id: which one.
        reason: of a rejection, for the asker to read.

    Raises:
        Invalid: the repo is not gated, or the reason is too long or not for a rejection.
        AccountNotFound: no such user.
        NotFound: no such request, or it is that already.
        Unauthenticated, Forbidden, RepoNotFound: as the permission table says.
    """
    reason = reason.strip()
    if len(reason) > MOST_REASON or (reason and status != "rejected"):
        raise Invalid(f"Only a rejection has a reason, of at most {MOST_REASON:,} characters.")
    with hub.registry.write() as db:
        current = _gated(db, repo)
        access.require(actor, Action.WRITE, current)
        named = people.require_user(db, user).name if user else ""
        found = rows.find(db, repo.key, named) if user else rows.by_id(db, repo.key, id)
        if found is None:
            raise NotFound(f"There is no request for access to {repo.repo_id} of that name. They have not asked.")
        if found.status == status:
            raise NotFound(f"The request of {found.user} is {status} already.")
        decided = replace(found, status=status, decided_at=clock.now(), decided_by=actor.name or "", reason=reason)
        rows.put(db, decided, seen=status == "pending")
        return decided


def grant(hub: Hub, actor: Actor, repo: Repo, user: str) -> AccessRequest:
    """Let a user in, whether or not they asked.

    Raises:
        Invalid: the repo is not gated, or they have access already.
        AccountNotFound: no such user.
        Unauthenticated, Forbidden, RepoNotFound: as the permission table says.
    """
    with hub.registry.write() as db:
        current = _gated(db, repo)
        access.require(actor, Action.WRITE, current)
        account = people.require_user(db, user)
        before = rows.find(db, repo.key, account.name)
        roles = {**people.roles(db, account.name), account.name.lower(): Role.ADMIN}
        member = access.may_read_files(Actor(account.name, roles, account.is_admin), current)
        if member or (before is not None and before.status == "accepted"):
            raise Invalid(f"{account.name} has access to {repo.repo_id} already.")
        now = clock.now()
        fresh = AccessRequest(secrets.token_hex(12), repo.key, account.name, "", "accepted", {}, "", now)
        made = replace(before or fresh, status="accepted", decided_at=now, decided_by=actor.name or "", reason="")
        rows.put(db, made, seen=False)
        return made


def _gated(db: Connection, repo: Repo) -> Repo:
    """The repo as it is now. Raises ``Invalid`` when it is not gated."""
    current = repo_rows.by_key(db, repo.key)
    if current is None:
        raise access.repo_not_found(repo.repo_id)
    if not current.gated:
        raise Invalid(f"{current.repo_id} is not gated: everybody who may see it reads its files.")
    return current


def _person(hub: Hub, name: str) -> Actor:
    try:
        found = accounts.find(hub, name) if name else None
        return ANONYMOUS if found is None or found.disabled else accounts.actor_for(hub, found.name)
    except AccountNotFound:
        return ANONYMOUS


def _why(repo: Repo, found: AccessRequest | None) -> str:
    if found is None:
        return ""
    if found.status == "rejected":
        return f"{_REJECTED}{f': {found.reason}' if found.reason else ' by its writers.'}"
    if found.status == "accepted":
        return f"This token is limited to other repos. Use one that may read {repo.repo_id}."
    return "Your request waits for a decision." if repo.gated == "manual" else ""
