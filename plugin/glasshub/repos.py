"""Repos: find by name (old names too), create, change, move, delete. Rules and use cases."""

from __future__ import annotations

from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, RepoType


def find(hub: Hub, type: RepoType, namespace: str, name: str) -> Repo:
    """The repo of that name, without regard to case, following redirects of moved repos. No access check.

    The caller sees from the answer's name whether it was redirected. A trailing ``.git`` is not part of a name.

    Raises:
        RepoNotFound: there is none.
    """
    raise NotImplementedError


def by_key(hub: Hub, key: str) -> Repo:
    """The repo with this key. Raises ``RepoNotFound``."""
    raise NotImplementedError


def every(hub: Hub) -> list[Repo]:
    """All repos, by key."""
    raise NotImplementedError


def create(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str, *, private: bool = False) -> Repo:
    """Create an empty repo (git folder first, then the registry row, then the index).

    Raises:
        Invalid: the name is not allowed.
        AccountNotFound: no such namespace.
        Forbidden: the actor may not create there.
        Conflict: the name is taken ("A model repository called ns/name already exists").
    """
    raise NotImplementedError


def configure(
    hub: Hub, actor: Actor, repo: Repo, *, private: bool | None = None, allow_force_push: bool | None = None
) -> Repo:
    """Change settings (needs ADMINISTER); the index follows at once."""
    raise NotImplementedError


def move(hub: Hub, actor: Actor, repo: Repo, namespace: str, name: str) -> Repo:
    """Rename or transfer (needs ADMINISTER here and may_create there); the old name redirects until it is reused."""
    raise NotImplementedError


def delete(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Delete for good (needs ADMINISTER): registry row first, then index, then the folder."""
    raise NotImplementedError
