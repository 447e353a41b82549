"""The permission table: who may do what to a repo. Pure; the only place that decides.

``TABLE`` is design and code at once: rows are actions, values say what they need. Everything else in
this module only works out which column an actor stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from glasshub.errors import Forbidden, GatedRepo, GatedRepoSignIn, RepoNotFound, Unauthenticated
from glasshub.identity import Actor, Repo, Role
from glasshub.names import HUB


class Standing(Enum):
    """The column of the table: how an actor stands to one repo (and to one thing in it)."""

    ANONYMOUS = "anonymous"
    SIGNED_IN = "any signed-in user"
    LET_IN = "reader of a gated repo: a member of its namespace, or somebody whose request was accepted"
    AUTHOR = "author of the pull request, discussion or comment"
    WRITER = "repo writer"
    ADMIN = "admin"


class Action(Enum):
    """The row of the table: what somebody wants to do."""

    READ = "see this repo: its card, file names, history, discussions and scores"
    READ_FILES = "read the files of this repo, clone and fetch it"
    DISCUSS = "open a pull request or discussion, comment, submit a score"
    LIKE = "like this repo"
    PUSH_PULL = "push to this pull request"
    EDIT_OWN = "close or edit this pull request, discussion or comment"
    WRITE = "push to this repo or moderate it"
    ADMINISTER = "change the settings of this repo, move or delete it"


_ALL = frozenset(Standing)
_SIGNED_IN = _ALL - {Standing.ANONYMOUS}
_READERS = frozenset({Standing.LET_IN, Standing.WRITER, Standing.ADMIN})
_AUTHORS = frozenset({Standing.AUTHOR, Standing.WRITER, Standing.ADMIN})
_WRITERS = frozenset({Standing.WRITER, Standing.ADMIN})

TABLE: dict[Action, frozenset[Standing]] = {
    Action.READ: _ALL,
    Action.READ_FILES: _READERS,  # of a gated repo; of any other, whoever may READ
    Action.DISCUSS: _SIGNED_IN,
    Action.LIKE: _SIGNED_IN,
    Action.PUSH_PULL: _AUTHORS,
    Action.EDIT_OWN: _AUTHORS,
    Action.WRITE: _WRITERS,
    Action.ADMINISTER: frozenset({Standing.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which private repos a reader may see; the index turns it into a WHERE clause.

    ``namespaces`` are lower-cased; ``everything`` is for hub admins; ``only_repos`` are repo keys.
    """

    everything: bool = False
    namespaces: tuple[str, ...] = ()
    only_repos: tuple[str, ...] | None = None


def role_on(actor: Actor, namespace: str) -> Role:
    """The actor's role in a namespace (hub admins are ADMIN everywhere)."""
    if actor.is_hub_admin:
        return Role.ADMIN
    return actor.roles.get(namespace.lower(), Role.NONE)


def standing(actor: Actor, repo: Repo, *, author: str | None = None, let_in: bool = False) -> Standing:
    """The actor's column for ``repo``.

    Args:
        actor: who asks.
        repo: what about.
        author: who made the thing in question, if any.
        let_in: whether the repo is gated and the actor's request for access was accepted.
    """
    if not actor.signed_in:
        return Standing.ANONYMOUS
    # What the hub keeps of its own doing is nobody's to write, not even an admin's.
    role = actor.roles.get(HUB, Role.NONE) if repo.namespace == HUB else role_on(actor, repo.namespace)
    if role >= Role.ADMIN:
        return Standing.ADMIN
    if role >= Role.WRITE or (role == Role.CONTRIBUTOR and _same(actor.name, repo.creator)):
        return Standing.WRITER
    if author is not None and _same(actor.name, author):
        return Standing.AUTHOR
    return Standing.LET_IN if let_in or role >= Role.READ else Standing.SIGNED_IN


def may_read(actor: Actor, repo: Repo) -> bool:
    """Whether ``repo`` exists for this actor: public, or a private one of a namespace they are in."""
    if not repo.private:
        return True
    if actor.only_repos is not None and repo.key not in actor.only_repos:
        return False
    return role_on(actor, repo.namespace) >= Role.READ


def may(actor: Actor, action: Action, repo: Repo, *, author: str | None = None) -> bool:
    """Whether ``actor`` may do ``action`` to ``repo`` (to a thing in it made by ``author``)."""
    if action is Action.READ_FILES:
        return may_read_files(actor, repo)
    if not may_read(actor, repo):
        return False
    if action is not Action.READ and not _token_allows_writing(actor, repo):
        return False
    return standing(actor, repo, author=author) in TABLE[action]


def may_read_files(actor: Actor, repo: Repo, *, let_in: bool = False) -> bool:
    """Whether the actor gets at the content of files; ``let_in`` as for :func:`standing`.

    Ask :mod:`glasshub.gates`, which knows who was let in. A token for some repos opens no gate of others.
    """
    if not repo.gated or not may_read(actor, repo):
        return may_read(actor, repo)
    if actor.only_repos is not None and repo.key not in actor.only_repos:
        return False
    return standing(actor, repo, let_in=let_in) in TABLE[Action.READ_FILES]


def require(actor: Actor, action: Action, repo: Repo, *, author: str | None = None) -> None:
    """Return if allowed.

    Raises:
        RepoNotFound: the repo is private and not for this actor (existence is not revealed).
        GatedRepo, GatedRepoSignIn: its files are not for this actor (as far as can be told without the registry).
        Unauthenticated: nobody is signed in, and signing in may help.
        Forbidden: the actor may see the repo but not do this.
    """
    if may(actor, action, repo, author=author):
        return
    if not may_read(actor, repo):
        raise repo_not_found(repo.repo_id)
    if action is Action.READ_FILES:
        raise gated(actor, repo)
    if not actor.signed_in:
        raise Unauthenticated(f"Sign in to {action.value}.")
    if actor.scope != "write":
        raise Forbidden(f"This token is read-only; use one with scope write to {action.value}.")
    raise Forbidden(f"You may not {action.value} in {repo.repo_id}. Ask an admin of {repo.namespace} for access.")


def gated(actor: Actor, repo: Repo, why: str = "") -> GatedRepo | GatedRepoSignIn:
    """The answer to somebody who may not read the files of a gated repo; ``why`` says more. Clients know the words."""
    said = f"Access to {repo.type} {repo.repo_id} is restricted and you are not in the authorized list."
    if not actor.signed_in:
        return GatedRepoSignIn(f"{said} Sign in, and ask for access on its page.")
    return GatedRepo(f"{said} {why or 'Ask for access on its page.'}", repo.path)


def repo_not_found(repo_id: str) -> RepoNotFound:
    """The one answer for a repo that is missing or hidden."""
    return RepoNotFound(
        f"Repository Not Found: {repo_id}. Check the spelling; "
        "if it is private, sign in with an account that may read it."
    )


def may_read_owned(actor: Actor, owner: str, *, private: bool) -> bool:
    """Whether something of an account's that is no repo (a collection) exists for this actor."""
    return not private or (actor.only_repos is None and role_on(actor, owner) >= Role.READ)


def require_write_owned(actor: Actor, owner: str) -> None:
    """Return if the actor may keep such things for ``owner``: with role ``write``, and a token for all repos.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: somebody who may not.
    """
    if not actor.signed_in:
        raise Unauthenticated("Sign in to keep collections: send a token with scope write.")
    if actor.scope != "write" or actor.only_repos is not None:
        raise Forbidden("This token may not keep collections; use one with scope write that is for all repos.")
    if role_on(actor, owner) < Role.WRITE:
        raise Forbidden(f"You may not keep collections of {owner}. Ask an admin of {owner} for role write.")


def may_create_in(actor: Actor, namespace: str) -> bool:
    """Whether the actor may make new repos in ``namespace``."""
    if actor.scope != "write" or actor.only_repos is not None:
        return False
    return actor.signed_in and role_on(actor, namespace) >= Role.CONTRIBUTOR


def visibility(actor: Actor) -> Visibility:
    """What the actor may see, in the form the index filters by."""
    only = None if actor.only_repos is None else tuple(sorted(actor.only_repos))
    if actor.is_hub_admin:
        return Visibility(everything=True, only_repos=only)
    return Visibility(namespaces=tuple(sorted(n for n, r in actor.roles.items() if r >= Role.READ)), only_repos=only)


def _token_allows_writing(actor: Actor, repo: Repo) -> bool:
    if not actor.signed_in:
        return True  # the table has the answer: anonymous readers may do nothing but read
    return actor.scope == "write" and (actor.only_repos is None or repo.key in actor.only_repos)


def _same(a: str | None, b: str) -> bool:
    return a is not None and a.lower() == b.lower()
